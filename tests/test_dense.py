"""Exact dense search against numpy."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.errors import ConfigError, DependencyMissing
from rag.index import dense
from rag.index.dense import Flat


def unit(n: int, dim: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
class TestFlat:
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(1, 90),
        st.sampled_from([1, 3, 16, 384]),
        st.integers(1, 120),
        st.sampled_from([None, 0.0, 0.1, 0.5, 1.0]),
        st.integers(0, 9999),
    )
    def test_is_numpys_brute_force(
        self, dtype: type, n: int, dim: int, k: int, share: float | None, seed: int
    ) -> None:
        vectors = unit(n, dim, seed).astype(dtype)
        query = unit(1, dim, seed + 1)[0]
        allowed = None if share is None else np.random.default_rng(seed).random(n) < share
        mask = np.ones(n, np.bool_) if allowed is None else allowed
        rows, scores = Flat(vectors).search(query, k, allowed)
        truth = vectors.astype(np.float32) @ query
        best = np.sort(truth[mask])[::-1]
        assert len(rows) == len(scores) == len(set(rows.tolist()))
        assert len(rows) >= min(k, mask.sum())
        assert mask[rows].all()
        np.testing.assert_allclose(scores, truth[rows], atol=1e-5)
        np.testing.assert_allclose(scores, best[: len(scores)], atol=1e-5)
        assert (np.diff(scores) <= 0).all()

    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("dim", [3, 16, 384])
    @pytest.mark.parametrize("n", [7, 64, 1001])
    def test_equal_vectors_all_come_when_they_tie_with_the_last(
        self, dtype: type, masked: bool, dim: int, n: int
    ) -> None:
        vectors = unit(n, dim, 0).astype(dtype)
        same = np.arange(0, n, 3)
        vectors[same] = vectors[0]
        allowed = np.arange(n) != 3 if masked else None
        rows, scores = Flat(vectors).search(vectors[0].astype(np.float32), 2, allowed)
        assert sorted(rows.tolist()) == [i for i in same.tolist() if not (masked and i == 3)]
        assert len(set(scores.tolist())) == 1

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.2, 0.9])
    @pytest.mark.parametrize("k", [1, 10, 700])
    def test_filters_lose_nothing_however_they_are_applied(
        self, dtype: type, share: float, k: int
    ) -> None:
        """Few allowed are copied out, many sifted; with 700 of a fifth a selector is used."""
        vectors = unit(6000, 16, 1).astype(dtype)
        vectors[::50] = vectors[0]
        allowed = np.random.default_rng(2).random(6000) < share
        truth = vectors.astype(np.float32) @ (query := unit(1, 16, 3)[0])
        best = np.sort(truth[allowed])[::-1][:k]
        rows, scores = Flat(vectors).search(query, k, allowed)
        assert allowed[rows].all()
        np.testing.assert_allclose(scores[:k], best, atol=1e-5)
        if len(best):
            np.testing.assert_allclose(scores[k:], best[-1], atol=1e-5)
            certain = np.flatnonzero(allowed & (truth > best[-1] + 1e-5))
            assert set(certain.tolist()) <= set(rows.tolist())

    def test_a_filter_against_the_question_finds_the_best_of_the_rest(self, dtype: type) -> None:
        """What is allowed lies behind all that is not, so that sifting runs out and gives up."""
        vectors = unit(20_000, 8, 4).astype(dtype)
        truth = vectors.astype(np.float32) @ (query := unit(1, 8, 5)[0])
        order = np.argsort(-truth, kind="stable")
        allowed = np.ones(20_000, np.bool_)
        allowed[order[:9000]] = False
        rows, _ = Flat(vectors).search(query, 5, allowed)
        np.testing.assert_allclose(truth[rows], truth[order[9000:9005]], atol=1e-6)

    def test_rows_copied_out_in_several_blocks_are_ranked_as_one(
        self, dtype: type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dense, "_BLOCK", 7)
        vectors = unit(100, 16, 6).astype(dtype)
        vectors[::10] = vectors[0]
        query = vectors[0].astype(np.float32)
        rows, scores = Flat(vectors).among(np.arange(0, 100, 2), query, 3)
        assert sorted(rows.tolist()) == list(range(0, 100, 10))
        np.testing.assert_allclose(scores, 1, atol=2e-3)

    def test_nothing_asked_or_nothing_there(self, dtype: type) -> None:
        query = unit(1, 4, 0)[0]
        nothing = Flat(np.empty((0, 4), dtype))
        for flat, k in ((Flat(unit(3, 4, 1).astype(dtype)), 0), (nothing, 5)):
            for allowed in (None, np.ones(len(flat), np.bool_), np.zeros(len(flat), np.bool_)):
                rows, scores = flat.search(query, k, allowed)
                assert (rows.tolist(), scores.tolist()) == ([], [])
                assert (rows.dtype, scores.dtype) == (np.int64, np.float32)

    def test_length_is_the_number_of_vectors(self, dtype: type) -> None:
        assert len(Flat(unit(7, 4, 0).astype(dtype))) == 7

    def test_a_file_is_searched_where_it_lies(self, dtype: type, tmp_path: Path) -> None:
        np.save(file := tmp_path / "v.npy", unit(50, 16, 7).astype(dtype))
        mapped = np.load(file, mmap_mode="r")
        flat = Flat(np.asarray(mapped))
        assert np.shares_memory(flat.vectors, mapped)
        assert not flat.index.codes.is_owned
        assert flat.index.codes.size() == mapped.nbytes
        query = unit(1, 16, 8)[0]
        rows, _ = flat.search(query, 1)
        assert rows.tolist() == [int(np.argmax(mapped.astype(np.float32) @ query))]

    def test_threads_share_one(self, dtype: type) -> None:
        vectors, queries = unit(2000, 32, 9).astype(dtype), unit(64, 32, 10)
        truth = np.argsort(-(queries @ vectors.astype(np.float32).T), axis=1)[:, :3]
        flat = Flat(vectors)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda query: flat.search(query, 3)[0], queries))
        np.testing.assert_array_equal(np.stack(found), truth)


class TestLoadFaiss:
    @pytest.fixture(autouse=True)
    def anew(self) -> Iterator[None]:
        dense.load_faiss.cache_clear()
        yield
        dense.load_faiss.cache_clear()

    def test_two_that_overwrite_each_other_are_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dense, "version", lambda name: "1.12")
        with pytest.raises(ConfigError, match="faiss-cpu and faiss-gpu") as e:
            dense.load_faiss()
        assert "overwrites the other's module" in str(e.value)

    def test_one_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def only_cpu(name: str) -> str:
            if name != "faiss-cpu":
                raise PackageNotFoundError(name)
            return "1.12"

        monkeypatch.setattr(dense, "version", only_cpu)
        assert dense.load_faiss().__name__ == "faiss"

    def test_none_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = builtins.__import__

        def without(name: str, *args: Any, **options: Any) -> Any:
            if name == "faiss":
                raise ImportError(name)
            return real(name, *args, **options)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(DependencyMissing, match=r"faiss is not installed.*saem\[local\]") as e:
            dense.load_faiss()
        assert e.value.extra == "local"
