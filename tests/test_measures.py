"""Retrieval measures by value, and what counts as zero."""

from __future__ import annotations

import math

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.dataset import Dataset, Query
from eval.measures import per_query, recall_curve
from rag.errors import BadQuery

TWO = Dataset("two", (Query("a", "x", {"d1": 1, "d2": 2, "d9": 0}), Query("b", "y", {"d3": 1})))


def test_values_by_hand() -> None:
    found = per_query(TWO, {"a": [("d9", 9.0), ("d1", 1.0), ("d2", 0.5)]},
                      ["nDCG@3", "RR@10", "R@2", "AP", "Success@1"])  # fmt: skip
    ideal = 2 + 1 / math.log2(3)
    assert found["nDCG@3"]["a"] == pytest.approx((1 / math.log2(3) + 2 / 2) / ideal)
    assert found["RR@10"]["a"] == 0.5
    assert found["R@2"]["a"] == 0.5
    assert found["AP"]["a"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["Success@1"]["a"] == 0


def test_a_query_without_a_ranking_counts_as_zero() -> None:
    found = per_query(TWO, {"a": [("d2", 1.0)], "b": []}, ["nDCG@10", "Judged@10"])
    assert found["nDCG@10"]["b"] == 0
    assert found["Judged@10"]["b"] == 0
    assert per_query(TWO, {}, ["AP"]) == {"AP": {"a": 0.0, "b": 0.0}}


def test_queries_without_a_relevant_place_are_not_measured() -> None:
    data = Dataset("x", (Query("a", "x", {"d": 0}), Query("b", "y"), Query("c", "z", {"d": 1})))
    assert per_query(data, {}, ["AP"]) == {"AP": {"c": 0.0}}
    assert per_query(Dataset("x", (Query("b", "y"),)), {}, ["AP"]) == {}


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.sampled_from(["d1", "d2", "d3", "d4"]), unique=True),
    )
)
def test_equal_scores_keep_their_order(rankings: dict[str, list[str]]) -> None:
    queries = tuple(Query(i, "x", {"d1": 1, "d2": 2, "d3": 0}) for i in "abc")
    run = {q: [(d, 1.0) for d in docs] for q, docs in rankings.items()}
    found = per_query(Dataset("x", queries), run, ["nDCG@10", "AP"])
    scored = [
        ir_measures.ScoredDoc(q, d, 1 / (i + 1))
        for q, docs in rankings.items()
        for i, d in enumerate(docs)
    ]
    judged = [ir_measures.Qrel(q, d, g) for q in "abc" for d, g in queries[0].relevant.items()]
    names = [ir_measures.nDCG @ 10, ir_measures.AP]
    expected = {m: dict.fromkeys("abc", 0.0) for m in ("nDCG@10", "AP")}
    for m in ir_measures.iter_calc(names, judged, scored):
        expected[str(m.measure)][m.query_id] = m.value
    assert found == expected


def test_the_recall_curve_rises_to_the_whole() -> None:
    rankings = {"a": [("d1", 2.0), ("x", 1.5), ("y", 1.0), ("d2", 0.5)], "b": [("d3", 1.0)]}
    assert recall_curve(TWO, rankings)[:3] == ((1.0, 0.75), (3.0, 0.75), (5.0, 1.0))


@pytest.mark.parametrize(
    "name", ["nDGC@10", "", "R@", "P@0", "R@1001", "ERR@10", "alpha_nDCG@10", "__import__('os')"]
)
def test_an_unknown_measure_is_refused(name: str) -> None:
    with pytest.raises(BadQuery, match="there is no measure"):
        per_query(TWO, {}, [name])
