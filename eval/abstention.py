"""What abstaining from unsure answers is worth. Knows neither questions nor answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from eval.result import Curve
from rag.errors import BadQuery


def risk_coverage(
    confidences: Sequence[float], wrong: Sequence[bool], asked: int | None = None
) -> Curve:
    """Points ``(coverage, risk)`` of answering only from some confidence on, the surest first.

    Coverage is the share of questions answered, risk the share of those answered wrongly
    (El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification"). Equal
    confidences share a point, because no threshold can tell them apart.

    Parameters
    ----------
    asked
        All questions, where some have no answer to be right or wrong; by default as many as there
        are confidences.
    """
    questions = len(confidences) if asked is None else asked
    ordered = sorted(zip(confidences, wrong, strict=True), key=lambda pair: -pair[0])
    points = []
    answered = errors = 0
    for _, group in groupby(ordered, key=lambda pair: pair[0]):
        for _, is_wrong in group:
            answered += 1
            errors += is_wrong
        points.append((answered / questions, errors / answered))
    return tuple(points)


def aurc(curve: Curve) -> float:
    """Area under a risk-coverage curve, up to the coverage that it reaches; lower is better.

    The mean, over answered questions, of the risk at their confidence (Geifman, Uziel and El-Yaniv
    2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers"). 0 for no points.
    """
    area = before = 0.0
    for coverage, risk in curve:
        area += (coverage - before) * risk
        before = coverage
    return area / before if before else 0.0


def operating(confidences: Sequence[float], answerable: Sequence[bool]) -> Curve:
    """Points ``(share of unanswerable questions answered, share of answerable ones answered)``.

    One for each confidence, the surest first, as the threshold from which questions are answered:
    an ROC curve. Empty where questions of one of the two kinds are missing.
    """
    good = sum(answerable)
    bad = len(answerable) - good
    if not good or not bad:
        return ()
    ordered = sorted(zip(confidences, answerable, strict=True), key=lambda pair: -pair[0])
    points = []
    right = wrong = 0
    for _, group in groupby(ordered, key=lambda pair: pair[0]):
        for _, is_answerable in group:
            right += is_answerable
            wrong += not is_answerable
        points.append((wrong / bad, right / good))
    return tuple(points)


def answered_at(curve: Curve, most: float) -> float:
    """The largest share of answerable questions answered where of the others at most ``most`` are.

    ``curve`` is an `operating` one; 0 where it has no such point.
    """
    return max((right for wrong, right in curve if wrong <= most), default=0.0)


def best_threshold(confidences: Sequence[float], answerable: Sequence[bool]) -> tuple[float, float]:
    """The threshold below which to abstain, and the balanced accuracy that this gives.

    Of 0 and the confidences, the lowest that maximises the mean of the share of answerable
    questions answered and the share of unanswerable ones refused.

    Raises
    ------
    BadQuery
        There are no questions of one of the two kinds.
    """
    good = sum(answerable)
    bad = len(answerable) - good
    if not good or not bad:
        raise BadQuery(
            f"no threshold can be chosen from {good} answerable and {bad} unanswerable questions",
            remedy="Add questions of the missing kind (`rag synth` makes both)",
        )
    ordered = sorted(zip(confidences, answerable, strict=True))
    threshold, most = 0.0, good * bad
    answered, refused = good, 0
    for confidence, group in groupby(ordered, key=lambda pair: pair[0]):
        right = answered * bad + refused * good  # in whole numbers, so that ties are ties
        if right > most:
            threshold, most = confidence, right
        for _, is_answerable in group:
            answered -= is_answerable
            refused += not is_answerable
    return threshold, most / (2 * good * bad)
