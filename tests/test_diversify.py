"""Maximal marginal relevance against its definition, written out; grouping by document."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.diversify import grouped, mmr, similarity
from rag.search.fuse import Scored


def by_definition(order: Scored, similar: np.ndarray, diversity: float) -> list[int]:
    """Which passage Carbonell and Goldstein's formula takes next, until none is left."""
    scores = [score for _, score in order]
    low, high = min(scores), max(scores)
    relevance = [(s - low) / (high - low) if high > low else 1.0 for s in scores]
    taken: list[int] = []
    while len(taken) < len(order):

        def value(i: int) -> float:
            near = max((float(similar[i, j]) for j in taken), default=0.0)
            return (1 - diversity) * relevance[i] - diversity * near

        left = [i for i in range(len(order)) if i not in taken]
        taken.append(max(left, key=lambda i: (value(i), -i)))
    return taken


@given(st.integers(1, 9), st.floats(0.05, 1), st.integers(0, 10_000))
def test_the_order_is_that_of_the_definition(n: int, diversity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = np.abs(rng.normal(size=(n, 4)))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = (vectors @ vectors.T).astype(np.float32)
    order = [(f"p{i}", float(s)) for i, s in enumerate(sorted(rng.normal(size=n), reverse=True))]
    found = mmr(order, similar, diversity)
    assert [id_ for id_, _ in found] == [f"p{i}" for i in by_definition(order, similar, diversity)]
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


def test_a_copy_goes_behind_what_says_something_else() -> None:
    order = [("a", 1.0), ("copy", 0.9), ("other", 0.2), ("last", 0.0)]
    similar = np.array(
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32
    )  # fmt: skip
    found = mmr(order, similar, 0.5)
    assert found == [
        ("a", pytest.approx(0.5)),
        ("other", pytest.approx(0.1)),
        ("last", pytest.approx(0.0)),
        ("copy", pytest.approx(-0.05)),
    ]


def test_only_so_many_are_taken_and_the_rest_stays_in_order_below() -> None:
    order = [("a", 1.0), ("copy", 0.9), ("other", 0.2), ("d", 0.1), ("e", 0.05)]
    similar = np.eye(4, dtype=np.float32)
    similar[0, 1] = similar[1, 0] = 1
    found = mmr(order, similar, 0.5, 2)
    assert [id_ for id_, _ in found] == ["a", "other", "copy", "d", "e"]
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


def test_without_diversity_the_order_is_the_one_given() -> None:
    order = [("a", 3.0), ("b", 2.0)]
    assert mmr(order, np.ones((2, 2), np.float32), 0) == order
    assert mmr([], np.empty((0, 0), np.float32), 0.5) == []


def test_equal_scores_keep_their_order() -> None:
    found = mmr([("b", 1.0), ("a", 1.0)], np.eye(2, dtype=np.float32), 0.5)
    assert [id_ for id_, _ in found] == ["b", "a"]


def test_similarity_is_cosine_or_jaccard_s_coefficient() -> None:
    vectors = {
        "a": np.array([1, 0], np.float32),
        "b": np.array([0.6, 0.8], np.float32),
        "c": np.array([-1, 0], np.float32),
    }
    terms = {"a": ["tea", "pot"], "d": ["tea", "cup", "tea"], "b": ["녹차"]}
    found = similarity(["a", "d", "b", "c"], vectors, terms)
    assert found == pytest.approx(
        np.array([[1, 1 / 3, 0.6, 0], [1 / 3, 1, 0, 0], [0.6, 0, 1, 0], [0, 0, 0, 1]])
    )
    assert found.dtype == np.float32


def test_similarity_is_a_share_of_the_way_from_the_usual_cosine() -> None:
    vectors = {"a": np.array([1, 0], np.float32), "b": np.array([0.6, 0.8], np.float32)}
    assert similarity("ab", vectors, {}, 0.2)[0] == pytest.approx([1, 0.5])
    assert similarity("ab", vectors, {}, 0.7)[0] == pytest.approx([1, 0])


def test_similarity_without_any_vector() -> None:
    found = similarity(["a", "b", "none"], {}, {"a": ["x", "y"], "b": ["y"]})
    assert found == pytest.approx(np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 0]]))


def test_each_document_has_its_best_passages_alone() -> None:
    order = [("a1", 5.0), ("b1", 4.0), ("a2", 3.0), ("a3", 2.0), ("gone", 1.0), ("b2", 0.5)]
    documents = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b"}
    assert grouped(order, documents, 1) == [("a1", 5.0), ("b1", 4.0), ("gone", 1.0)]
    assert [i for i, _ in grouped(order, documents, 2)] == ["a1", "b1", "a2", "gone", "b2"]
