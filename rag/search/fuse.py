"""Joins ranked lists of several retrievers ("legs") into one. Knows ids and scores only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Scored = list[tuple[str, float]]
"""Passage ids and scores, best first."""
Unjudged = Mapping[str, Mapping[str, float]]
NOTHING: Unjudged = MappingProxyType({})


def convex(
    legs: Mapping[str, Scored],
    weights: Mapping[str, float],
    unjudged: Unjudged = NOTHING,
) -> Scored:
    """Weighted sum of min-max-normalised scores; a passage that a leg did not return gets 0 there.

    Bruch, Gai and Ingber (2023), "An Analysis of Fusion Functions for Hybrid Retrieval", eq. 3.

    Parameters
    ----------
    unjudged
        Passages that a leg could not score at all (not encoded yet, say), each with the share of
        that leg's weight that the other legs are given for it; with 1 it competes on equal terms.
    """
    total: dict[str, float] = {}
    for leg, scored in legs.items():
        if not scored:
            continue
        high, low = scored[0][1], scored[-1][1]
        for id_, score in scored:
            normal = (score - low) / (high - low) if high > low else 1.0
            total[id_] = total.get(id_, 0.0) + weights[leg] * normal
    return ranked(_raised(total, weights, unjudged))


def rrf(
    legs: Mapping[str, Scored],
    weights: Mapping[str, float],
    unjudged: Unjudged = NOTHING,
    k: int = 60,
) -> Scored:
    """Weighted reciprocal rank fusion: the sum of ``weight / (k + rank)``, ranks from 1.

    Cormack, Clarke and Büttcher (2009), "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods". For ``unjudged`` see ``convex``.
    """
    total: dict[str, float] = {}
    for leg, scored in legs.items():
        for rank, (id_, _) in enumerate(scored, 1):
            total[id_] = total.get(id_, 0.0) + weights[leg] / (k + rank)
    return ranked(_raised(total, weights, unjudged))


def _raised(
    total: dict[str, float], weights: Mapping[str, float], unjudged: Unjudged
) -> dict[str, float]:
    for leg, shares in unjudged.items():
        if (rest := sum(weights.values()) - weights[leg]) > 0:
            for id_, share in shares.items():
                total[id_] *= 1 + share * weights[leg] / rest
    return total


def ranked(scores: Mapping[str, float]) -> Scored:
    """Best first; ties by id."""
    return sorted(scores.items(), key=lambda x: (-x[1], x[0]))
