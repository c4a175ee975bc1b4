"""Exhaustive search on a GPU, over float16."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.ann.gpu import Searcher, to_gpu
from rag.index.dense import Flat, Mask, Ranked, Stored


class GpuFlat:
    """Every vector is compared, on the GPU; the best are put in order by exact cosines."""

    def __init__(self, vectors: Stored) -> None:
        self._flat = Flat(vectors)
        self._gpu = Searcher(to_gpu(self._flat.index), lambda effort, count: None)

    def __len__(self) -> int:
        return len(self._flat)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Mask | None = None) -> Ranked:
        """As ``Flat.search``."""
        query = np.ascontiguousarray(vector, np.float32)
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        wanted = 2 * k + 32  # a GPU's sums differ a little, and ties are to be seen
        if k > 0 and wanted < count:
            rows = self._gpu.rows(query, wanted, 0, allowed, len(self) / count)
            found = self._flat.among(np.sort(rows), query, k)
            if k <= len(found[0]) < len(rows):
                return found
        return self._flat.search(vector, k, allowed)

    def dump(self) -> dict[str, NDArray[Any]]:
        return {}
