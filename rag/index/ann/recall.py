"""How much of the best an approximate search finds, measured on the vectors that it searches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rag.index.dense import Flat, Ranked

_QUESTIONS = 100

Search = Callable[[NDArray[np.float32], int], Ranked]


class Questions:
    """Rows at random, the same each time, each asked for its ``most`` nearest but itself."""

    def __init__(self, flat: Flat, most: int) -> None:
        count = min(_QUESTIONS, len(flat))
        self._rows = np.random.default_rng(0).choice(len(flat), count, replace=False)
        self._vectors = np.asarray(flat.vectors[self._rows], np.float32)
        self._best = [self._others(flat.search, i, most) for i in range(count)]

    def recall(self, search: Search, k: int) -> float:
        """The mean share of the best ``k`` that ``search`` finds, or of those that tie with them.

        1 where there is nothing to find.
        """
        shares = []
        for i, best in enumerate(self._best):
            if len(best):
                least = best[:k][-1]
                found = self._others(search, i, k)[:k]
                shares.append(np.count_nonzero(found >= least) / len(best[:k]))
        return float(np.mean(shares)) if shares else 1.0

    def _others(self, search: Search, i: int, k: int) -> NDArray[np.float32]:
        rows, scores = search(self._vectors[i], k + 1)
        others: NDArray[np.float32] = scores[rows != self._rows[i]]
        return others
