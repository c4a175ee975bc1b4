"""Passages as segments of a sparse index, searched by their numbers in the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.index.postings import invert
from rag.index.rows import Terms
from rag.index.scorers import Scorer
from rag.index.sparse import Live, Masks, Shard, Sparse

Ranked = list[tuple[int, float]]


def ids(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Ids of ``n`` passages, in no order."""
    return np.random.default_rng(seed).integers(0, 256, (n, 16)).astype(np.uint8)


def fielded(passages: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Terms:
    """Terms of passages given as ``(heading, text)``."""
    terms = Terms.of([[*head, *body] for head, body in passages])
    return replace(terms, heads=np.array([len(head) for head, _ in passages], np.uint32))


def numbered(ids: NDArray[np.integer], ends: NDArray[np.integer], words: int) -> Terms:
    """Terms ``w0``, ``w1`` and so on, by number, without places."""
    zeros = np.zeros(max(len(ids), len(ends)), np.uint32)
    vocabulary = [f"w{i}" for i in range(words)]
    return Terms(
        vocabulary, ids.astype(np.uint32), zeros[: len(ids)], zeros[: len(ends)],
        ends.astype(np.int64),
    )  # fmt: skip


@dataclass(frozen=True)
class Index:
    """Passages in segments; ``edges[i]`` is the number of segment ``i``'s first passage."""

    sparse: Sparse
    edges: list[int]
    ids: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        passages: Terms | Sequence[Sequence[str]],
        cuts: Sequence[int] = (),
        alive: NDArray[np.bool_] | None = None,
    ) -> Index:
        """``passages`` cut into segments at ``cuts``, those that are not ``alive`` dead."""
        terms = passages if isinstance(passages, Terms) else Terms.of(passages)
        n = len(terms)
        alive = np.ones(n, np.bool_) if alive is None else alive
        edges = [0, *sorted(min(c, n) for c in cuts), n]
        of = ids(n)
        live = [
            Live(Shard(invert([terms.part(a, b)]), of[a:b]), alive[a:b]) for a, b in pairwise(edges)
        ]
        return cls(Sparse(live), edges, of)

    def search(
        self,
        question: Sequence[str] | dict[str, float],
        k: int,
        scorer: Scorer | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Ranked:
        """Numbers and scores of the best ``k`` passages."""
        masks = None
        if allowed is not None:
            masks = Masks([allowed[a:b] for a, b in pairwise(self.edges)])
        terms = question if isinstance(question, dict) else Counter(question)
        segments, numbers, scores = self.sparse.search(terms, k, scorer or Scorer(), masks)
        at = [self.edges[s] + n for s, n in zip(segments.tolist(), numbers.tolist(), strict=True)]
        return list(zip(at, scores.tolist(), strict=True))

    def order(self, scores: NDArray[np.floating], k: int | None = None) -> Ranked:
        """What a sort of all makes of ``scores``, by passage: best first, then by id, above 0."""
        least = np.sort(scores)[-k] if k and k < len(scores) else 0
        found = sorted(
            np.flatnonzero((scores > 0) & (scores >= least)).tolist(),
            key=lambda i: (-scores[i], self.ids[i].tobytes()),
        )
        return [(i, float(scores[i])) for i in found[:k]]
