"""Documents become rows: passages that resolve, with the terms of headings and of text."""

from __future__ import annotations

from itertools import pairwise
from multiprocessing.reduction import ForkingPickler

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chunk import chunk, whole
from indexer.readers import read
from indexer.rows import growing, make_rows, terms_of
from rag.analysis import Analyser, detect, language_term
from rag.analysis.latin import stemmed
from rag.index import Row, Stat
from rag.index.lookup import MOST
from rag.index.postings import invert
from rag.index.rows import Terms, joined
from rag.types import Chunk, Document
from tests.support.sparse import fielded

ANALYSER = Analyser()
TEXT = st.text(st.sampled_from("ab Run the 한국어문장이다 é.\n_-1\U0001f600あ東"), max_size=30)
WORD = st.sampled_from(["a", "b", "한국"])
PASSAGES = st.lists(
    st.tuples(
        st.lists(st.sampled_from("ab한"), max_size=2), st.lists(st.sampled_from("abc"), max_size=4)
    ),
    max_size=8,
)
CHUNKS = st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=2), TEXT), max_size=8)


def passage(title: str, heading: list[str], text: str) -> Chunk:
    return Chunk("d", "v", 0, 0, len(text), text, "p", title, tuple(heading))


def cut(document: Document) -> list[Chunk]:
    return chunk(document, 40)


def expected(c: Chunk) -> list[str]:
    """The terms of a passage, by its text's language, and which that is if not English."""
    language = detect(c.text)
    found = [*ANALYSER.terms(c.above, language), *ANALYSER.terms(c.text, language)]
    stems = stemmed(language)
    return found if stems == "en" else [*found, language_term(stems)]


def placed(t: Terms, i: int) -> tuple[int, list[tuple[str, int]]]:
    """How many terms of passage ``i`` are of headings, and all of them with their places."""
    at = t.start + i
    begin = int(t.ends[at - 1]) if at else 0
    places = t.positions[begin : int(t.ends[at])].tolist()
    return int(t.heads[at]), list(zip(t[i], places, strict=True))


class TestTermsOf:
    @given(CHUNKS)
    def test_terms_are_those_of_headings_then_of_text(
        self, parts: list[tuple[str, list[str], str]]
    ) -> None:
        chunks = [passage(*part) for part in parts]
        found = terms_of(chunks, ANALYSER)
        assert [found[i] for i in range(len(chunks))] == list(map(expected, chunks))
        assert found.heads.tolist() == [
            len(ANALYSER.terms(c.above, detect(c.text))) for c in chunks
        ]

    @given(CHUNKS)
    def test_places_are_those_of_each_field_and_the_text_lies_apart(
        self, parts: list[tuple[str, list[str], str]]
    ) -> None:
        chunks = [passage(*part) for part in parts]
        found = terms_of(chunks, ANALYSER)
        for i, c in enumerate(chunks):
            heads, places = placed(found, i)
            language = detect(c.text)
            above = ANALYSER.positions(c.above, language)
            own = ANALYSER.positions(c.text, language)
            assert places[:heads] == above
            shift = above[-1][1] + 100 if above else 0
            placed_so = [(term, at + shift) for term, at in own]
            assert places[heads : heads + len(own)] == placed_so

    def test_by_value(self) -> None:
        found = terms_of(
            [passage("Tea", ["Tea", "Green"], "Green leaves"), passage("", [], "tea")], ANALYSER
        )
        assert [found[0], found[1]] == [["tea", "green", "green", "leav"], ["tea"]]
        assert found.positions.tolist() == [0, 1, 101, 102, 0]
        assert found.heads.tolist() == [2, 0]
        p = invert([found])
        assert p.lengths.tolist() == [[2, 2], [1, 0]]
        assert p.of("green")[1].tolist() == [[1, 1]]

    def test_a_passage_with_other_stems_says_so(self) -> None:
        german = "Die Häuser sind groß, und das Wetter ist heute schön."
        found = terms_of([passage("", [], t) for t in ("tea", german, "", german, "")], ANALYSER)
        assert found[0] == ["tea"]
        assert found[1] == found[3] == [
            "haus", "gross", "wett", "heut", "schon", language_term("de"),
        ]  # fmt: skip
        assert [len(found[i]) for i in range(5)] == [1, 6, 0, 6, 0]
        assert invert([found]).of(language_term("de"))[0].tolist() == [1, 3]

    def test_none(self) -> None:
        for chunks in ([], [passage("", [], "")], [passage("", [], " ")] * 3):
            found = terms_of(chunks, ANALYSER)
            assert (len(found), len(found.ids)) == (len(chunks), 0)


