"""Exact dense search by FAISS. Knows vectors and row numbers, not what they stand for."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError, DependencyMissing

if TYPE_CHECKING:
    from types import ModuleType


_PROVIDERS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "faiss-gpu-cu12", "faiss-gpu-cu13")


def load_faiss() -> ModuleType:
    """The ``faiss`` module.

    Raises
    ------
    DependencyMissing
        It is not installed.
    ConfigError
        Both faiss-cpu and faiss-gpu are: they overwrite each other.
    """
    providers = [name for name in _PROVIDERS if _installed(name)]
    if len(providers) > 1:
        both = " and ".join(providers)
        raise ConfigError(
            f"{both} are installed, and one overwrites the other's module faiss",
            remedy=f"pip uninstall {' '.join(providers)}, then install saem[local] or saem[gpu]",
        )
    try:
        import faiss
    except ImportError as e:
        raise DependencyMissing("faiss", "local") from e
    module: ModuleType = faiss
    return module


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


class Flat:
    """Exact inner-product search over ``(n, dim)`` float32 vectors of unit norm."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._faiss: Any = load_faiss()
        self._index = self._faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, vector: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Row numbers and cosines of the best ``k`` rows and of all that tie with the last of them.

        Best first; fewer when there are fewer.
        ``allowed`` is an ``(n,)`` mask of the rows that may be returned, applied inside the search.
        """
        if not len(self) or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        options = None
        if allowed is not None:
            selector = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            options = self._faiss.SearchParameters(sel=selector)
        query = np.ascontiguousarray(vector, np.float32)[None]
        limit = k
        while True:  # FAISS breaks ties as it likes, so ask until the last one is below the k-th
            limit = min(2 * limit, len(self)) if limit > k else min(k + 1, len(self))
            scores, rows = self._index.search(query, limit, params=options)
            if limit == len(self) or rows[0][-1] < 0 or scores[0][-1] < scores[0][k - 1]:
                break
        found = rows[0] >= 0
        if found.sum() > k:
            found &= scores[0] >= scores[0][k - 1]
        return rows[0][found], scores[0][found]
