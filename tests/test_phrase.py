"""Positions come back as they were stored; phrases are where a look at every passage finds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.index.phrase import decode, encode, occurrences

Passage = list[tuple[int, int]]
"""``(position, term)``, ascending: terms may share a position and come twice at one."""


@dataclass(frozen=True)
class Stored:
    """Postings of passages over the terms 0 to 3."""

    ptr: NDArray[np.int64]
    docs: NDArray[np.uint32]
    counts: NDArray[np.uint32]
    positions: NDArray[np.uint32]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Stored:
        ptr, docs, counts, positions = [0], [], [], []
        for term in range(4):
            for doc, passage in enumerate(passages):
                if places := [position for position, t in passage if t == term]:
                    docs.append(doc)
                    counts.append(len(places))
                    positions += places
            ptr.append(len(docs))
        u32 = np.uint32
        return cls(
            np.array(ptr, np.int64), np.array(docs, u32), np.array(counts, u32),
            np.array(positions, u32),
        )  # fmt: skip

    def find(
        self, phrase: Sequence[tuple[int, int]], codes: type[np.unsignedinteger] = np.uint8
    ) -> list[tuple[int, int]]:
        """``(passage, times)`` of a phrase of ``(term, offset)``."""
        table, coded = np.unique(self.counts, return_inverse=True)
        pbytes, pptr = encode(self.ptr, self.counts, self.positions)
        terms, offsets = np.array(phrase, np.int64).reshape(-1, 2).T
        docs, freqs = occurrences(
            self.ptr, self.docs, coded.astype(codes), table, pbytes, pptr, terms, offsets
        )
        assert (docs.dtype, freqs.dtype) == (np.uint32, np.uint32)
        return list(zip(docs.tolist(), freqs.tolist(), strict=True))


def looked_up(
    passages: Sequence[Passage], phrase: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """What ``Stored.find`` should give."""
    found: Counter[int] = Counter()
    for doc, passage in enumerate(passages):
        there = set(passage)
        starts = {position - phrase[0][1] for position, _ in passage}
        found[doc] = sum(all((s + o, t) in there for t, o in phrase) for s in starts)
    return [(doc, times) for doc, times in sorted(found.items()) if times]


TERM = st.integers(0, 3)
PASSAGE = st.lists(st.tuples(st.integers(0, 9), TERM), max_size=14).map(sorted)
FAR = st.lists(
    st.tuples(st.sampled_from([0, 1, 127, 128, 16383, 16384, 2**32 - 1]), TERM), max_size=9
)
PHRASE = st.lists(st.tuples(TERM, st.integers(0, 4)), min_size=1, max_size=4)


class TestOccurrences:
    @given(st.lists(PASSAGE, max_size=40), PHRASE, st.sampled_from([np.uint8, np.uint16]))
    @example([[(0, 0), (0, 0), (1, 1)]], [(0, 0), (1, 1)], np.uint8)  # twice at one position
    @example([[(0, 0), (1, 0), (2, 0)]], [(0, 0), (0, 1)], np.uint8)  # one term, overlapping
    def test_as_a_look_at_every_passage(
        self,
        passages: list[Passage],
        phrase: list[tuple[int, int]],
        codes: type[np.unsignedinteger],
    ) -> None:
        assert Stored.of(passages).find(phrase, codes) == looked_up(passages, phrase)

    def test_a_rare_term_among_many_passages(self) -> None:
        passages: list[Passage] = [[(i % 7, 0), (8 + i % 200, 1)] for i in range(3000)]
        for doc, place in ((5, 209), (1777, 300), (2999, 300)):
            passages[doc] = [*passages[doc], (place, 2), (place + 1, 1), (place + 3, 3)]
        stored = Stored.of(passages)
        assert stored.find([(2, 0), (1, 1), (3, 3)]) == [(5, 1), (1777, 1), (2999, 1)]
        assert stored.find([(1, 1), (2, 0)]) == [(5, 1), (1777, 1), (2999, 1)]
        assert stored.find([(2, 0), (1, 2)]) == []
        assert stored.find([(0, 0), (1, 8)]) == looked_up(passages, [(0, 0), (1, 8)])

    def test_a_term_that_no_passage_has(self) -> None:
        assert Stored.of([[(0, 0), (1, 1)]]).find([(0, 0), (3, 1)]) == []
        assert Stored.of([]).find([(0, 0)]) == []

    def test_no_terms(self) -> None:
        assert Stored.of([[(0, 0)]]).find([]) == []

    def test_positions_of_a_read_only_file(self, tmp_path: Path) -> None:
        stored = Stored.of([[(0, 0)], [(300, 0), (301, 1)]])
        pbytes, pptr = encode(stored.ptr, stored.counts, stored.positions)
        arrays = {
            "ptr": stored.ptr,
            "docs": stored.docs,
            "codes": np.zeros(len(stored.docs), np.uint8),
            "table": np.ones(1, np.uint32),
            "pbytes": pbytes,
            "pptr": pptr,
        }
        for name, array in arrays.items():
            np.save(tmp_path / name, array)
        mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in arrays}
        docs, freqs = occurrences(**mapped, term_numbers=np.array([0, 1]), offsets=np.array([0, 1]))
        assert (docs.tolist(), freqs.tolist()) == ([1], [1])


class TestCoding:
    @given(st.lists(FAR.map(sorted), max_size=12))
    def test_positions_come_back(self, passages: list[Passage]) -> None:
        stored = Stored.of(passages)
        pbytes, pptr = encode(stored.ptr, stored.counts, stored.positions)
        assert decode(stored.counts, pbytes).tolist() == stored.positions.tolist()
        for t in range(4):
            own = decode(
                stored.counts[stored.ptr[t] : stored.ptr[t + 1]], pbytes[pptr[t] : pptr[t + 1]]
            )
            assert own.tolist() == [p for x in passages for p, term in x if term == t]

    @pytest.mark.parametrize(
        ("positions", "expected"),
        [
            ([0], [0]),
            ([127], [0x7F]),
            ([128], [0x80, 0x01]),
            ([300, 301, 301, 429], [0xAC, 0x02, 1, 0, 0x80, 0x01]),
            ([2**32 - 1], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        ],
    )
    def test_by_value(self, positions: list[int], expected: list[int]) -> None:
        pbytes, pptr = encode(
            np.array([0, 1], np.int64),
            np.array([len(positions)], np.uint32),
            np.array(positions, np.uint32),
        )
        assert pbytes.tolist() == expected
        assert pptr.tolist() == [0, len(expected)]