class TestMakeRows:
    def documents(self) -> list[tuple[Document, Stat]]:
        files = {
            "tea.md": "# Tea\n\n"
            + "Green tea is brewed at 80 degrees. " * 30
            + "\n\n## Black\n\nIt boils.",
            "차.md": "# 차\n\n녹차는 80도에서 우립니다. " * 9,
            "haus.md": "# Häuser\n\nDie Häuser sind groß, und das Wetter ist heute schön.",
            "code.txt": "x = 1",
            "digits.txt": "1 2 3",
        }
        return [
            (
                read(text.encode(), uri=f"file:///{path}", path=path).document,
                Stat(f"{len(text)}:7", "s" + path),
            )
            for path, text in files.items()
        ]

    def test_each_document_has_its_passages_their_terms_its_language_and_stat(self) -> None:
        documents = self.documents()
        rows = make_rows(documents, cut, ANALYSER)
        assert [row.language for row in rows] == ["en", "ko", "de", "en", "und"]
        assert len(rows[0].chunks) > 2
        for row, (document, stat) in zip(rows, documents, strict=True):
            assert (row.document, row.stat) == (document, stat)
            assert row.chunks == chunk(document, 40)
            assert len(row.terms) == len(row.chunks)
            for i, c in enumerate(row.chunks):
                assert document.text[c.start : c.end] == c.text
                assert row.terms[i] == expected(c)

    def test_analysed_together_or_alone_is_the_same(self) -> None:
        documents = self.documents()
        for row, one in zip(make_rows(documents, cut, ANALYSER), documents, strict=True):
            (alone,) = make_rows([one], cut, ANALYSER)
            assert [placed(row.terms, i) for i in range(len(row.terms))] == [
                placed(alone.terms, i) for i in range(len(alone.terms))
            ]

    def test_uncut(self) -> None:
        documents = self.documents()
        for row, (document, _) in zip(
            make_rows(documents, whole, ANALYSER), documents, strict=True
        ):
            (one,) = row.chunks
            assert (one.start, one.end, one.text) == (0, len(document.text), document.text)
            assert (one.position, one.title, one.heading) == (0, document.title, ())
            assert row.terms[0] == expected(one)

    def test_none_and_blank(self) -> None:
        assert make_rows([], cut, ANALYSER) == []
        blank = Document("file:///b", "b", "", " \n ")
        (row,) = make_rows([(blank, Stat())], cut, ANALYSER)
        assert (row.chunks, len(row.terms), row.language) == ([], 0, "und")


class TestGrowing:
    def rows(self, *sizes: int) -> list[Row]:
        """Rows of so many passages."""
        document = Document("file:///a", "a", "", "x")
        return [
            Row(document, "en", [passage("", [], "x")] * size, Terms.of([["x"]] * size))
            for size in sizes
        ]

    def test_portions_grow_and_keep_order(self) -> None:
        rows = self.rows(*[500] * 100)
        portions = list(growing(rows[i : i + 7] for i in range(0, 100, 7)))
        assert [r for portion in portions for r in portion] == rows
        sizes = [sum(len(r.chunks) for r in portion) for portion in portions]
        assert sizes == [4500, 4500, 9000, 18000, 14000]

    def test_no_portion_is_larger_than_a_segment(self) -> None:
        portions = list(growing([self.rows(*[30_000] * 5)]))
        assert [len(portion) for portion in portions] == [1, 1, 2, 1]

    def test_a_document_larger_than_a_segment_goes_alone(self) -> None:
        portions = list(growing([self.rows(10, MOST + 1, 10)]))
        assert [[len(r.chunks) for r in portion] for portion in portions] == [
            [10], [MOST + 1], [10],
        ]  # fmt: skip
        assert [len(portion) for portion in growing([self.rows(MOST + 1)])] == [1]

    def test_nothing(self) -> None:
        assert list(growing([])) == []
        assert list(growing([[], []])) == []


