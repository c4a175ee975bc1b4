"""Approximate dense search against numpy: what is found, with which score, under which filter."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index import ann
from rag.index.ann import approximate, gpu
from rag.index.ann.recall import Questions
from rag.index.dense import Flat

APPROXIMATE: list[ann.Kind] = ["hnsw", "ivf"]
DIM = 32


def clustered(count: int, seed: int = 0, centres: int = 200) -> NDArray[np.float16]:
    """Unit vectors around ``centres`` that every seed shares."""
    middle = np.random.default_rng(99).normal(size=(centres, DIM))
    rng = np.random.default_rng(seed)
    rows = middle[rng.integers(0, centres, count)] + 0.4 * rng.normal(size=(count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def asked(count: int = 40) -> NDArray[np.float32]:
    return clustered(count, seed=1).astype(np.float32)


def share_found(
    index: ann.Index,
    vectors: NDArray[np.float16],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    """Of the best ``k`` by numpy; that scores are numpy's and rows are allowed, it checks."""
    mask = np.ones(len(vectors), np.bool_) if allowed is None else allowed
    shares = []
    for query in asked():
        truth = vectors.astype(np.float32) @ query
        best = np.argsort(-np.where(mask, truth, -np.inf))[: min(k, int(mask.sum()))]
        rows, scores = index.search(query, k, allowed)
        assert mask[rows].all()
        assert len(set(rows.tolist())) == len(rows) >= len(best)
        assert (np.diff(scores) <= 0).all()
        np.testing.assert_allclose(scores, truth[rows], atol=1e-5)
        shares.append(len(np.intersect1d(rows, best)) / len(best) if len(best) else 1.0)
    return float(np.mean(shares))


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float16]:
    return clustered(20_000)


@pytest.fixture(scope="module", params=APPROXIMATE)
def index(request: pytest.FixtureRequest, vectors: NDArray[np.float16]) -> Any:
    return ann.build(request.param, vectors, "cpu")


@pytest.fixture
def thorough(monkeypatch: pytest.MonkeyPatch) -> None:
    """No filter is so narrow that search becomes exact for it."""
    monkeypatch.setattr(approximate, "_FEW", 0)


class TestRecall:
    def test_most_of_the_best_are_found_and_not_by_looking_at_all(
        self, index: ann.Approximate, vectors: NDArray[np.float16]
    ) -> None:
        assert 0 < index.efforts[0] <= max(index.EFFORTS)
        assert share_found(index, vectors, 10) >= 0.95
        assert index.recall() >= 0.96
        assert share_found(index, vectors, 100) >= 0.95

    @pytest.mark.usefixtures("thorough")
    @pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.02])
    def test_filters_cost_little_of_it(
        self, index: ann.Approximate, vectors: NDArray[np.float16], share: float
    ) -> None:
        allowed = np.random.default_rng(5).random(len(vectors)) < share
        assert share_found(index, vectors, 10, allowed) >= 0.93

    def test_a_filter_far_from_the_question_still_fills_the_list(
        self, index: ann.Approximate, vectors: NDArray[np.float16]
    ) -> None:
        query = asked(1)[0]
        truth = vectors.astype(np.float32) @ query
        allowed = truth < np.quantile(truth, 0.5)
        rows, _ = index.search(query, 10, allowed)
        assert len(rows) >= 10
        assert allowed[rows].all()

    @pytest.mark.parametrize("k", [1, 10])
    @pytest.mark.parametrize("count", [0, 1, 5, 300])
    def test_few_allowed_are_searched_exactly(
        self, index: ann.Approximate, vectors: NDArray[np.float16], count: int, k: int
    ) -> None:
        allowed = np.zeros(len(vectors), np.bool_)
        allowed[np.random.default_rng(6).choice(len(vectors), count, replace=False)] = True
        assert share_found(index, vectors, k, allowed) == 1

    def test_more_than_there_are_is_all(self, index: ann.Approximate) -> None:
        rows, _ = index.search(asked(1)[0], len(index) + 5)
        assert sorted(rows.tolist()) == list(range(len(index)))

    def test_nothing_asked_is_nothing(self, index: ann.Approximate) -> None:
        rows, scores = index.search(asked(1)[0], 0)
        assert (rows.tolist(), scores.tolist()) == ([], [])

    @pytest.mark.parametrize("kind", APPROXIMATE)
    def test_where_no_effort_finds_enough_search_is_exact(
        self, kind: ann.Kind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(approximate, "TARGET", 1.1)
        rows = clustered(3000)
        made = ann.build(kind, rows, "cpu")
        assert isinstance(made, ann.Approximate)
        assert not made.efforts.any()
        assert share_found(made, rows, 10) == 1

    @pytest.mark.parametrize("kind", APPROXIMATE)
    def test_equal_vectors_all_come_when_they_tie_with_the_last(self, kind: ann.Kind) -> None:
        rows = clustered(9000)
        rows[::1000] = rows[0]
        made = ann.build(kind, rows, "cpu")
        found, scores = made.search(rows[0].astype(np.float32), 2)
        assert sorted(found.tolist()) == list(range(0, 9000, 1000))
        assert len(set(scores.tolist())) == 1

    def test_threads_share_one(self, index: ann.Approximate) -> None:
        queries = asked()
        alone = [index.search(query, 5)[0].tolist() for query in queries]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda query: index.search(query, 5)[0].tolist(), queries))
        assert together == alone

    def test_recall_counts_what_is_missing(self) -> None:
        """A search that never finds even rows, asked about vectors that lie on a line."""
        angles = np.linspace(0, 1, 200)
        flat = Flat(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
        questions = Questions(flat, 8)
        assert questions.recall(flat.search, 8) == 1
        odd = np.arange(200) % 2 == 1
        assert questions.recall(lambda v, k: flat.search(v, k, odd), 8) < 0.6


class TestSizes:
    @pytest.mark.parametrize("kind", ann.KINDS)
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 40, 300])
    def test_few_vectors_are_searched_exactly(self, kind: ann.Kind, count: int) -> None:
        rows = clustered(count)
        made = ann.build(kind, rows, "cpu")
        again = ann.load(kind, made.dump(), rows, "cpu")
        assert len(made) == len(again) == count
        for each in (made, again):
            assert share_found(each, rows, 10) == 1

    def test_the_kind_follows_the_size_unless_one_is_named(self) -> None:
        assert get_args(ann.Kind) == ann.KINDS
        assert ann.choose(200_000, 384) == "flat"
        assert ann.choose(200_001, 384) == "ivf"
        assert ann.choose(100_000, 1024) == "ivf"
        assert ann.choose(10, 4, "hnsw") == "hnsw"
        assert ann.choose(10**9, 384, "flat") == "flat"


