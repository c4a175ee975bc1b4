"""Compiled look-ups find the postings that dictionaries and sorted lists say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.index.lookup import (
    MOST,
    P_BOUND,
    P_CODES,
    P_COUNT,
    P_DOCS,
    P_JUMP,
    P_SHIFT,
    P_TABLE,
    P_WIDE,
    look_up,
    make_jumps,
    view,
)
from rag.index.postings import invert
from rag.index.rows import Terms
from rag.index.sparse import Live, Shard
from tests.support.sparse import ids

Passages = list[list[str]]
WORD = st.text(st.sampled_from(["a", "b", "한", "\U0001f600", "\ud800", "\x00"]), max_size=3)
SEGMENTS = st.lists(st.lists(st.lists(WORD, max_size=6), max_size=8), max_size=4)


def utf8(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def live(passages: Passages, alive: Sequence[bool]) -> Live:
    n = len(passages)
    return Live(Shard(invert([Terms.of(passages)]), ids(n)), np.array(alive[:n], np.bool_))


def ask(parts: Sequence[Live], terms: Sequence[str]) -> tuple[NDArray[np.int64], list[int]]:
    """``found`` and ``dfs``; segment ``s`` has the table 1000 + s and the bounds from 64 s on."""
    rows = np.array([part.row for part in parts], np.int64).reshape(-1, 13)
    found = np.full((len(parts), len(terms), 8), -7, np.int64)
    dfs = np.zeros(len(terms), np.int64)
    encoded = list(map(utf8, terms))
    blob = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    numbers = np.arange(len(parts), dtype=np.int64)
    stops = np.cumsum(np.array(list(map(len, encoded)), np.int64), dtype=np.int64)
    look_up(rows, 1000 + numbers, 64 * numbers, blob, stops, found, dfs)
    return found, dfs.tolist()


@given(
    SEGMENTS,
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(WORD, min_size=1, max_size=8, unique=True),
)
def test_terms_are_found_where_they_are(
    segments: list[Passages], alive: list[bool], terms: list[str]
) -> None:
    parts = [live(passages, alive) for passages in segments]
    for _ in range(2):  # what was counted once is remembered
        found, dfs = ask(parts, terms)
        assert dfs == [
            sum(t in p for ps in segments for p, a in zip(ps, alive, strict=False) if a)
            for t in terms
        ]
        for s, passages in enumerate(segments):
            order = sorted({utf8(t) for p in passages for t in p})
            for place, term in zip(found[s], terms, strict=True):
                docs = [i for i, p in enumerate(passages) if term in p]
                assert place[P_COUNT] == len(docs)
                if docs:
                    assert view(int(place[P_DOCS]), len(docs), np.uint16).tolist() == docs
                    assert place[P_TABLE] == 1000 + s
                    assert place[P_BOUND] == 64 * s + 4 * order.index(utf8(term))
                    assert (place[P_WIDE], place[P_JUMP]) == (0, 0)
                else:
                    assert place.tolist() == [0] * 8


@pytest.mark.parametrize("kinds", [200, 300])
def test_codes_are_of_one_byte_or_of_two(kinds: int) -> None:
    passages = [["a"] * (i + 1) + ["b"] * (i % 2) for i in range(kinds)]
    part = live(passages, [True] * kinds)
    found, _ = ask([part], ["a", "b"])
    postings = part.shard.postings
    for place, term in zip(found[0], ("a", "b"), strict=True):
        width = 2 if place[P_WIDE] else 1
        assert width == (1 if kinds <= 256 else 2)
        raw = view(int(place[P_CODES]), int(place[P_COUNT]) * width, np.uint8)
        codes = np.frombuffer(raw.tobytes(), "<u2" if width == 2 else "u1")
        assert postings.book[codes].tolist() == [[p.count(term), 0] for p in passages if term in p]


def test_no_segments() -> None:
    found, dfs = ask([], ["a"])
    assert (found.shape, dfs) == ((0, 1, 8), [0])


class TestJumps:
    @given(st.lists(st.sets(st.integers(0, MOST - 1), max_size=90), max_size=4))
    def test_a_term_of_many_postings_has_the_first_of_each_stretch(
        self, terms: list[set[int]]
    ) -> None:
        self.check([sorted(docs) for docs in terms])

    def test_of_every_passage(self) -> None:
        self.check([list(range(MOST)), list(range(0, MOST, 5)), list(range(60_000, MOST))])

    def test_are_what_a_search_gets(self) -> None:
        part = live([["a"], ["a", "b"]] * 20, [True] * 40)
        found, _ = ask([part], ["a", "b", "c"])
        assert [bool(place[P_JUMP]) for place in found[0]] == [True, True, False]
        jumps = view(int(found[0, 1, P_JUMP]), 1 << 16 - int(found[0, 1, P_SHIFT]), np.uint16)
        assert (jumps[0], jumps[1]) == (0, 20)

    @staticmethod
    def check(terms: list[list[int]]) -> None:
        ptr = np.cumsum([0, *map(len, terms)]).astype(np.uint32)
        docs = np.array([d for own in terms for d in own], np.uint16)
        at, shift, jumps = make_jumps(ptr, docs, 16, 4)
        for own, begin, bits in zip(terms, at.tolist(), shift.tolist(), strict=True):
            assert (begin >= 0) == (len(own) >= 16)
            if begin < 0:
                continue
            stretches = 1 << (16 - bits)
            assert len(own) / 8 < stretches < len(own)
            starts = np.searchsorted(own, np.arange(stretches) << bits)
            assert jumps[begin : begin + stretches].tolist() == starts.tolist()
