"""Sums of the vectors of each language, so that a mean after a small change costs little.

Knows neither queries nor documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rag.index.generations import Mask, Opened, Part, Rows, within

_BLOCK = 8192
Sum = tuple[NDArray[np.float64], int]
"""A sum ``(dim,)`` of vectors, and of how many."""


class Sums:
    """Remembers each segment's sum by language, from which the dead are taken off."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Opened, dict[str, tuple[Mask, NDArray[np.float64]]]]
        self._known = WeakKeyDictionary()

    def of(self, parts: Sequence[Part], language: str, rows: Rows) -> Sum:
        """The sum over the living passages of a language; ``rows`` are all of it, ascending."""
        found = [self._of(part, language, rows) for part in parts]
        total = np.sum([total for total, _ in found], axis=0)
        return total, sum(count for _, count in found)

    def _of(self, part: Part, language: str, rows: Rows) -> Sum:
        known = self._known.setdefault(part.opened, {})
        vectors = part.opened.vectors.vectors
        if language not in known:
            mask = within(part.opened.rows, rows)
            known[language] = mask, _sum(vectors, np.flatnonzero(mask))
        mask, total = known[language]
        dead = np.flatnonzero(mask & ~part.alive)
        return total - _sum(vectors, dead), int(mask.sum()) - len(dead)


def _sum(vectors: NDArray[np.float16], at: NDArray[np.int64]) -> NDArray[np.float64]:
    total = np.zeros(vectors.shape[1], np.float64)
    for start in range(0, len(at), _BLOCK):
        block = vectors[at[start : start + _BLOCK]].astype(np.float32)
        total += block.sum(axis=0, dtype=np.float64)
    return total