class TestFiles:
    @pytest.mark.parametrize("kind", ann.KINDS)
    def test_what_is_read_back_answers_alike(
        self, kind: ann.Kind, vectors: NDArray[np.float16], tmp_path: Path
    ) -> None:
        made = ann.build(kind, vectors, "cpu")
        arrays = {}
        for name, array in made.dump().items():
            np.save(file := tmp_path / f"{name}.npy", array)
            arrays[name] = np.load(file, mmap_mode="r")
        again = ann.load(kind, arrays, vectors, "cpu")
        for query in asked():
            for mine, theirs in zip(made.search(query, 7), again.search(query, 7), strict=True):
                np.testing.assert_array_equal(mine, theirs)

    def test_it_holds_no_copy_of_the_vectors(
        self, index: ann.Approximate, vectors: NDArray[np.float16]
    ) -> None:
        assert np.shares_memory(index._flat.vectors, vectors)
        per_vector = index.dump()["index"].nbytes / len(vectors)
        links = 2 * 16 * 4 + 40
        assert per_vector < DIM + links  # an octet a dimension at most

    def test_cut_short_it_is_refused(
        self, index: ann.Approximate, vectors: NDArray[np.float16]
    ) -> None:
        arrays = index.dump()
        for kept in (0, 3, 40, 1000, len(arrays["index"]) // 2, len(arrays["index"]) - 1):
            with pytest.raises(ValueError, match="FAISS cannot read it"):
                type(index).load(arrays | {"index": arrays["index"][:kept]}, vectors, "cpu")

    def test_that_of_other_vectors_is_refused(self, index: ann.Approximate) -> None:
        with pytest.raises(ValueError, match=r"of 20000 vectors of 32 dim.*not of 5 of 32"):
            type(index).load(index.dump(), clustered(5), "cpu")

    def test_efforts_cut_short_are_refused(
        self, index: ann.Approximate, vectors: NDArray[np.float16]
    ) -> None:
        arrays = index.dump()
        with pytest.raises(ValueError, match="has 2 efforts, not 6"):
            type(index).load(arrays | {"efforts": arrays["efforts"][:2]}, vectors, "cpu")


class TestDevices:
    def test_a_gpu_that_is_not_there_is_said_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        gpu._warn_once.cache_clear()
        monkeypatch.setattr(gpu, "_there", lambda: False)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert not gpu.usable("cuda")
        assert [r.message for r in caplog.records] == [
            "device = cuda, but FAISS finds no GPU: search runs on the CPU. "
            "Check nvidia-smi, and that saem[gpu] is installed"
        ]

    @pytest.mark.parametrize("there", [True, False])
    def test_auto_takes_what_is_there_and_cpu_never_a_gpu(
        self, there: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(gpu, "_there", lambda: there)
        assert gpu.usable("auto") is there
        assert not gpu.usable("cpu")
        assert not caplog.records

    def test_without_one_asking_for_it_gives_the_same_index(
        self, vectors: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gpu, "_there", lambda: False)
        assert isinstance(ann.build("flat", vectors, "cuda"), Flat)
