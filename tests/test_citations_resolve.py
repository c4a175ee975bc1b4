"""Whatever a model writes, every citation delivered is the document's own text."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.answer import Answerer
from rag.types import Message
from rag.workspace import Workspace
from tests.support import docs

PAGES = {
    "ko/김치.md": "# 김치 🥬\n\n김치는 배추로 담근다. 겨울에는 김장을 한다 😀! 소금은 3% 넣는다.\n",
    "en/naïve.md": "# Naïve café ☕\n\nThe café opens at 8 a.m. It is 👩‍👩‍👧 friendly — mostly. "
    "Dr. Kim founded it in 1999. It grew.\n\n- one 🥐\n- two\n",
    "mixed.md": "# 혼합 mixed\n\nThe 서울 office uses `array[1]` and e\u0301 accents. 부산 "
    "사무실은 \U0001d518nicode를 쓴다.\r\nIt ends [2] here.\n\n```python\nx = tea[1]\n```\n",
}
WORDS = [
    "kimchi", "김치는", "배추로", "café", "The", "👩‍👩‍👧", "opens", "at", "8", "서울", "office",
    "array[1]", "`x[1]`", "```", "\n", "\n\n- ", "1999", "It", "e\u0301", "\ud83d", "[", "]", "[]",
    "[ ]", "[[1]]", "\u200b", "한다.", "mostly.", "Dr.", "?", "！", "[a](b)", "1,", "\\", "\x00",
]  # fmt: skip
QUESTIONS = ("How is black tea made?", "김치는 무엇으로 담그나요?", "When does the café open? ☕",
             "Which accents does the 서울 office use?")  # fmt: skip
ANSWERS = 1000


class Streaming:
    """A model that says pieces of any length."""

    name = endpoint = "streaming"
    context_tokens = 2048
    languages: tuple[str, ...] = ()
    at_once = 1

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces

    def count(self, text: str) -> int:
        return len(text) // 3

    def stream(self, messages: Sequence[Message], **_: object) -> Iterator[str]:
        yield from self._pieces

    def ready(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = docs.write(tmp_path / "docs")
    for name, text in PAGES.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(text.encode())
    return place


def marker(rng: random.Random) -> str:
    n = rng.choice([1, 1, 2, 3, 4, 5, 0, 9, 10**6])
    m = rng.randint(1, 7)
    return rng.choice([f"[{n}]", f"[{n}]", f"[{n}, {m}]", f"[ {n} ]", f"[{n}][{m}]", f"[{n}"])


def answer(rng: random.Random, sentences: Sequence[str]) -> str:
    parts = []
    for _ in range(rng.randint(0, 12)):
        said = rng.choice(sentences)
        cut = rng.randrange(len(said))
        parts += rng.choice([[said], [said[cut:]], rng.choices(WORDS, k=rng.randint(1, 6))])
        parts += [marker(rng)] * (rng.random() < 0.6)
    return rng.choice(["", " "]).join(parts)


def pieces(rng: random.Random, text: str) -> list[str]:
    cuts = sorted(rng.choices(range(len(text) + 1), k=rng.randint(0, len(text))))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def test_a_thousand_random_answers_cite_to_the_byte(saem: Workspace) -> None:
    rng = random.Random(6)
    searcher = saem.searcher()
    collection = saem.collection()
    whole = [" ".join(t.split()) for t in (*docs.FILES.values(), *PAGES.values())]
    sentences = [s for text in whole for s in re.split(r"(?<=[.!?])\s", text) if s]
    cited = 0
    for _ in range(ANSWERS):
        said = answer(rng, sentences)
        llm = Streaming(pieces(rng, said))
        given = Answerer(searcher, llm).ask(rng.choice(QUESTIONS))
        for citation in given.citations:
            text = collection.text(citation.document, citation.version)
            held = text[citation.start : citation.end]
            assert held.encode() == citation.quote.encode(), said
            assert held.strip(), said
            assert f"[{citation.n}]" in given.text, said
            assert given.hits[citation.n - 1].chunk.document == citation.document, said
            cited += 1
        for statement in given.statements:
            assert given.text[statement.start : statement.end], said
    assert cited > ANSWERS
