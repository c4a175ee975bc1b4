"""Documents that hold an answer in two steps, and one play of a program over them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.answer.answerer import Answerer, Event
from rag.types import Answer, Filter, Mode, SearchResult, Step
from rag.workspace import Workspace
from tests.support import docs
from tests.support.scripted import Reply, Scripted

FILES = {
    "en/seo.md": "# Mina Seo\n\nThe painter Mina Seo was born in Garam in 1961.\n",
    "en/garam.md": (
        "# Garam\n\nGaram lives by its potters. The river Noeul flows through Garam.\n\n"
        "## Market\n\nThe market of Garam opens at dawn. Boats reach it by the Noeul.\n"
    ),
    "en/tea.md": "# Tea\n\nGreen tea is brewed at 80 degrees. Black tea needs boiling water.\n",
    "ko/seo.md": "# 서미나\n\n화가 서미나는 1961년에 가람에서 태어났습니다.\n",
    "ko/garam.md": (
        "# 가람\n\n가람은 도자기 마을입니다. 가람에는 노을강이 흐릅니다.\n\n"
        "## 시장\n\n가람의 시장은 새벽에 엽니다. 배는 노을강으로 들어옵니다.\n"
    ),
}
ENGLISH = "Which river flows through the place where the painter Mina Seo was born?"
SEO = "[1] Mina Seo\n# Mina Seo\n\nThe painter Mina Seo was born in Garam in 1961."
GARAM = (
    "[2] Garam\n# Garam\n\nGaram lives by its potters. The river Noeul flows through Garam.\n\n"
    "## Market\n\nThe market of Garam opens at dawn. Boats reach it by the Noeul."
)
KOREAN = "화가 서미나가 태어난 곳에는 어떤 강이 흐르나요?"
서미나 = "[1] 서미나\n# 서미나\n\n화가 서미나는 1961년에 가람에서 태어났습니다."
가람 = (
    "[2] 가람\n# 가람\n\n가람은 도자기 마을입니다. 가람에는 노을강이 흐릅니다.\n\n"
    "## 시장\n\n가람의 시장은 새벽에 엽니다. 배는 노을강으로 들어옵니다."
)
_FENCE = re.compile(r"(</?passages )[0-9a-f]{12}>")


def block(*passages: str) -> str:
    """Passages as a prompt shows them."""
    return "<passages F>\n" + "\n\n".join(passages) + "\n</passages F>"


@dataclass
class Played:
    """What came of a question: the answer, what the model was asked, what was searched for."""

    answer: Answer
    llm: Scripted
    searched: list[str]
    streamed: str

    @property
    def steps(self) -> list[tuple[str, str]]:
        return [(step.kind, step.text) for step in self.answer.steps]

    @property
    def paths(self) -> list[str]:
        return [hit.chunk.path for hit in self.answer.hits]

    @property
    def users(self) -> list[str]:
        """The last message of each request, where marks around passages are ``F``."""
        return [_FENCE.sub(r"\1F>", call.last) for call in self.llm.calls]


@contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    opened = Workspace(docs.settings(folder / "home", min_confidence=0.0))
    docs.index(opened, docs.write(folder / "docs", FILES))
    try:
        yield opened
    finally:
        opened.close()


def play(
    saem: Workspace,
    program: str,
    question: str,
    *replies: str | Reply,
    mode: Mode | None = None,
    filter: Filter | None = None,  # noqa: A002
    llm: Scripted | None = None,
    **settings: object,
) -> Played:
    """Ask ``question`` where the model replies as scripted."""
    llm = llm or Scripted(*replies)
    searcher = saem.searcher()
    searcher.settings = searcher.settings.replace(**settings)
    searched: list[str] = []
    real = searcher.search

    def watched(query: str, *rest: object) -> SearchResult:
        searched.append(query)
        return real(query, *rest)

    searcher.search = watched
    answerer = Answerer(searcher, llm)
    events: list[Event] = [*answerer.stream(question, None, mode, filter, program=program)]
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert isinstance(events[0], SearchResult)
    assert tuple(e for e in events if isinstance(e, Step)) == answer.steps
    if answer.citations:
        resolves(saem, answer)
    return Played(answer, llm, searched, "".join(e for e in events if isinstance(e, str)))


def resolves(saem: Workspace, given: Answer) -> None:
    """Every citation is what its document says there, and stands in the answer."""
    for c in given.citations:
        text = saem.collection().text(c.document, c.version)
        assert text[c.start : c.end] == c.quote
        assert f"[{c.n}]" in given.text
        assert given.hits[c.n - 1].chunk.document == c.document
