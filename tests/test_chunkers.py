"""Every way to cut keeps the same promises, and each does what its name says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from multiprocessing.reduction import ForkingPickler
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.chunk import Chunker, Chunking, chunk, load_chunker, whole
from indexer.readers import read
from indexer.semantic import likeness
from indexer.tokens import ESTIMATE, Estimate, estimate_tokens
from rag.encode.hashing import HashingEncoder
from rag.errors import ConfigError
from rag.settings import Settings
from rag.types import Block, Chunk, Document
from tests.test_chunk import LINES, markdown, plain, squeezed

WAYS: tuple[Chunking, ...] = get_args(Chunking)


class Doubled(Estimate):
    """Each token counts twice."""

    def spans(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        return ((a, b, 2 * size) for a, b, size in super().spans(text, start, end))


def chunker(way: Chunking, tokens: int) -> Chunker:
    return Chunker(way, tokens, encoder=HashingEncoder(16) if way == "semantic" else None)


def check(document: Document, way: Chunking, tokens: int) -> list[Chunk]:
    """The promises that hold for every document and every way."""
    chunks = chunker(way, tokens)(document)
    for position, c in enumerate(chunks):
        assert c.position == position
        assert document.text[c.start : c.end] == c.text
        assert c.text.strip()
        assert estimate_tokens(c.text) <= tokens * 3 // 2
        assert (c.document, c.version, c.path) == (document.id, document.version, document.path)
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    assert squeezed("".join(c.text for c in chunks)) == squeezed(document.text)
    return chunks


@pytest.mark.parametrize("way", WAYS)
class TestPromises:
    @given(st.lists(LINES, max_size=40), st.integers(1, 60))
    @settings(max_examples=60, deadline=None)
    def test_markdown(self, way: Chunking, lines: list[str], tokens: int) -> None:
        check(markdown("words first\n\n" + "\n".join(lines)), way, tokens)

    @given(st.text(max_size=300), st.integers(1, 40))
    @settings(max_examples=60, deadline=None)
    def test_any_text_without_blocks(self, way: Chunking, text: str, tokens: int) -> None:
        check(plain(text), way, tokens)

    def test_blank_document_has_no_chunks(self, way: Chunking) -> None:
        assert chunker(way, 10)(plain(" \n\t\n")) == []

    def test_size_below_one_is_refused(self, way: Chunking) -> None:
        with pytest.raises(ValueError, match="tokens must be 1 or more, not 0"):
            chunker(way, 0)

    def test_headings_above_are_told(self, way: Chunking) -> None:
        body = "Some words stand here. " * 12
        document = markdown(f"# Guide\n\n{body}\n\n## Install\n\n{body}\n\n{body}")
        assert chunker(way, 30)(document)[-1].heading == ("Guide", "Install")

    def test_a_very_long_line(self, way: Chunking) -> None:
        check(plain("lorem ipsum " * 20_000), way, 100)


def test_structural_is_the_default_and_what_chunk_gives() -> None:
    document = markdown("# A\n\n" + "Some words stand here. " * 40)
    assert Chunker().chunking == Settings().chunking == "structural"
    assert Chunker(tokens=50)(document) == chunk(document, 50)


def test_windows_of_tokens_heed_neither_headings_nor_sentences() -> None:
    document = markdown("# One two\n\nthree. four five\n\n## six\n\nseven eight")
    assert [(c.text, c.heading) for c in Chunker("tokens", 4)(document)] == [
        ("# One two", ("One two",)),
        ("three. four five", ("One two",)),
        ("## six\n\nseven eight", ("One two", "six")),
    ]


def test_sentences_are_whole_and_as_many_as_fit() -> None:
    text = "The first one is here. 둘째 문장이다. A third.\n\nAnd the fourth one is longer."
    chunks = Chunker("sentences", 12)(plain(text))
    assert [c.text for c in chunks] == [
        "The first one is here. 둘째 문장이다.",
        "A third.\n\nAnd the fourth one is longer.",
    ]


class Topics:
    """Encodes by topic words."""

    name = fingerprint = "topics"
    dim = 3

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        words = ("tea", "차는"), ("car", "자동차"), ("",)
        rows = np.array([[any(w in t for w in ws) for ws in words] for t in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def query(self, text: str) -> NDArray[np.float32]:
        return self.passages([text])[0]


class TestSemantic:
    tea = "Some tea is green. All tea is brewed. Cold tea is nice. Old tea is bitter."
    cars = "One car is red. That car is fast. Each car has wheels. Any car needs oil."

    def test_cuts_where_the_topic_changes(self) -> None:
        encoder = Topics()
        document = plain(f"{self.tea} {self.cars}")
        found = Chunker("semantic", 28, encoder=encoder)(document)
        assert [c.text for c in found] == [self.tea, self.cars]
        assert [len(texts) for texts in encoder.asked] == [8]

    def test_a_last_part_that_no_cut_makes_small_enough(self) -> None:
        found = Chunker("semantic", 1, Doubled(), HashingEncoder(16))(plain("one two"))
        assert [c.text for c in found] == ["one", "two"]

    def test_a_small_document_is_not_encoded(self) -> None:
        encoder = Topics()
        found = Chunker("semantic", 100, encoder=encoder)(plain(f"{self.tea} {self.cars}"))
        assert [c.text for c in found] == [f"{self.tea} {self.cars}"]
        assert encoder.asked == []

    def test_a_heading_stays_with_what_follows(self) -> None:
        document = markdown(f"# Tea\n\n{self.tea}\n\n# The car\n\n{self.cars}")
        found = Chunker("semantic", 40, encoder=Topics())(document)
        assert [c.text for c in found] == [
            f"# Tea\n\n{self.tea}",
            f"# The car\n\n{self.cars}",
        ]

    @given(st.integers(1, 12), st.integers(0, 5))
    @settings(max_examples=40, deadline=None)
    def test_likeness_is_the_cosine_of_three_before_and_after(self, n: int, seed: int) -> None:
        rows = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)

        class Fixed(Topics):
            def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
                return rows[[int(t) for t in texts]]

        expected = []
        for i in range(1, n):
            a, b = rows[max(i - 3, 0) : i].sum(0), rows[i : i + 3].sum(0)
            expected.append(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
        found = likeness([str(i) for i in range(n)], Fixed())
        assert found == pytest.approx(np.array(expected), abs=1e-5)

    def test_without_an_encoder_it_says_so(self) -> None:
        with pytest.raises(ConfigError, match="'semantic' needs an encoder") as error:
            load_chunker(Settings(encoder="none", chunking="semantic"))
        assert "rag models pull" in error.value.remedy


class TestParentChild:
    @given(st.lists(LINES, max_size=40), st.integers(3, 60))
    @settings(max_examples=80, deadline=None)
    def test_children_fill_the_structural_passages(self, lines: list[str], tokens: int) -> None:
        document = markdown("words first\n\n" + "\n".join(lines))
        found = Chunker("parent-child", tokens)(document)
        assert all(estimate_tokens(c.text) <= max(tokens // 3, 1) * 3 // 2 for c in found)
        parents = [list(g) for _, g in groupby(found, lambda c: c.outer or (c.start, c.end))]
        large = chunk(document, tokens)
        assert [(c.start, c.end) for c in large] == [
            part[0].outer or (part[0].start, part[0].end) for part in parents
        ]
        for parent, parts in zip(large, parents, strict=True):
            assert squeezed("".join(c.text for c in parts)) == squeezed(parent.text)
            assert (len(parts) == 1) == (parts[0].outer is None)

    def test_by_value(self) -> None:
        document = plain("One is here. Two is here.\n\nThree is here. Four is here.")
        found = Chunker("parent-child", 16)(document)
        assert [(c.text, c.outer) for c in found] == [
            ("One is here.", (0, len(document.text))),
            ("Two is here.", (0, len(document.text))),
            ("Three is here.", (0, len(document.text))),
            ("Four is here.", (0, len(document.text))),
        ]


class TestTables:
    rows = "".join(f"| 도시 {i} | {i}00 |\n" for i in range(12))
    document = markdown(f"Words first.\n\n| 이름 | 인구 |\n|---|---|\n{rows}\nWords last.")

    @pytest.mark.parametrize("way", WAYS)
    def test_what_continues_a_table_has_its_header(self, way: Chunking) -> None:
        chunks = chunker(way, 40)(self.document)
        body = self.document.text.index("| 도시 0")
        within = [c for c in chunks if body <= c.start < self.document.text.index("Words last")]
        assert len(within) > 1
        assert all(c.lead == "| 이름 | 인구 |" for c in within)
        assert all(c.lead == "" for c in chunks if c not in within)
        assert all("이름 | 인구" in c.above for c in within)

    def test_a_very_long_header_is_cut(self) -> None:
        columns = "\t".join(f"column {i}" for i in range(400))
        text = f"{columns}\n" + "value " * 100
        table = Block("table", 0, len(text), header=len(columns))
        *_, last = chunk(Document("u", "p", "t", text, (table,)), 60)
        assert last.text.endswith("value")
        assert last.lead.startswith("column 0\tcolumn 1")
        assert 25 <= estimate_tokens(last.lead) <= 32

    def test_a_table_without_header_has_none(self) -> None:
        text = "value one\n" * 60
        *_, last = chunk(Document("u", "p", "t", text, (Block("table", 0, len(text)),)), 30)
        assert last.lead == ""


def test_code_is_under_the_name_of_what_it_defines() -> None:
    text = "def a():\n    return 1\n\nclass B:\n    def c(self):\n        return 2"
    at = text.index("class")
    blocks = (Block("code", 0, at - 2, title="a"), Block("code", at, len(text), title="B.c"))
    assert [(c.heading, c.text) for c in chunk(Document("u", "m.py", "m", text, blocks), 12)] == [
        (("a",), text[: at - 2]),
        (("B.c",), text[at:]),
    ]
    (both,) = chunk(Document("u", "m.py", "m", text, blocks), 100)
    assert both.heading == ()


class TestChunker:
    def test_each_setting_has_its_own_fingerprint(self) -> None:
        made = [chunker(way, tokens) for way in WAYS for tokens in (20, 30)]
        assert len({c.fingerprint for c in made}) == 10
        assert chunker("semantic", 20).fingerprint == chunker("semantic", 20).fingerprint

    @pytest.mark.parametrize("way", ["structural", "tokens", "sentences", "parent-child"])
    def test_it_can_be_sent_to_other_processes(self, way: Chunking) -> None:
        document = markdown("# A\n\n" + "Some words stand here. " * 40)
        made = chunker(way, 20)
        assert made.portable
        again = ForkingPickler.loads(ForkingPickler.dumps(made))
        assert (again.fingerprint, again(document)) == (made.fingerprint, made(document))

    def test_one_with_an_encoder_cannot(self) -> None:
        assert not chunker("semantic", 20).portable

    def test_an_encoder_that_is_not_needed_is_not_kept(self) -> None:
        made = load_chunker(Settings(encoder="hashing", chunk_tokens=70), HashingEncoder())
        assert made == Chunker("structural", 70, ESTIMATE)

    def test_whole(self) -> None:
        document = read(b"# Tea\n\nGreen.", uri="u", path="a.md").document
        (only,) = whole(document)
        assert (only.start, only.end, only.text) == (0, 13, "# Tea\n\nGreen.")
        assert (only.title, only.position, only.outer) == ("Tea", 0, None)
