from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from rag.search import fuse

LEXICAL = [("a", 10.0), ("b", 6.0), ("c", 2.0)]
DENSE = [("c", 0.9), ("d", 0.8), ("a", 0.7)]
EVEN = {"bm25": 0.5, "dense": 0.5}


def test_convex_adds_weighted_normalised_scores() -> None:
    fused = fuse.convex({"bm25": LEXICAL, "dense": DENSE}, {"bm25": 0.75, "dense": 0.25})
    assert fused == [
        ("a", pytest.approx(0.75)),
        ("b", pytest.approx(0.375)),
        ("c", pytest.approx(0.25)),
        ("d", pytest.approx(0.125)),
    ]


def test_convex_of_one_leg_keeps_its_order() -> None:
    assert [i for i, _ in fuse.convex({"bm25": LEXICAL, "dense": []}, EVEN)] == ["a", "b", "c"]


def test_convex_of_equal_scores_gives_each_the_full_weight() -> None:
    assert fuse.convex({"bm25": [("a", 3.0), ("b", 3.0)]}, EVEN) == [("a", 0.5), ("b", 0.5)]


def test_rrf_sums_reciprocal_ranks() -> None:
    fused = dict(fuse.rrf({"bm25": LEXICAL, "dense": DENSE}, EVEN))
    assert fused["a"] == pytest.approx(0.5 / 61 + 0.5 / 63)
    assert fused["c"] == pytest.approx(0.5 / 63 + 0.5 / 61)
    assert fused["d"] == pytest.approx(0.5 / 62)


def test_theoretical_scales_to_what_is_possible() -> None:
    legs = {"bm25": LEXICAL, "dense": DENSE}
    fused = dict(fuse.theoretical(legs, EVEN, bounds={"bm25": (0.0, 20.0), "dense": (0.5, 1.0)}))
    assert fused["a"] == pytest.approx(0.5 * 10 / 20 + 0.5 * 0.2 / 0.5)
    assert fused["b"] == pytest.approx(0.5 * 6 / 20)
    assert fused["d"] == pytest.approx(0.5 * 0.3 / 0.5)


def test_dbsf_scales_to_three_deviations_around_the_mean() -> None:
    scores = [4.0, 2.0, 0.0]
    deviation = math.sqrt(8 / 3)
    legs = {"bm25": list(zip("abc", scores, strict=True))}
    fused = dict(fuse.dbsf(legs, {"bm25": 1.0}))
    for id_, score in zip("abc", scores, strict=True):
        assert fused[id_] == pytest.approx((score - (2 - 3 * deviation)) / (6 * deviation))


def test_dbsf_cuts_what_is_farther_off() -> None:
    legs = {"bm25": [("far", 100.0), *((f"p{i:02}", 1.0) for i in range(20))]}
    fused = dict(fuse.dbsf(legs, {"bm25": 1.0}))
    assert fused["far"] == 1
    assert 0 < fused["p00"] < 0.5


def test_isr_sums_inverse_square_ranks_of_those_that_several_have() -> None:
    fused = dict(fuse.isr({"bm25": LEXICAL, "dense": DENSE}, EVEN))
    assert fused["a"] == pytest.approx(2 * 0.5 * (1 + 1 / 9))
    assert fused["b"] == pytest.approx(0.5 / 4)
    assert fused["d"] == pytest.approx(0.5 / 4)


@pytest.mark.parametrize("method", [fuse.convex, fuse.rrf, fuse.dbsf, fuse.isr])
def test_a_passage_that_a_leg_could_not_judge_is_not_held_back(method: Callable[..., Any]) -> None:
    legs = {"bm25": [("fresh", 9.0), ("a", 8.0), ("b", 1.0)], "dense": [("a", 0.9), ("b", 0.8)]}
    assert method(legs, EVEN)[0][0] == "a"
    assert method(legs, EVEN, {"dense": {"fresh": 1.0}})[0][0] == "fresh"


def test_ties_break_by_id() -> None:
    assert [i for i, _ in fuse.rrf({"bm25": [("z", 1.0)], "dense": [("a", 1.0)]}, EVEN)] == [
        "a",
        "z",
    ]


def test_a_share_of_the_weight_is_given_back() -> None:
    fused = dict(fuse.convex({"dense": [("a", 1.0), ("b", 0.0)]}, EVEN, {"bm25": {"a": 0.3}}))
    assert fused["a"] == pytest.approx(0.5 + 0.3 * 0.5)
