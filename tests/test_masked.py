from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.answer import Answerer
from rag.errors import LLMUnavailable
from rag.types import Answer, SearchResult
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.scripted import Scripted

KIM = "The keeper of the boat is Kim, 010-1234-5678, kim@example.org."
MASKED = "The keeper of the boat is Kim, *************, ***************."


class Failing(Scripted):
    """A model that fails, and says why."""

    def stream(self, *_: object, **__: object) -> Iterator[str]:
        raise LLMUnavailable("failing", str(self._replies[0]))


def test_nothing_personal_is_said_quoted_or_listed(saem: Workspace, folder: Path) -> None:
    (folder / "boat.md").write_text(f"# Boat\n\n{KIM}\n")
    saem.index(folder)
    with FakeLLM(reply=f"{KIM} [1]", pause=0.0) as fake:
        saem.settings = saem.settings.replace(llm_url=fake.url, redact=("phone", "email"))
        events = list(saem.answerer().stream("Who is the keeper of the boat?"))
    assert "010-1234" not in repr(events)
    assert "kim@example" not in repr(events)
    found, *deltas, given = events
    assert isinstance(found, SearchResult)
    assert isinstance(given, Answer)
    assert MASKED in found.hits[0].chunk.text
    assert given.text == "".join(map(str, deltas)) == f"{MASKED} [1]"
    cited = given.citations[0]
    text = saem.collection().text(cited.document, cited.version)
    assert text[cited.start : cited.end] == KIM
    assert len(cited.quote) == len(KIM)


def test_titles_headings_paths_and_warnings_are_masked_too(saem: Workspace, folder: Path) -> None:
    (folder / "kim@example.org").mkdir()
    (folder / "kim@example.org" / "boat.md").write_text(f"# Boat of kim@example.org\n\n{KIM}\n")
    saem.index(folder)
    llm = Failing("no 010-1234-5678")
    answerer = Answerer(saem.searcher(), llm)
    answerer.settings = saem.settings.replace(redact=("phone", "email"))
    events = list(answerer.stream("Who is the keeper of the boat?"))
    given = events[-1]
    assert isinstance(given, Answer)
    assert given.degraded == "LLMUnavailable"
    assert any("no *************" in w for w in given.warnings)
    assert given.citations[0].path == "***************/boat.md"
    assert "Boat of ***************" in repr(given.hits)
    assert "010-1234" not in repr(events)
    assert "kim@example" not in repr(events)


def test_without_kinds_all_is_said(saem: Workspace, folder: Path) -> None:
    (folder / "boat.md").write_text(f"# Boat\n\n{KIM}\n")
    saem.index(folder)
    given = saem.answerer().ask("Who is the keeper of the boat?")
    assert KIM in given.text