class TestTerms:
    def test_of_by_value(self) -> None:
        whole = Terms.of([["a", "b", "a"], [], ["c"]])
        assert [placed(whole, i) for i in range(3)] == [
            (0, [("a", 0), ("b", 1), ("a", 2)]), (0, []), (0, [("c", 0)]),
        ]  # fmt: skip

    @given(PASSAGES, st.tuples(*[st.integers(0, 8)] * 4))
    def test_parts_of_parts(
        self, passages: list[tuple[list[str], list[str]]], cuts: tuple[int, int, int, int]
    ) -> None:
        whole = fielded(passages)
        n = len(passages)
        a, b = sorted(min(c, n) for c in cuts[:2])
        c, d = sorted(min(c, b - a) for c in cuts[2:])
        part = whole.part(a, b).part(c, d)
        assert len(part) == d - c
        assert [placed(part, i) for i in range(len(part))] == [
            placed(whole, i) for i in range(a + c, a + d)
        ]

    @given(PASSAGES, st.lists(st.integers(0, 8), max_size=6))
    def test_joined_is_the_same_in_fewer_parts(
        self, passages: list[tuple[list[str], list[str]]], cuts: list[int]
    ) -> None:
        whole, other = fielded(passages), fielded(passages)
        edges = [0, *sorted(min(c, len(passages)) for c in cuts), len(passages)]
        parts = [whole.part(a, b) for a, b in pairwise(edges)]
        again = joined([*parts, other, *parts])
        expected = [whole, other, whole] if passages else []
        assert [[placed(t, i) for i in range(len(t))] for t in again] == [
            [placed(t, i) for i in range(len(t))] for t in expected
        ]

    def test_joined_leaves_gaps_and_order_alone(self) -> None:
        whole = Terms.of([[word] for word in "abcd"])
        parts = [whole.part(2, 4), whole.part(0, 1), whole.part(2, 3), whole.part(3, 4)]
        assert [[t[i] for i in range(len(t))] for t in joined(parts)] == [
            [["c"], ["d"]], [["a"]], [["c"], ["d"]],
        ]  # fmt: skip

    def test_come_over_whole_from_a_process(self) -> None:
        row = make_rows(
            [(read(b"# Tea\n\nGreen.", uri="u", path="a.md").document, Stat("3:4", "x"))],
            cut,
            ANALYSER,
        )[0]
        assert type(row).__reduce__(row)[0] is type(row)
        same = ForkingPickler.loads(ForkingPickler.dumps(row))
        assert (same.document, same.chunks, same.stat) == (row.document, row.chunks, row.stat)
        assert placed(same.terms, 0) == placed(row.terms, 0)

    @pytest.mark.parametrize("passages", [[], [[]]])
    def test_of_nothing(self, passages: list[list[str]]) -> None:
        found = Terms.of(passages)
        assert (len(found), len(found.ids), list(found.vocabulary)) == (len(passages), 0, [])


def test_a_chunks_context_is_what_is_above_and_its_text() -> None:
    c = passage("Tea", ["Tea", "", "Green"], "Leaves.")
    assert (c.above, c.context) == ("Tea > Green", "Tea > Green\nLeaves.")
    bare = passage("", [], "Leaves.")
    assert (bare.above, bare.context) == ("", "Leaves.")
    assert detect(bare.context) == "en"
