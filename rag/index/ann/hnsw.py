"""A graph over vectors of 8 bits a dimension, walked towards the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from rag.index.ann.approximate import BLOCK, DEPTHS, Approximate
from rag.index.ann.gpu import Searcher, cagra, has_cagra, to_cpu, usable
from rag.index.dense import Stored, load_faiss
from rag.types import Device

_EDGES, _BUILD_LIST = 16, 80
"""As eval/bench/engines.py sets other libraries' graphs, but for a shorter list while building."""
_TRAINED = 65_536
_PER_EFFORT = 200
"""Vectors that exact search compares in half the time that one more candidate takes."""
_ITOPK = 512
"""The longest list of candidates that CAGRA takes."""


class Hnsw(Approximate):
    """FAISS ``IndexHNSWSQ``; a GPU with cuVS builds the graph, and searches its own, as CAGRA."""

    EFFORTS: ClassVar[Sequence[int]] = (32, 64, 128, 256, 512, 1024)
    """Length of the list of candidates."""

    @classmethod
    def build(cls, vectors: Stored, device: Device) -> Self:
        faiss: Any = load_faiss()
        eight = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexHNSWSQ(vectors.shape[1], eight, _EDGES, faiss.METRIC_L2)
        index.hnsw.efConstruction = _BUILD_LIST
        rows = np.linspace(0, len(vectors) - 1, min(len(vectors), _TRAINED)).astype(np.int64)
        nothing = np.zeros((1, vectors.shape[1]), np.float32)
        index.train(np.asarray(vectors[rows], np.float32) if len(rows) else nothing)
        graph = _graph(vectors) if usable(device) and has_cagra() and len(vectors) else None
        into = index if graph is None else faiss.downcast_index(index.storage)
        for start in range(0, len(vectors), BLOCK):
            into.add(np.asarray(vectors[start : start + BLOCK], np.float32))
        if graph is not None:
            index.hnsw, index.ntotal = to_cpu(graph).hnsw, len(vectors)
        made = cls(vectors, index, np.zeros(len(DEPTHS), np.int32))
        made._tune(len(vectors) // _PER_EFFORT)
        if graph is not None:
            made._search_on(graph)
        return made

    def _wanted(self, k: int, effort: int) -> int:
        return 2 * k + 10

    def _as_fast(self, effort: int) -> float:
        """A candidate takes 2.8 us, a row 0.2."""
        return 14.0 * effort

    def _options(self, effort: int, reach: int, selector: Any) -> Any:  # noqa: ANN401
        return self._faiss.SearchParametersHNSW(efSearch=max(effort, reach), sel=selector)

    def _move(self) -> None:
        """Build NVIDIA's graph anew, which takes seconds: what is kept is not all of it."""
        if has_cagra() and len(self):
            self._search_on(_graph(self._flat.vectors))

    def _search_on(self, graph: Any) -> None:  # noqa: ANN401
        faiss = self._faiss

        def options(effort: int, count: int) -> Any:  # noqa: ANN401
            return faiss.SearchParametersCagra(itopk_size=min(max(effort, count), _ITOPK))

        self._gpu = Searcher(graph, options, most=_ITOPK)


def _graph(vectors: Stored) -> Any:  # noqa: ANN401
    return cagra(vectors, 2 * _EDGES)
