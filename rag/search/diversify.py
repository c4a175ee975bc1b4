"""Keeps hits from saying the same: maximal marginal relevance, and few passages of one document.

Knows vectors and terms of passages, not what they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.search.followed import followed
from rag.search.fuse import Scored


def grouped(order: Scored, documents: Mapping[str, str], most: int) -> Scored:
    """``order`` with the ``most`` best passages of each document alone.

    A passage that is not among ``documents``, passage to document, stays.
    """
    seen: Counter[str] = Counter()
    kept = []
    for id_, score in order:
        document = documents.get(id_, id_)
        seen[document] += 1
        if seen[document] <= most:
            kept.append((id_, score))
    return kept


def mmr(
    order: Scored, similar: NDArray[np.float32], diversity: float, count: int | None = None
) -> Scored:
    """The first passages of ``order`` by maximal marginal relevance, then the rest as it was.

    Carbonell and Goldstein (1998), "The Use of MMR, Diversity-Based Reranking for Reordering
    Documents and Producing Summaries": time and again the passage is taken that has the highest
    ``(1 - diversity) * relevance - diversity * (similarity to the most similar one taken)``.
    Relevance is the score, min-max normalised over these passages. The new scores are those values,
    which never rise; those of the rest are moved below them.

    Parameters
    ----------
    similar
        How similar the first ``n`` passages are, ``(n, n)``, see `similarity`.
    diversity
        0 leaves the order as it is; 1 ranks by dissimilarity alone.
    count
        How many to take; all ``n`` of them for ``None``.
    """
    n = len(similar)
    if not n or not diversity:
        return order
    scores = np.array([score for _, score in order[:n]], np.float64)
    width = scores.max() - scores.min()
    relevance = (scores - scores.min()) / width if width > 0 else np.ones(n)
    nearest = np.full(n, 0.0)
    left = np.ones(n, np.bool_)
    taken: list[tuple[str, float]] = []
    for _ in range(n if count is None else min(count, n)):
        value = (1 - diversity) * relevance - diversity * nearest
        best = int(np.argmax(np.where(left, value, -np.inf)))  # the earlier one of equals
        taken.append((order[best][0], float(value[best])))
        left[best] = False
        nearest = np.maximum(nearest, similar[best])
    rest = [order[i] for i in np.flatnonzero(left).tolist()] + order[n:]
    return followed(taken, rest)


def similarity(
    ids: Sequence[str],
    vectors: Mapping[str, NDArray[np.float32]],
    terms: Mapping[str, Collection[str]],
    usual: float = 0.0,
) -> NDArray[np.float32]:
    """How similar passages are, ``(n, n) float32``, 0 to 1, by the cosine of their ``vectors``.

    Where one of two has no vector, Jaccard's coefficient of their ``terms``.

    Parameters
    ----------
    usual
        The cosine of any two passages, on average, which is the squared length of their mean: 0.8
        for some encoders. It counts as 0, so a cosine is the share of the way from there to 1.
    """
    n = len(ids)
    found = np.zeros((n, n), np.float32)
    having = [i for i, id_ in enumerate(ids) if id_ in vectors]
    if having:
        rows = np.stack([vectors[ids[i]] for i in having])
        shares = (rows @ rows.T - usual) / max(1 - usual, 1e-6)
        found[np.ix_(having, having)] = np.clip(shares, 0, 1)
    sets = [frozenset(terms.get(id_, ())) for id_ in ids]
    for i in sorted(set(range(n)).difference(having)):
        for j in range(n):
            union = len(sets[i] | sets[j])
            found[i, j] = found[j, i] = len(sets[i] & sets[j]) / union if union else 0.0
    return found
