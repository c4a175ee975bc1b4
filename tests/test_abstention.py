from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.abstention import answered_at, aurc, best_threshold, operating, risk_coverage
from rag.errors import BadQuery

confidence = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0])
pairs = st.lists(st.tuples(confidence, st.booleans()), min_size=1, max_size=30)


def test_the_surest_are_answered_first() -> None:
    curve = risk_coverage([0.9, 0.2, 0.6, 0.4], [False, True, True, False])
    assert curve == ((0.25, 0.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5))
    assert aurc(curve) == pytest.approx((0 + 0.5 + 1 / 3 + 0.5) / 4)


def test_equal_confidences_share_a_point() -> None:
    curve = risk_coverage([0.5, 0.5, 0.1], [True, False, False])
    assert curve == ((pytest.approx(2 / 3), 0.5), (1.0, pytest.approx(1 / 3)))


def test_unanswered_questions_lower_the_coverage_but_not_the_area() -> None:
    curve = risk_coverage([0.9, 0.6], [False, True], asked=8)
    assert curve == ((0.125, 0.0), (0.25, 0.5))
    assert aurc(curve) == 0.25


def test_nothing_answered() -> None:
    assert risk_coverage([], [], asked=3) == ()
    assert risk_coverage([], []) == ()
    assert aurc(()) == 0.0


@given(pairs)
def test_each_point_is_what_a_threshold_gives(given_: list[tuple[float, bool]]) -> None:
    values, wrong = (list(part) for part in zip(*given_, strict=True))
    expected = []
    for threshold in sorted(set(values), reverse=True):
        kept = [w for v, w in given_ if v >= threshold]
        expected.append((len(kept) / len(given_), sum(kept) / len(kept)))
    curve = risk_coverage(values, wrong)
    assert curve == tuple(expected)
    risk_at = [np.mean([w for u, w in given_ if u >= v]) for v in values]
    assert aurc(curve) == pytest.approx(np.mean(risk_at))


def balanced(given_: list[tuple[float, bool]], threshold: float) -> float:
    good = [v for v, answerable in given_ if answerable]
    bad = [v for v, answerable in given_ if not answerable]
    right = np.mean([v >= threshold for v in good]), np.mean([v < threshold for v in bad])
    return float(np.mean(right))


@given(pairs.filter(lambda p: len({answerable for _, answerable in p}) == 2))
def test_no_threshold_is_better(given_: list[tuple[float, bool]]) -> None:
    threshold, accuracy = best_threshold(*zip(*given_, strict=True))
    assert accuracy == pytest.approx(balanced(given_, threshold))
    candidates = sorted({0.0, *(v for v, _ in given_)})
    best = max(balanced(given_, t) for t in [*candidates, 1.1])
    assert accuracy == pytest.approx(best)
    lower = [balanced(given_, t) for t in candidates if t < threshold]
    assert all(value < best - 1e-9 for value in lower)
    assert threshold in candidates


def test_a_threshold_between_the_kinds() -> None:
    found = best_threshold([0.9, 0.7, 0.4, 0.2], [True, True, False, False])
    assert found == (0.7, 1.0)
    assert best_threshold([0.2, 0.9], [True, False]) == (0.0, 0.5)


@pytest.mark.parametrize("answerable", [True, False])
def test_a_threshold_needs_both_kinds(answerable: bool) -> None:
    counts = "2 answerable and 0" if answerable else "0 answerable and 2"
    with pytest.raises(BadQuery, match=f"from {counts} unanswerable questions"):
        best_threshold([0.5, 0.6], [answerable, answerable])


def test_the_operating_curve_by_value() -> None:
    curve = operating([0.9, 0.8, 0.8, 0.3, 0.1], [True, False, True, True, False])
    assert curve == ((0.0, 1 / 3), (0.5, 2 / 3), (0.5, 1.0), (1.0, 1.0))
    assert [answered_at(curve, most) for most in (0.0, 0.4, 0.5, 1.0)] == [1 / 3, 1 / 3, 1.0, 1.0]
    assert answered_at(operating([0.9, 0.1], [False, True]), 0.1) == 0.0


@given(pairs)
def test_each_operating_point_is_what_a_threshold_gives(given_: list[tuple[float, bool]]) -> None:
    good = [v for v, answerable in given_ if answerable]
    bad = [v for v, answerable in given_ if not answerable]
    thresholds = sorted({v for v, _ in given_}, reverse=True) if good and bad else []
    assert operating(*zip(*given_, strict=True)) == tuple(
        (sum(v >= t for v in bad) / len(bad), sum(v >= t for v in good) / len(good))
        for t in thresholds
    )
