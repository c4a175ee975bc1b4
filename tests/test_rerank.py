"""The order that weights make of features."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.search import rerank
from rag.search.rerank import linear, weights
from rag.search.searcher import Searcher
from rag.search.weighing import FEATURES
from rag.workspace import Workspace

COUNT = len(FEATURES)


def searcher(saem: Workspace, **changes: object) -> Searcher:
    plain = saem.searcher()
    return Searcher(plain.collection, plain.encoder, saem.settings.replace(**changes))


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=8),
    st.integers(0, 4),
    st.lists(st.floats(-3, 3), min_size=COUNT, max_size=COUNT),
)
def test_the_first_are_sorted_and_the_rest_stays_below(
    scores: list[float], count: int, weight: list[float]
) -> None:
    scores = sorted(scores, reverse=True)
    order = [(f"p{i}", score) for i, score in enumerate(scores)]
    count = min(count, len(order))
    rows = np.random.default_rng(0).random((count, COUNT))
    known = {f"p{i}": row for i, row in enumerate(rows)}
    found = linear(order, known, dict(zip(FEATURES, weight, strict=True)))
    sums = {id_: float(row @ np.array(weight)) for id_, row in known.items()}
    expected = sorted(sums, key=lambda i: (-sums[i], i)) + [i for i, _ in order[count:]]
    assert [i for i, _ in found] == expected
    values = [score for _, score in found]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(values))


def test_weights_are_read_as_written() -> None:
    assert weights("bm25=0.5, title = -1") == {"bm25": 0.5, "title": -1.0}
    assert weights("  ") == rerank.DEFAULT
    assert set(rerank.DEFAULT) <= set(FEATURES)


@pytest.mark.parametrize(
    "text", ["colour=1", "bm25", "bm25=much", "bm25=1,,", "bm25=nan", "bm25=inf", "bm25=1001"]
)
def test_wrong_weights_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no weight"):
        weights(text)


def test_a_fusion_is_reranked(saem: Workspace) -> None:
    asked = {"rerank": "linear", "rerank_weights": "title=-1", "rerank_depth": 100}
    ranked = searcher(saem, fusion="convex", **asked).rank("tea", 10)
    assert ranked.stages["reranked"] == ranked.order
    found = saem.collection().fetch([i for i, _ in ranked.order])
    titles = [found[i].title for i, _ in ranked.order]
    assert "Tea" in titles
    assert titles[-1] == "Tea"
    assert sorted(i for i, _ in ranked.stages["fused"]) == sorted(i for i, _ in ranked.order)


def test_a_weighted_sum_fuses_and_is_not_made_twice(saem: Workspace) -> None:
    once = searcher(saem, fusion="linear", rerank_weights="title=1").rank("tea", 10)
    twice = searcher(saem, fusion="linear", rerank="linear", rerank_weights="title=1")
    assert once.stages["fused"] == once.order == twice.rank("tea", 10).order
    assert "reranked" not in twice.rank("tea", 10).stages
    assert {i for i, _ in once.order} == once.features.keys()
    title = FEATURES.index("title")
    assert dict(once.order) == {i: row[title] for i, row in once.features.items()}


@pytest.mark.parametrize("mode", ["bm25", "tfidf", "dense", "hybrid"])
def test_the_first_ten_do_not_depend_on_how_many_are_asked_for(saem: Workspace, mode: str) -> None:
    settled = searcher(saem, rerank="linear", rerank_weights="bm25=1, coverage=0.4")
    few = settled.rank("green tea and black tea", 2, mode)  # type: ignore[arg-type]
    many = settled.rank("green tea and black tea", 100, mode)  # type: ignore[arg-type]
    assert few.order == many.order
    assert (few.top_k, many.top_k) == (2, 100)
