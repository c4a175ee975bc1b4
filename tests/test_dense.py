"""Exact dense search against numpy."""

from __future__ import annotations

import builtins
from importlib.metadata import PackageNotFoundError
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
        self, n: int, dim: int, k: int, share: float | None, seed: int
    ) -> None:
        vectors = unit(n, dim, seed)
        query = unit(1, dim, seed + 1)[0]
        allowed = None if share is None else np.random.default_rng(seed).random(n) < share
        mask = np.ones(n, np.bool_) if allowed is None else allowed
        rows, scores = Flat(vectors).search(query, k, allowed)
        truth = vectors @ query
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
        self, masked: bool, dim: int, n: int
    ) -> None:
        vectors = unit(n, dim, 0)
        same = np.arange(0, n, 3)
        vectors[same] = vectors[0]
        allowed = np.arange(n) != 3 if masked else None
        rows, scores = Flat(vectors).search(vectors[0], 2, allowed)
        assert sorted(rows.tolist()) == [i for i in same.tolist() if not (masked and i == 3)]
        assert len(set(scores.tolist())) == 1

    def test_nothing_asked_or_nothing_there(self) -> None:
        query = unit(1, 4, 0)[0]
        for flat, k in ((Flat(unit(3, 4, 1)), 0), (Flat(np.empty((0, 4), np.float32)), 5)):
            rows, scores = flat.search(query, k)
            assert (rows.tolist(), scores.tolist()) == ([], [])
            assert (rows.dtype, scores.dtype) == (np.int64, np.float32)

    def test_length_is_the_number_of_vectors(self) -> None:
        assert len(Flat(unit(7, 4, 0))) == 7


class TestLoadFaiss:
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
