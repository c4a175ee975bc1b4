"""What given passages have of a question: exact scores, and where they have its terms.

A retriever's list says nothing of the passages that it leaves out; this does. Knows no vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.index import nearness, shares
from rag.index.matching import Matched
from rag.index.scorers import Scorer
from rag.index.sparse import Shard, Sparse

Followers = Mapping[str, tuple[str, int]]
"""Of a question's term the one that follows it there, and how many places behind it stands."""
_COMMON = 8
"""Terms that more than one passage in so many has say little by their place: it is not looked
up."""
_FEW = 1000
"""Passages that may have a term in any case."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Of ``n`` passages, each ``(n,) float64``.

    Attributes
    ----------
    score
        BM25's, and ``most``: what no passage's can reach, the sum of the question's weights.
    coverage, heading
        Shares of the question's weight that the passage, or its title and headings, has.
    window
        Largest share of that weight within ``nearness.REACH`` places of the passage.
    pairs
        Share of the question's neighbouring terms that stand as far from each other here.
    """

    score: NDArray[np.float64]
    most: float
    coverage: NDArray[np.float64]
    heading: NDArray[np.float64]
    window: NDArray[np.float64]
    pairs: NDArray[np.float64]


def of(
    matched: Matched,
    followers: Followers,
    sparse: Sparse,
    scorer: Scorer,
    segments: NDArray[np.int64],
    passages: NDArray[np.int64],
) -> Traits:
    """The traits of ``passages`` (n,), by their numbers in ``segments`` (n,); -1: it is in none."""
    plan = sparse.plan(scorer)
    single, weights, _ = shares.weighed(matched, sparse, scorer)
    found, dfs = sparse.find(single, plan)
    slot_of = {term: i for i, term in enumerate(matched.terms)}
    for i, family in enumerate(matched.families, len(slot_of)):
        slot_of |= dict.fromkeys(family, i)
    sizes = [1] * len(matched.terms) + [len(family) for family in matched.families]
    parts = len(sizes)
    slots = np.repeat(np.arange(parts), sizes)
    weight = np.zeros(parts + len(matched.phrases))
    weight[slots] = weights[: len(single)]
    weight[parts:] = weights[len(single) :]
    most = float(weight.sum())
    share = weight / (most or 1.0)
    follower, gaps = np.full(parts, -1, np.int64), np.zeros(parts, np.int64)
    for term, (after, gap) in followers.items():
        if term in slot_of and after in slot_of and slot_of[term] != slot_of[after]:
            follower[slot_of[term]], gaps[slot_of[term]] = slot_of[after], gap
    pairs = np.where(follower >= 0, share[:parts] + share[follower], 0.0)
    limit = max(_FEW, sparse.statistics.n // _COMMON)
    order = np.lexsort((passages, segments))
    order = order[segments[order] >= 0]
    out = np.zeros((len(order), 5))
    if single:
        shards = [part.shard for part in sparse.parts]
        nearness.scan(
            np.array([_addresses(shard, size) for shard, size in
                      zip(shards, plan.sizes, strict=True)], np.int64),
            plan.bounds, found, np.array(weights[: len(single)]), slots, share[:parts],
            np.array(dfs) <= limit, follower, gaps, pairs / (pairs.sum() or 1.0), plan.constants,
            segments[order], passages[order], out,
        )  # fmt: skip
    for i, phrase in enumerate(matched.phrases):
        for at, (s, d) in enumerate(zip(segments[order], passages[order], strict=True)):
            docs, times = sparse.parts[s].shard.phrase(phrase)
            if count := int(times[docs == d].sum()):
                length = float(plan.sizes[s][d])
                value = shares.phrase_value(weights[len(single) + i], count, plan.form, length)
                out[at, nearness.SCORE] += value
                out[at, nearness.COVERAGE] += share[parts + i]
    every = np.zeros((len(segments), 5))
    every[order] = out
    score, coverage, heading, window, near = every.T
    return Traits(score, most, coverage, heading, window, near)


def _addresses(shard: Shard, lengths: NDArray[np.float32]) -> Sequence[int]:
    """As ``nearness`` names them; the shard keeps the arrays."""
    return [*(array.ctypes.data for array in shard.places), lengths.ctypes.data]
