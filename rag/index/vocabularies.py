"""What only all terms of all segments together tell: in how many passages each is, and the lengths
of passages' TF-IDF vectors. Compiled; words meet by 64-bit hashes. Knows no questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit
from rag.index.postings import Mask, Postings


def dfs(parts: Sequence[tuple[Postings, Mask]]) -> list[NDArray[np.int64]]:
    """In how many living passages of all parts each term is, by part."""
    if not parts:
        return []
    word, total = _totals(parts)
    return np.split(total[word], np.cumsum([len(p.vocabulary) for p, _ in parts])[:-1])


def distinct(parts: Sequence[tuple[Postings, Mask]]) -> NDArray[np.int64]:
    """In how many living passages each term is that any has, each term once."""
    if not parts:
        return np.empty(0, np.int64)
    _, total = _totals(parts)
    return total[total > 0]


def _totals(
    parts: Sequence[tuple[Postings, Mask]],
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Which of the distinct terms each part's are, one part after the other; and those' counts."""
    hashes = np.concatenate([_hashes(p.vocabulary.block, p.vocabulary.ends) for p, _ in parts])
    counts = np.concatenate([_living(p.ptr, p.docs, alive) for p, alive in parts])
    _, word = np.unique(hashes, return_inverse=True)
    return word, np.bincount(word, counts).astype(np.int64)


@njit(nogil=True, cache=True)
def norms(ptr: Any, docs: Any, codes: Any, table: Any, idfs: Any, passages: Any) -> Any:
    """Length of each passage's vector of ``table[code] * idf``; at least a tiny positive number."""
    squares = np.zeros(passages, np.float64)
    for t in range(len(ptr) - 1):
        for p in range(ptr[t], ptr[t + 1]):
            value = np.float64(table[codes[p]]) * idfs[t]
            squares[docs[p]] += value * value
    return np.sqrt(np.maximum(squares, 1e-18)).astype(np.float32)


@njit(nogil=True, cache=True)
def _living(ptr: Any, docs: Any, alive: Any) -> Any:
    counts = np.zeros(len(ptr) - 1, np.int64)
    for t in range(len(counts)):
        for p in range(ptr[t], ptr[t + 1]):
            counts[t] += alive[docs[p]]
    return counts


@njit(nogil=True, cache=True)
def _hashes(block: Any, ends: Any) -> Any:
    """FNV-1a of each term, mixed once more."""
    found = np.empty(len(ends), np.uint64)
    start = np.int64(0)
    for t in range(len(ends)):
        stop = np.int64(ends[t])
        value = np.uint64(0xCBF29CE484222325)
        for i in range(start, stop):
            value = (value ^ np.uint64(block[i])) * np.uint64(0x100000001B3)
        found[t] = (value ^ (value >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
        start = stop
    return found
