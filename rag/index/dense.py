"""Exact dense search by FAISS. Knows vectors and row numbers, not what they stand for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError, DependencyMissing

if TYPE_CHECKING:
    from types import ModuleType

Stored = NDArray[np.float16 | np.float32]
"""Vectors as they are kept, ``(n, dim)``, of unit norm; often a memory-mapped file's."""
Ranked = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Row numbers and cosines, best first."""
Mask = NDArray[np.bool_]

_PROVIDERS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "faiss-gpu-cu12", "faiss-gpu-cu13")
_COPIED_SHARE = 0.15
"""Share of rows allowed up to which they are copied out and searched alone. Of 200,000 (384
dimensions, float16) with 10 % allowed that took 2.4 ms and a selector 3.4; with 20 % it took as
long as searching all."""
_BLOCK = 4096
"""Rows copied at a time, 3 MB of the above: a processor's cache holds them. A quarter and four
times as many were slower by 5 to 30 %."""
_SIFTED = 4096
"""The most results that are asked for to be sifted by a filter afterwards. It loses nothing, as it
goes on until enough are allowed, and FAISS scans one vector at a time under a selector, four
without: with half of 200,000 allowed 19 ms to 6. Where this many do not do, the selector does."""


@cache
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
    """Exact inner-product search over ``(n, dim)`` float16 or float32 vectors of unit norm.

    The array is searched where it lies, so a memory-mapped file takes no memory of its own. Of
    float16, numbers are widened and summed as float32. Safe to share between threads.
    """

    def __init__(self, vectors: Stored) -> None:
        self._faiss: Any = load_faiss()
        self.vectors: Stored = np.ascontiguousarray(vectors)
        self.index = self._over(self.vectors)

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Mask | None = None) -> Ranked:
        """Row numbers and cosines of the best ``k`` rows and of all that tie with the last of them.

        Best first; fewer when there are fewer.
        ``allowed`` is an ``(n,)`` mask of the rows that may be returned, applied inside the search.
        """
        if allowed is None or not len(self) or k <= 0:
            return self._best(self.index, vector, k)
        share = np.count_nonzero(allowed) / len(self)
        if share <= _COPIED_SHARE:
            return self.among(np.flatnonzero(allowed), vector, k)
        limit = int(1.2 * k / share) + 16
        while limit <= _SIFTED:
            rows, scores = self._best(self.index, vector, limit)
            found = allowed[rows]
            if found.sum() >= k or len(rows) == len(self):
                return cut(rows[found], scores[found], k)
            limit *= 2
        selector = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        options = self._faiss.SearchParameters(sel=selector)
        return self._best(self.index, vector, k, options)

    def among(self, rows: NDArray[np.int64], vector: NDArray[np.float32], k: int) -> Ranked:
        """As ``search``, of ``rows`` alone, which are copied out a block at a time."""
        found = []
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            at, scores = self._best(self._over(self.vectors.take(block, axis=0)), vector, k)
            found.append((block[at], scores))
        if len(found) == 1:
            return found[0]
        found.append((np.empty(0, np.int64), np.empty(0, np.float32)))
        best, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(-scores, kind="stable")
        return cut(best[order], scores[order], k)

    def dump(self) -> dict[str, NDArray[Any]]:
        """Nothing: the vectors are all there is."""
        return {}

    def _over(self, vectors: Stored) -> Any:  # noqa: ANN401
        """An index whose codes are ``vectors``' own memory; it keeps them alive."""
        faiss, dim = self._faiss, vectors.shape[1]
        if vectors.dtype == np.float16:
            half = faiss.ScalarQuantizer.QT_fp16
            index = faiss.IndexScalarQuantizer(dim, half, faiss.METRIC_INNER_PRODUCT)
            index.is_trained = True
        else:
            index = faiss.IndexFlatIP(dim)
        octets = faiss.MaybeOwnedVectorUInt8
        start = faiss.swig_ptr(vectors.view(np.uint8).reshape(-1))
        index.codes = octets.create_view(start, vectors.nbytes, octets().owner)
        index.ntotal = len(vectors)
        index.referenced_objects = [vectors]
        return index

    @staticmethod
    def _best(index: Any, vector: NDArray[np.float32], k: int, options: Any = None) -> Ranked:  # noqa: ANN401
        count = index.ntotal
        if not count or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = np.ascontiguousarray(vector, np.float32)[None]
        limit = k
        while True:  # FAISS breaks ties as it likes, so ask until the last one is below the k-th
            limit = min(2 * limit, count) if limit > k else min(k + 1, count)
            scores, rows = index.search(query, limit, params=options)
            if limit == count or rows[0][-1] < 0 or scores[0][-1] < scores[0][k - 1]:
                break
        found = rows[0] >= 0
        return cut(rows[0][found], scores[0][found], k)


def cut(rows: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> Ranked:
    """The first ``k`` of what is sorted and those that tie with the last of them."""
    if len(scores) <= k:
        return rows, scores
    end = int(np.count_nonzero(scores >= scores[k - 1]))
    return rows[:end], scores[:end]
