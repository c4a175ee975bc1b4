"""Intervals and paired tests, against exact values and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap

from eval.result import Comparison, Interval
from eval.significance import compare, holm, interval


def test_an_interval_agrees_with_scipy_s() -> None:
    sample = np.random.default_rng(1).random(200) ** 2
    expected = bootstrap((sample,), np.mean, method="percentile", rng=0).confidence_interval
    found = interval(sample.tolist())
    assert found.mean == pytest.approx(sample.mean())
    assert found.low == pytest.approx(expected.low, abs=0.004)
    assert found.high == pytest.approx(expected.high, abs=0.004)


def test_equal_values_have_no_spread() -> None:
    assert interval([0.5, 0.5]) == Interval(0.5, 0.5, 0.5)
    assert interval([]) == Interval(0.0, 0.0, 0.0)


def test_p_is_that_of_all_sign_flips() -> None:
    differences = [0.3, 0.1, -0.05, 0.2, 0.4, 0.0]
    values = {"new": dict(enumerate(differences)), "old": dict.fromkeys(range(6), 0.0)}
    named = {n: {str(k): v for k, v in x.items()} for n, x in values.items()}
    (found,) = compare("AP", named, [("new", "old")])
    flips = [
        sum(s * d for s, d in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=6)
    ]
    exact = np.mean([abs(x) >= sum(differences) - 1e-9 for x in flips])
    assert found.p == pytest.approx(exact)
    assert (found.wins, found.losses, found.ties) == (4, 1, 1)
    assert found.difference.mean == pytest.approx(sum(differences) / 6)


def test_what_is_equal_does_not_differ() -> None:
    same = {"a": {"q": 0.5, "r": 1.0}, "b": {"q": 0.5, "r": 1.0}}
    (found,) = compare("AP", same, [("a", "b")])
    assert (found.p, found.ties) == (1.0, 2)


def test_holm_by_hand() -> None:
    def one(p: float) -> Comparison:
        return Comparison("AP", "a", "b", Interval(0, 0, 0), p, 0, 0, 0)

    corrected = [c.p for c in holm([one(0.01), one(0.04), one(0.03), one(0.005)])]
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [c.p for c in holm([one(0.6), one(0.7)])] == [1.0, 1.0]


def test_a_clear_difference_is_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(300)
    values = {
        "base": base,
        "better": base + 0.1 + rng.normal(0, 0.1, 300),
        "noise": base + rng.normal(0, 0.1, 300),
    }
    named = {n: {str(i): float(x) for i, x in enumerate(v)} for n, v in values.items()}
    better, noise = compare("AP", named, [("better", "base"), ("noise", "base")])
    assert better.p < 0.001
    assert better.difference.low > 0
    assert noise.p > 0.05
