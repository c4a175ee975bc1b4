"""Compiled heaps of the best: scores alone, and passages with ties broken by their ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from rag.compiled import njit
from rag.index.lookup import MOST, view


@njit(nogil=True, cache=True)
def sift(values: Any, value: Any, size: Any) -> None:
    """Replace the least of the heap ``values[:size]`` by ``value``."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[i] = values[child]
        i = child
    values[i] = value


@njit(nogil=True, cache=True)
def _before(ids: Any, a: Any, b: Any) -> Any:
    """Whether passage ``a`` (segment and number) has a smaller id than ``b``."""
    of_a = view(ids[a >> 16], 16 * MOST, np.uint8)
    of_b = view(ids[b >> 16], 16 * MOST, np.uint8)
    i, j = 16 * (a & 0xFFFF), 16 * (b & 0xFFFF)
    for byte in range(16):
        if of_a[i + byte] != of_b[j + byte]:
            return of_a[i + byte] < of_b[j + byte]
    return False


@njit(nogil=True, cache=True)
def _worse(ids: Any, score: Any, doc: Any, than_score: Any, than_doc: Any) -> Any:
    return score < than_score or (score == than_score and _before(ids, than_doc, doc))


@njit(nogil=True, cache=True)
def offer(ids: Any, scores: Any, docs: Any, held: Any, score: Any, doc: Any) -> Any:
    """Put a passage into the heap, the worst on top, if it belongs there; how many it holds."""
    k = len(scores)
    if held < k:
        i = held
        while i > 0:
            parent = (i - 1) >> 1
            if not _worse(ids, score, doc, scores[parent], docs[parent]):
                break
            scores[i], docs[i] = scores[parent], docs[parent]
            i = parent
        scores[i], docs[i] = score, doc
        return held + 1
    if _worse(ids, scores[0], docs[0], score, doc):
        _sink(ids, scores, docs, k, score, doc)
    return held


@njit(nogil=True, cache=True)
def _sink(ids: Any, scores: Any, docs: Any, size: Any, score: Any, doc: Any) -> None:
    """Put a passage in place of the worst of the first ``size``."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and _worse(
            ids, scores[child + 1], docs[child + 1], scores[child], docs[child]
        ):
            child += 1
        if not _worse(ids, scores[child], docs[child], score, doc):
            break
        scores[i], docs[i] = scores[child], docs[child]
        i = child
    scores[i], docs[i] = score, doc


@njit(nogil=True, cache=True)
def sort(ids: Any, scores: Any, docs: Any, held: Any) -> None:
    """Put the heap's passages in order, the best first."""
    for last in range(held - 1, 0, -1):
        score, doc = scores[last], docs[last]
        scores[last], docs[last] = scores[0], docs[0]
        _sink(ids, scores, docs, last, score, doc)
