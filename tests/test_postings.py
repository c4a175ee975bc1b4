"""Postings are what a look at every passage says, made at once or merged from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.index.lookup import MOST
from rag.index.phrase import decode
from rag.index.postings import Postings, Vocabulary, invert, merge
from rag.index.rows import Terms
from tests.support.sparse import fielded, numbered

Fielded = list[tuple[list[str], list[str]]]
WORDS = ["a", "b", "dd", "한국", "é", "zz", "\U0001f600", "ab", "\ud800", "\udfff", "\uffff", ""]
WORD = st.sampled_from(WORDS)
PASSAGES = st.lists(st.tuples(st.lists(WORD, max_size=3), st.lists(WORD, max_size=9)), max_size=12)
MASK = st.lists(st.booleans(), min_size=12, max_size=12)
CUTS = st.lists(st.integers(0, 12), max_size=4)
Occurrence = tuple[int, int, int, list[int]]
"""Passage, times in the text, times in headings, places."""


def utf8(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def looked_up(passages: Fielded) -> dict[bytes, list[Occurrence]]:
    """Every term's occurrences; a term's place is its number in its passage."""
    found: dict[bytes, list[Occurrence]] = {}
    for i, (head, body) in enumerate(passages):
        both = [*head, *body]
        for term in sorted(set(both)):
            places = [at for at, t in enumerate(both) if t == term]
            found.setdefault(utf8(term), []).append((i, body.count(term), head.count(term), places))
    return found


def read(p: Postings) -> dict[bytes, list[Occurrence]]:
    """What ``looked_up`` should give, read from the arrays."""
    counts = p.book.sum(axis=1)[p.codes] if len(p.codes) else np.empty(0, np.uint32)
    found = {}
    for t, term in enumerate(p.vocabulary):
        at = slice(int(p.ptr[t]), int(p.ptr[t + 1]))
        places = decode(counts[at].astype(np.uint32), p.pbytes[p.pptr[t] : p.pptr[t + 1]])
        parts = np.split(places, np.cumsum(counts[at])[:-1])
        book = p.book[p.codes[at]].tolist()
        found[term] = [
            (doc, body, head, part.tolist())
            for doc, (body, head), part in zip(p.docs[at].tolist(), book, parts, strict=True)
        ]
    return found


def cut(
    terms: Terms, alive: Sequence[bool], cuts: list[int]
) -> list[tuple[Postings, NDArray[np.bool_]]]:
    """Several postings, with masks of the passages to keep."""
    n = len(terms)
    edges = [0, *sorted(min(c, n) for c in cuts), n]
    return [
        (invert([terms.part(a, b)]), np.array(alive[a:b], np.bool_)) for a, b in pairwise(edges)
    ]


def assert_same(a: Postings, b: Postings) -> None:
    """All arrays are equal, and codes mean the same."""
    for name, array in b.arrays().items():
        if name not in ("codes", "book"):
            assert a.arrays()[name].dtype == array.dtype, name
            np.testing.assert_array_equal(a.arrays()[name], array, err_msg=name)
    np.testing.assert_array_equal(a.book[a.codes], b.book[b.codes])


class TestInvert:
    def test_by_value(self) -> None:
        p = invert([fielded([(["b"], ["a", "b"]), ([], []), ([], ["a", "c"])])])
        assert list(p.vocabulary) == [b"a", b"b", b"c"]
        assert p.ptr.tolist() == [0, 2, 3, 4]
        assert p.docs.tolist() == [0, 2, 0, 2]
        assert p.book[p.codes].tolist() == [[1, 0], [1, 0], [1, 1], [1, 0]]
        assert p.lengths.tolist() == [[2, 1], [0, 0], [2, 0]]
        assert (p.pptr.tolist(), p.pbytes.tolist()) == ([0, 2, 4, 5], [1, 0, 0, 2, 1])
        assert len(p) == 3
        docs, book = p.of("b")
        assert (docs.tolist(), book.tolist()) == ([0], [[1, 1]])
        assert [len(x) for x in p.of("zz")] == [0, 0]
        kinds = {name: str(array.dtype) for name, array in p.arrays().items()}
        assert kinds == {
            "terms": "uint8", "ends": "uint32", "ptr": "uint32", "docs": "uint16",
            "codes": "uint8", "book": "uint32", "lengths": "uint32", "pbytes": "uint8",
            "pptr": "int64",
        }  # fmt: skip

    @given(PASSAGES)
    def test_is_what_a_look_at_every_passage_says(self, passages: Fielded) -> None:
        p = invert([fielded(passages)])
        assert list(p.vocabulary) == sorted({utf8(t) for h, b in passages for t in h + b})
        assert read(p) == looked_up(passages)
        assert p.lengths.tolist() == [[len(body), len(head)] for head, body in passages]

    @given(PASSAGES, CUTS)
    def test_batches_are_as_one_whether_they_share_a_vocabulary_or_not(
        self, passages: Fielded, cuts: list[int]
    ) -> None:
        whole = fielded(passages)
        edges = [0, *sorted(min(c, len(passages)) for c in cuts), len(passages)]
        shared = [whole.part(a, b) for a, b in pairwise(edges)]
        own = [fielded(passages[a:b]) for a, b in pairwise(edges)]
        assert_same(invert(shared), invert([whole]))
        assert_same(invert(own), invert([whole]))
        assert_same(invert([*shared[:1], *own[1:]]), invert([whole]))

    def test_nothing(self) -> None:
        for p in (invert([]), invert([Terms.of([]), Terms.of([])])):
            assert (len(p), len(p.vocabulary), p.ptr.tolist()) == (0, 0, [0])

    def test_words_of_the_vocabulary_that_do_not_occur_are_left_out(self) -> None:
        terms = replace(Terms.of([["b"]]), vocabulary=["b", "a", "c"])
        assert list(invert([terms]).vocabulary) == [b"b"]

    @pytest.mark.parametrize(("pairs", "width"), [(256, 1), (257, 2), (700, 2)])
    def test_many_different_frequencies_take_two_bytes(self, pairs: int, width: int) -> None:
        passages: Fielded = [(["a"] * (i % 3), ["a"] * (i // 3 + 1)) for i in range(pairs)]
        p = invert([fielded(passages)])
        assert (len(p.book), p.codes.itemsize) == (pairs, width)
        assert read(p) == looked_up(passages)

    def test_frequencies_beyond_a_table(self) -> None:
        # Keys of the pairs reach over 2**20.
        passages: Fielded = [(["a"] * 1100, ["a"] * 1000), ([], ["a"])]
        p = invert([fielded(passages)])
        assert p.book[p.codes].tolist() == [[1000, 1100], [1, 0]]

    def test_as_many_passages_as_numbers_reach(self) -> None:
        ends = np.arange(1, MOST + 1)
        p = invert([numbered(ends % 3 // 2, ends, 2)])
        assert [docs.tolist() for docs, _ in (p.of("w0"), p.of("w1"))] == [
            [i for i in range(MOST) if (i + 1) % 3 < 2], list(range(1, MOST, 3)),
        ]  # fmt: skip


class TestMerge:
    @given(PASSAGES, MASK, CUTS)
    def test_is_invert_of_what_is_kept(
        self, passages: Fielded, alive: list[bool], cuts: list[int]
    ) -> None:
        kept = [p for p, a in zip(passages, alive, strict=False) if a]
        merged = merge(cut(fielded(passages), alive, cuts))
        assert_same(merged, invert([fielded(kept)]))
        assert read(merged) == looked_up(kept)

    @given(PASSAGES, MASK, CUTS, CUTS)
    def test_of_merges_is_a_merge_of_all(
        self, passages: Fielded, alive: list[bool], cuts: list[int], again: list[int]
    ) -> None:
        parts = cut(fielded(passages), alive, cuts)
        edges = [0, *sorted(min(c, len(parts)) for c in again), len(parts)]
        groups = [merge(parts[a:b]) for a, b in pairwise(edges) if a < b]
        everything = [(p, np.ones(len(p), np.bool_)) for p in groups]
        assert_same(merge(everything), merge(parts))

    def test_words_vanish_with_their_passages(self) -> None:
        first, second = invert([Terms.of([["a", "b"], ["a"]])]), invert([Terms.of([["c"], ["a"]])])
        merged = merge([(first, np.array([False, True])), (second, np.array([False, True]))])
        assert list(merged.vocabulary) == [b"a"]
        assert merged.docs.tolist() == [0, 1]
        nobody = merge([(first, np.zeros(2, np.bool_)), (second, np.zeros(2, np.bool_))])
        assert (len(nobody), len(nobody.vocabulary), len(nobody.pbytes)) == (0, 0, 0)

    def test_places_far_apart_stay(self) -> None:
        passages: Fielded = [
            (["a"], [*["x"] * gap, "a", "b", *["x"] * 2 * gap, "a"]) for gap in (5, 130, 9000, 400)
        ]
        parts = [invert([fielded(p)]) for p in (passages[:2], passages[2:])]
        merged = merge([(p, np.array([False, True])) for p in parts])
        assert read(merged) == looked_up(passages[1::2])
        keep = [(p, np.array([True, False])) for p in parts]
        assert read(merge(keep)) == looked_up(passages[0::2])

    def test_codes_of_one_byte_and_of_two_meet(self) -> None:
        few: Fielded = [(["a"], ["a", "b"]), ([], ["b"] * 900)]
        many: Fielded = [(["b"], ["a"] * i) for i in range(400)]
        parts = [invert([fielded(p)]) for p in (few, many)]
        assert [p.codes.itemsize for p in parts] == [1, 2]
        for order in ((few, many), (many, few)):
            both = [invert([fielded(p)]) for p in order]
            merged = merge([(p, np.ones(len(p), np.bool_)) for p in both])
            assert read(merged) == looked_up([*order[0], *order[1]])

    def test_up_to_as_many_passages_as_numbers_reach(self) -> None:
        ends = np.arange(1, 40_001)
        p = invert([numbered(ends % 7, ends, 7)])
        keep = np.ones(40_000, np.bool_)
        less = np.arange(40_000) < MOST - 40_000
        merged = merge([(p, keep), (p, less)])
        whole = np.concatenate([ends % 7, (ends % 7)[less]])
        assert len(merged) == MOST
        assert_same(merged, invert([numbered(whole, np.arange(1, MOST + 1), 7)]))

    def test_read_only_arrays(self) -> None:
        p = invert([Terms.of([["a", "b"], ["a"]])])
        locked = {name: array.copy() for name, array in p.arrays().items()}
        for array in locked.values():
            array.flags.writeable = False
        part = (Postings.from_arrays(locked), np.ones(2, np.bool_))
        assert_same(merge([part, part]), invert([Terms.of([["a", "b"], ["a"]] * 2)]))


class TestVocabulary:
    @given(st.sets(st.text(st.characters(codec=None), min_size=1)), st.text())
    def test_find_is_the_place_in_order_or_none(self, words: set[str], other: str) -> None:
        vocabulary = invert([Terms.of([list(words)])]).vocabulary
        order = sorted(map(utf8, words))
        assert list(vocabulary) == order
        for word in words | {other}:
            assert vocabulary.find(word) == (
                order.index(utf8(word)) if utf8(word) in order else None
            )

    def test_a_prefix_is_not_the_word(self) -> None:
        vocabulary = invert([Terms.of([["ab", "abc", "한국어"]])]).vocabulary
        assert [vocabulary.find(w) for w in ("a", "ab", "abc", "abcd", "한국", "한국어")] == [
            None, 0, 1, None, None, 2,
        ]  # fmt: skip

    def test_an_empty_one_finds_nothing(self) -> None:
        vocabulary = Vocabulary(np.empty(0, np.uint8), np.empty(0, np.uint32))
        assert len(vocabulary) == 0
        assert (vocabulary.find("a"), vocabulary.find("")) == (None, None)
        with pytest.raises(IndexError):
            vocabulary[0]


@given(PASSAGES)
def test_arrays_round_trip(passages: Fielded) -> None:
    p = invert([fielded(passages)])
    assert_same(Postings.from_arrays(p.arrays()), p)
    assert read(Postings.from_arrays(p.arrays())) == looked_up(passages)
