"""Heaps hold the best, as a sort says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.index.heaps import offer, sift
from rag.index.sparse import _addresses
from tests.support.sparse import ids

SCORES = st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.5]), max_size=80)


@given(SCORES, st.integers(1, 90), st.integers(1, 80))
def test_the_best_passages_of_two_segments_ties_by_id(
    scores: list[float], k: int, cut: int
) -> None:
    of = [ids(80, 1), ids(80, 2)]
    best, docs, held = np.zeros(k, np.float32), np.zeros(k, np.int64), 0
    every = []
    for i, score in enumerate(scores):
        doc = i if i < cut else 1 << 16 | i
        every.append((-score, of[doc >> 16][i].tobytes(), doc))
        held = offer(_addresses(of), best, docs, held, np.float32(score), doc)
    assert held == min(k, len(scores))
    kept = zip(best[:held].tolist(), docs[:held].tolist(), strict=True)
    expected = [(-score, doc) for score, _, doc in sorted(every)[:k]]
    assert sorted(kept) == sorted(expected)
    if held == k:
        assert (best[0], docs[0]) == expected[-1]  # the worst is on top


@given(st.lists(st.floats(0, 100, width=32), max_size=60), st.integers(1, 20))
def test_the_least_of_the_best_scores_is_on_top(values: list[float], k: int) -> None:
    heap = np.zeros(k, np.float32)
    for value in values:
        if value > heap[0]:
            sift(heap, np.float32(value), k)
    assert sorted(heap.tolist(), reverse=True) == sorted([*values, *[0.0] * k], reverse=True)[:k]
    assert heap[0] == heap.min()
