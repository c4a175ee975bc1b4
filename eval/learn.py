"""Learns from judged queries what features weigh. Knows no trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.bed import rank
from eval.dataset import Query
from eval.places import Places
from rag.errors import DependencyMissing
from rag.search import Searcher, rerank
from rag.search.fuse import Scored
from rag.search.weighing import FEATURES

_NEGATIVES = 30


@dataclass(frozen=True, slots=True)
class Candidates:
    """One query's passages, and what is known of them.

    Attributes
    ----------
    order
        All of them, best first.
    features
        ``(n, len(FEATURES)) float64`` of the first ``n``.
    relevant
        ``(n,) bool``: whether each stands for a relevant place.
    """

    query: Query
    order: Scored
    features: NDArray[np.float64]
    relevant: NDArray[np.bool_]

    def reranked(self, weights: Mapping[str, float]) -> Scored:
        ids = (id_ for id_, _ in self.order)
        return rerank.linear(self.order, dict(zip(ids, self.features, strict=False)), weights)


def candidates(searcher: Searcher, places: Places, query: Query, top_k: int) -> Candidates:
    """The best ``top_k`` passages for ``query``, and what is known of them.

    ``searcher`` puts passages in order by their features: others have none.
    """
    ranking = rank(searcher, query.text, top_k)
    ids = [id_ for id_, _ in ranking.order if id_ in ranking.features]
    there = searcher.collection.fetch(ids)
    head = [id_ for id_ in ids if id_ in there]
    scores = dict(ranking.order)
    order = [(id_, scores.pop(id_)) for id_ in head]
    order += [(id_, score) for id_, score in scores.items() if id_ not in ranking.features]
    found = np.array([ranking.features[id_] for id_ in head]).reshape(-1, len(FEATURES))
    good = query.right
    relevant = [any(place in good for place, _ in places.of(query, [(i, 1.0)])) for i in head]
    return Candidates(query, order, found, np.array(relevant, bool))


def learn(found: Sequence[Candidates]) -> dict[str, float] | None:
    """Weights that put relevant passages first; ``None`` if there is nothing to learn from.

    Logistic regression on the differences between the features of a relevant passage and of
    others of the same query: RankNet's loss for a linear scorer (Burges et al. 2005, "Learning to
    Rank using Gradient Descent"). Scaled so that the largest is 1.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as e:
        raise DependencyMissing("scikit-learn", "eval") from e
    pairs, shares = [], []
    for one in found:
        good, bad = one.features[one.relevant], one.features[~one.relevant][:_NEGATIVES]
        if len(good) and len(bad):
            differences = (good[:, None] - bad[None]).reshape(-1, len(FEATURES))
            pairs.append(differences)
            shares.append(np.full(len(differences), 1 / len(differences)))  # every query alike
    if not pairs:
        return None
    x, share = np.concatenate(pairs), np.concatenate(shares)
    model = LogisticRegression(fit_intercept=False, C=10.0, max_iter=1000)
    model.fit(np.concatenate([x, -x]), np.repeat([1, 0], len(x)), np.concatenate([share, share]))
    weights = model.coef_[0]
    if (largest := float(np.abs(weights).max())) == 0:
        return None
    scaled = {n: round(float(w) / largest, 3) for n, w in zip(FEATURES, weights, strict=True)}
    return {name: weight for name, weight in scaled.items() if weight}
