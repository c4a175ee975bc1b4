"""The features of passages and the order that weights make of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.search import rerank
from rag.search.rerank import FEATURES, features, linear, weights
from rag.workspace import Workspace
from tests.support.corpus import chunks, document

AT = {name: i for i, name in enumerate(FEATURES)}


def one(text: str, terms: list[str], **fields: str) -> dict[str, float]:
    chunk = chunks(document("a", text, **fields))[0]
    row = features(terms, dict.fromkeys(terms, 1.0), [chunk], {})[0]
    return dict(zip(FEATURES, row.tolist(), strict=True))


def test_coverage_is_the_share_of_the_terms_by_rarity() -> None:
    chunk = chunks(document("a", "red tea"))[0]
    (row,) = features(["red", "tea", "cup"], {"red": 1.0, "tea": 2.0, "cup": 5.0}, [chunk], {})
    assert row[AT["coverage"]] == pytest.approx(3 / 8)


def test_titles_count_by_themselves() -> None:
    assert one("boil water", ["tea", "water"], title="Tea")["title"] == 0.5
    assert one("tea water", ["tea", "water"])["title"] == 0


def test_pairs_are_neighbours_in_the_question_s_order() -> None:
    assert one("red green tea", ["red", "tea"])["pairs"] == 1  # one word between them
    assert one("red hot green tea", ["red", "tea"])["pairs"] == 0
    assert one("tea red", ["red", "tea"])["pairs"] == 0
    assert one("red tea", ["red", "tea", "cup"])["pairs"] == 0.5


def test_pairs_of_korean() -> None:
    assert one("녹차를 우린다", ["녹차", "차를"])["pairs"] == 1


def test_the_window_is_the_shortest_run_with_all_terms_found() -> None:
    assert one("red one two tea red tea", ["red", "tea"])["window"] == 1
    assert one("red one two tea", ["red", "tea"])["window"] == 0.5
    assert one("nothing here", ["red", "tea"])["window"] == 0
    assert one("one red", ["red", "tea"])["window"] == 1


def test_scores_so_far_are_scaled_to_their_lists() -> None:
    found = [chunks(document(n, "tea"))[0] for n in "abc"]
    ids = [c.id for c in found]
    stages = {"bm25": [(ids[0], 9.0), (ids[1], 5.0), ("x", 1.0)], "dense": [(ids[2], 0.5)]}
    rows = features(["tea"], {"tea": 1.0}, found, stages)
    assert rows[:, AT["bm25"]].tolist() == [1, 0.5, 0]
    assert rows[:, AT["dense"]].tolist() == [0, 0, 1]
    assert rows[:, AT["fused"]].tolist() == [0, 0, 0]


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=8),
    st.integers(0, 4),
    st.lists(st.floats(-3, 3), min_size=7, max_size=7),
)
def test_the_first_are_sorted_and_the_rest_stays_below(
    scores: list[float], count: int, weight: list[float]
) -> None:
    scores = sorted(scores, reverse=True)
    order = [(f"p{i}", score) for i, score in enumerate(scores)]
    count = min(count, len(order))
    head = np.random.default_rng(0).random((count, len(FEATURES)))
    found = linear(order, head, dict(zip(FEATURES, weight, strict=True)))
    sums = {f"p{i}": float(head[i] @ np.array(weight)) for i in range(count)}
    expected = sorted(sums, key=lambda i: (-sums[i], i)) + [i for i, _ in order[count:]]
    assert [i for i, _ in found] == expected
    values = [score for _, score in found]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(values))


def test_weights_are_read_as_written() -> None:
    assert weights("bm25=0.5, title = -1") == {"bm25": 0.5, "title": -1.0}
    assert weights("  ") == rerank.DEFAULT


@pytest.mark.parametrize(
    "text", ["colour=1", "bm25", "bm25=much", "bm25=1,,", "bm25=nan", "bm25=inf", "bm25=1001"]
)
def test_wrong_weights_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no weight"):
        weights(text)


def test_a_search_is_reranked(saem: Workspace) -> None:
    plain = saem.searcher().rank("boiling water", 10)
    settings = saem.settings.replace(rerank="linear", rerank_weights="title=-1", rerank_depth=100)
    searcher = saem.searcher()
    searcher = type(searcher)(searcher.collection, searcher.encoder, settings)
    ranked = searcher.rank("tea", 10)
    assert ranked.stages["reranked"] == ranked.order
    titles = [searcher.collection.fetch([i])[i].title for i, _ in ranked.order]
    assert "Tea" in titles
    assert titles[-1] == "Tea"
    assert "reranked" not in plain.stages
    assert sorted(i for i, _ in ranked.stages["fused"]) == sorted(i for i, _ in ranked.order)


@pytest.mark.parametrize("mode", ["bm25", "tfidf", "dense", "hybrid"])
def test_the_first_ten_do_not_depend_on_how_many_are_asked_for(saem: Workspace, mode: str) -> None:
    searcher = saem.searcher()
    settings = saem.settings.replace(rerank="linear", rerank_weights="bm25=1, coverage=0.4")
    searcher = type(searcher)(searcher.collection, searcher.encoder, settings)
    few = searcher.rank("green tea and black tea", 2, mode)  # type: ignore[arg-type]
    many = searcher.rank("green tea and black tea", 100, mode)  # type: ignore[arg-type]
    assert few.order == many.order
    assert (few.top_k, many.top_k) == (2, 100)
