"""The GPU's side of dense search, run on a CPU: only what passes between the two is replaced.

A copy on the GPU is the CPU's own index, which refuses selectors as a GPU's does; NVIDIA's graph is
one of FAISS's own. What a real GPU computes is checked by ``eval/bench/gpu.py``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index import ann
from rag.index.ann import approximate, gpu, hnsw, ivf
from rag.index.ann.gpu_flat import GpuFlat
from rag.index.dense import Flat
from tests.test_ann import asked, clustered, share_found


class OnGpu:
    """An index that says what it was asked, knows no selectors and is used by one at a time."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._busy = False
        self.asked: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def search(self, queries: NDArray[np.float32], count: int, params: Any = None) -> Any:
        assert not self._busy, "two threads at once"
        assert getattr(params, "sel", None) is None
        self._busy = True
        self.asked.append(count)
        if isinstance(params, SimpleNamespace):  # CAGRA's
            params = faiss.SearchParametersHNSW(efSearch=params.itopk_size)
        found = self._index.search(queries, count, params=params)
        self._busy = False
        return found


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[OnGpu]:
    """A machine with a GPU and cuVS; what was moved there."""
    there: list[OnGpu] = []

    def to_gpu(index: Any) -> Any:
        if isinstance(index, faiss.IndexFlatL2):  # centres, which FAISS itself searches
            return index
        there.append(OnGpu(index))
        return there[-1]

    def cagra(vectors: NDArray[np.float16], edges: int) -> Any:
        graph = faiss.IndexHNSWFlat(vectors.shape[1], edges // 2, faiss.METRIC_L2)
        graph.add(vectors.astype(np.float32))
        there.append(OnGpu(graph))
        return there[-1]

    monkeypatch.setattr(gpu, "_there", lambda: True)
    for module in (gpu, ivf, ann.kinds, hnsw):
        for name, stub in (
            ("to_gpu", to_gpu),
            ("to_cpu", lambda index: index),
            ("cagra", cagra),
            ("has_cagra", lambda: True),
        ):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, stub)
    monkeypatch.setattr("rag.index.ann.gpu_flat.to_gpu", to_gpu)
    monkeypatch.setattr(faiss, "SearchParametersCagra", SimpleNamespace, raising=False)
    return there


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float16]:
    return clustered(12_000)


@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("share", [None, 0.5, 0.05, 0.0])
def test_flat_on_a_gpu_is_exact(
    moved: list[OnGpu], vectors: NDArray[np.float16], k: int, share: float | None
) -> None:
    index = ann.build("flat", vectors, "cuda")
    assert isinstance(index, GpuFlat)
    allowed = None if share is None else np.random.default_rng(3).random(len(vectors)) < share
    assert share_found(index, vectors, k, allowed) == 1
    assert bool(moved[0].asked) is (share != 0 and (share, k) != (0.05, 100))
    assert max(moved[0].asked, default=0) <= 2048  # FAISS's limit, so that 20 * 232 is not asked


def test_flat_on_a_gpu_gives_all_that_tie(moved: list[OnGpu]) -> None:
    rows = clustered(3000)
    rows[::10] = rows[0]
    index = ann.build("flat", rows, "auto")
    found, _ = index.search(rows[0].astype(np.float32), 2)
    assert sorted(found.tolist()) == list(range(0, 3000, 10))
    assert moved[0].asked == [36]


def test_flat_falls_back_where_the_gpu_cannot_find_enough(
    moved: list[OnGpu], vectors: NDArray[np.float16]
) -> None:
    index = ann.build("flat", vectors, "cuda")
    assert share_found(index, vectors, 2000) == 1
    assert not moved[0].asked
    query = asked(1)[0]
    truth = vectors.astype(np.float32) @ query
    worst = truth < np.quantile(truth, 0.3)
    rows, _ = index.search(query, 5, worst)
    np.testing.assert_allclose(truth[rows], np.sort(truth[worst])[::-1][:5], atol=1e-6)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_what_a_gpu_builds_is_searched_on_either(
    kind: ann.Kind, moved: list[OnGpu], vectors: NDArray[np.float16]
) -> None:
    built = ann.build(kind, vectors, "cuda")
    assert share_found(built, vectors, 10) >= 0.95
    assert len(moved) == 1
    assert moved[0].asked
    asked_before = len(moved[0].asked)
    on_cpu = ann.load(kind, built.dump(), vectors, "cpu")
    assert share_found(on_cpu, vectors, 10) >= 0.95
    assert len(moved[0].asked) == asked_before
    on_gpu = ann.load(kind, built.dump(), vectors, "auto")
    assert share_found(on_gpu, vectors, 10) >= 0.95
    assert len(moved) == 2
    assert moved[1].asked


def test_the_centres_that_are_kept_are_those_in_main_memory(
    moved: list[OnGpu], vectors: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAISS writes no index that lies on a GPU."""
    copied = []

    def to_cpu(index: Any) -> Any:
        copied.append(faiss.clone_index(index))
        return copied[-1]

    monkeypatch.setattr(ivf, "to_cpu", to_cpu)
    built = ann.build("ivf", vectors, "cuda")
    assert isinstance(built, ann.Approximate)
    assert int(built._index.quantizer.this) == int(copied[0].this)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_filters_take_more_from_the_gpu_and_then_sift(
    kind: ann.Kind,
    moved: list[OnGpu],
    vectors: NDArray[np.float16],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(approximate, "_FEW", 0)
    index = ann.build(kind, vectors, "cuda")
    plain = share_found(index, vectors, 3)
    most = max(moved[0].asked)
    half = np.random.default_rng(4).random(len(vectors)) < 0.5
    assert share_found(index, vectors, 3, half) >= plain - 0.03
    assert most * 1.8 < max(moved[0].asked) < most * 2.5


def test_threads_take_turns_at_a_gpu(moved: list[OnGpu], vectors: NDArray[np.float16]) -> None:
    index = ann.build("flat", vectors, "cuda")
    exact = Flat(vectors)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda query: index.search(query, 5)[0].tolist(), asked()))
    assert found == [exact.search(query, 5)[0].tolist() for query in asked()]
    assert len(moved[0].asked) == len(found)


@pytest.mark.parametrize("kind", ann.KINDS)
@pytest.mark.parametrize("count", [0, 1, 9])
def test_few_vectors_need_no_gpu(kind: ann.Kind, count: int, moved: list[OnGpu]) -> None:
    rows = clustered(count)
    index = ann.build(kind, rows, "cuda")
    assert share_found(index, rows, 3) == 1
    assert not any(each.asked for each in moved)
