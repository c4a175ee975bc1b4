"""Joins ranked lists of several retrievers ("legs") into one. Knows ids and scores only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

Scored = list[tuple[str, float]]
"""Passage ids and scores, best first."""
Weights = Mapping[str, float]
Unjudged = Mapping[str, Mapping[str, float]]
"""Of each leg the passages that it could not score at all (not encoded yet, say), each with the
share of that leg's weight that the other legs are given for it; with 1 it competes on equal
terms."""
Bounds = Mapping[str, tuple[float, float]]
"""Of each leg the least and the greatest score that it could give."""
NOTHING: Unjudged = MappingProxyType({})
_DEVIATIONS = 3
_RRF = 60


def convex(legs: Mapping[str, Scored], weights: Weights, unjudged: Unjudged = NOTHING) -> Scored:
    """Weighted sum of min-max-normalised scores; a passage that a leg did not return gets 0 there.

    Bruch, Gai and Ingber (2023), "An Analysis of Fusion Functions for Hybrid Retrieval", eq. 3.
    """
    seen = {leg: (scored[-1][1], scored[0][1]) for leg, scored in legs.items() if scored}
    return theoretical(legs, weights, unjudged, bounds=seen)


def theoretical(
    legs: Mapping[str, Scored], weights: Weights, unjudged: Unjudged = NOTHING, *, bounds: Bounds
) -> Scored:
    """As ``convex``, from the least to the greatest score that a leg could give: its list's own
    may be all good, or all bad. The same, section 4.1 ("theoretical min-max").
    """
    return _summed(legs, weights, unjudged, lambda leg, _, s: _scaled(s, *bounds[leg]))


def dbsf(legs: Mapping[str, Scored], weights: Weights, unjudged: Unjudged = NOTHING) -> Scored:
    """Distribution-based score fusion: from three deviations below the mean of a list's scores to
    three above, cut to 0 and 1.

    Mazzeschi (2023), "Distribution-Based Score Fusion (DBSF), a new approach to Vector Search
    Ranking"; as Qdrant and LlamaIndex have it.
    """
    ranges: dict[str, tuple[float, float]] = {}
    for leg, scored in legs.items():
        if scored:
            mean = math.fsum(s for _, s in scored) / len(scored)
            variance = math.fsum((s - mean) ** 2 for _, s in scored) / len(scored)
            reach = _DEVIATIONS * math.sqrt(variance)
            ranges[leg] = mean - reach, mean + reach
    return _summed(
        legs, weights, unjudged, lambda leg, _, s: min(max(_scaled(s, *ranges[leg]), 0.0), 1.0)
    )


def rrf(
    legs: Mapping[str, Scored], weights: Weights, unjudged: Unjudged = NOTHING, k: int = _RRF
) -> Scored:
    """Weighted reciprocal rank fusion: the sum of ``weight / (k + rank)``, ranks from 1.

    Cormack, Clarke and Büttcher (2009), "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods".
    """
    return _summed(legs, weights, unjudged, lambda _, rank, __: 1 / (k + rank))


def isr(legs: Mapping[str, Scored], weights: Weights, unjudged: Unjudged = NOTHING) -> Scored:
    """Inverse square rank: the sum of ``weight / rank ** 2``, times how many legs have it.

    Mourão, Martins and Magalhães (2014), "Inverse square rank fusion for multimodal search".
    """
    having: dict[str, float] = {}
    for leg, scored in legs.items():
        for id_, share in (*((id_, 1.0) for id_, _ in scored), *unjudged.get(leg, {}).items()):
            having[id_] = having.get(id_, 0.0) + share
    found = _summed(legs, weights, unjudged, lambda _, rank, __: 1 / rank**2)
    return ranked({id_: having[id_] * score for id_, score in found})


def ranked(scores: Mapping[str, float]) -> Scored:
    """Best first; ties by id."""
    return sorted(scores.items(), key=lambda x: (-x[1], x[0]))


def normal(scored: Scored) -> dict[str, float]:
    """Scores from 0, the last one's, to 1, the first one's; all 1 if they are equal."""
    return {id_: _scaled(score, scored[-1][1], scored[0][1]) for id_, score in scored}


def _scaled(score: float, low: float, high: float) -> float:
    return (score - low) / (high - low) if high > low else 1.0


def _summed(
    legs: Mapping[str, Scored],
    weights: Weights,
    unjudged: Unjudged,
    value: Callable[[str, int, float], float],
) -> Scored:
    """Sums of weighted values, each of a leg, a rank and a score."""
    total: dict[str, float] = {}
    for leg, scored in legs.items():
        for rank, (id_, score) in enumerate(scored, 1):
            total[id_] = total.get(id_, 0.0) + weights[leg] * value(leg, rank, score)
    for leg, shares in unjudged.items():
        if (rest := sum(weights.values()) - weights[leg]) > 0:
            for id_, share in shares.items():
                total[id_] *= 1 + share * weights[leg] / rest
    return ranked(total)
