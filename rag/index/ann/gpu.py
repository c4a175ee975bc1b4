"""What passes between a CPU's FAISS and a GPU's. Knows no kind of index.

Anything else of FAISS is used alike on both, so that tests on a CPU need to replace only this.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.dense import Mask, Stored, load_faiss
from rag.types import Device

_LOG = logging.getLogger(__name__)


def usable(device: Device) -> bool:
    """Whether ``device`` means a GPU that is there; a wish that cannot be met is logged."""
    if device == "cpu":
        return False
    there = _there()
    if device == "cuda" and not there:
        _warn_once()
    return there


@cache
def _warn_once() -> None:
    _LOG.warning(
        "device = cuda, but FAISS finds no GPU: search runs on the CPU. "
        "Check nvidia-smi, and that saem[gpu] is installed"
    )


def _there() -> bool:
    faiss: Any = load_faiss()
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


def to_gpu(index: Any) -> Any:  # noqa: ANN401
    """A copy of a CPU index on the first GPU; float16 stays float16 there."""
    return load_faiss().index_cpu_to_gpu(_resources(), 0, index)


def to_cpu(index: Any) -> Any:  # noqa: ANN401
    """A copy of a GPU index in main memory."""
    return load_faiss().index_gpu_to_cpu(index)


def has_cagra() -> bool:
    """Whether this FAISS has NVIDIA's graph: only where it is built with cuVS."""
    return hasattr(load_faiss(), "GpuIndexCagra")


def cagra(vectors: Stored, edges: int) -> Any:  # noqa: ANN401
    """NVIDIA's graph over ``vectors``, with so many edges a node, built and searched on the GPU."""
    faiss: Any = load_faiss()
    config = faiss.GpuIndexCagraConfig()
    config.graph_degree, config.intermediate_graph_degree = edges, 2 * edges
    index = faiss.GpuIndexCagra(_resources(), vectors.shape[1], faiss.METRIC_L2, config)
    index.train(np.ascontiguousarray(vectors, np.float32))
    return index


class Searcher:
    """Searches of one GPU index, one at a time, as FAISS's own are not safe in two threads.

    Parameters
    ----------
    options
        FAISS's search parameters of an effort and a number of results.
    most
        Results that it can give.
    """

    def __init__(self, index: Any, options: Callable[[int, int], Any], most: int = 2048) -> None:  # noqa: ANN401
        self._index = index
        self._options = options
        self._most = most

    def rows(
        self,
        query: NDArray[np.float32],
        wanted: int,
        effort: int,
        allowed: Mask | None,
        per_allowed: float,
    ) -> NDArray[np.int64]:
        """About ``wanted`` rows near ``query``; none where that takes more than it can give.

        A GPU's FAISS knows no selectors, so it is asked for so many more as a filter takes away.
        """
        count = min(int(wanted * per_allowed), self._index.ntotal)
        if count > self._most:
            return np.empty(0, np.int64)
        with _BUSY:
            options = self._options(effort, count)
            found = self._index.search(query[None], count, params=options)[1][0]
        rows: NDArray[np.int64] = found[found >= 0]
        return rows if allowed is None else rows[allowed[rows]]


_BUSY = threading.Lock()


@cache
def _resources() -> Any:  # noqa: ANN401
    return load_faiss().StandardGpuResources()
