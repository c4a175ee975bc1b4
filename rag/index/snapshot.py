"""One generation of a collection as its readers see it: segments less the dead, searched as one.

Knows no text and no ids but the catalogue's row numbers of passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.index.dense import Flat
from rag.index.sparse import Postings, Sparse

Rows = NDArray[np.int64]
Ranked = tuple[Rows, NDArray[np.float32]]
"""Passages' row numbers and scores, best first."""


@dataclass(frozen=True)
class PostingsSegment:
    """``rows[i]`` is the catalogue's row number of the passage that ``postings`` calls ``i``."""

    rows: Rows
    postings: Postings


@dataclass(frozen=True)
class VectorsSegment:
    """``rows[i]`` is the catalogue's row number of the passage that ``vectors[i]`` encodes."""

    rows: Rows
    vectors: NDArray[np.float32]

    @cached_property
    def flat(self) -> Flat:
        """FAISS over the vectors, built when it is first searched."""
        return Flat(self.vectors)


class Snapshot:
    """Searches over the segments of one generation.

    Parameters
    ----------
    dead
        Row numbers of passages that segments still hold but readers must not see.
    """

    def __init__(
        self,
        generation: int,
        postings: Sequence[PostingsSegment],
        vectors: Sequence[VectorsSegment],
        dead: Rows,
    ) -> None:
        self.generation = generation
        self._postings = postings
        self._vectors = vectors
        self._alive = [_without(s.rows, dead) for s in postings]
        self._encoded = [_without(s.rows, dead) for s in vectors]
        self._sparse = Sparse(
            [(s.postings, alive) for s, alive in zip(postings, self._alive, strict=True)]
        )

    def sparse(
        self,
        terms: Sequence[str],
        k: int,
        allowed: Rows | None,
        scorer: Literal["bm25", "tfidf"],
        **parameters: float,
    ) -> Ranked:
        """The best ``k`` passages that have a term, and all that tie with the last of them."""
        scores = getattr(self._sparse, scorer)(terms, **parameters)
        found = []
        for segment, alive, score in zip(self._postings, self._alive, scores, strict=True):
            keep = alive & (score > 0)
            if allowed is not None:
                keep &= np.isin(segment.rows, allowed)
            at = np.flatnonzero(keep)
            found.append((segment.rows[at], score[at]))
        return _best(found, k)

    def dense(self, vector: NDArray[np.float32], k: int, allowed: Rows | None) -> Ranked:
        """The best ``k`` passages by cosine, and all that tie with the last of them."""
        found = []
        for segment, mask in zip(self._vectors, self._encoded, strict=True):
            if allowed is not None:
                mask = mask & np.isin(segment.rows, allowed)
            at, score = segment.flat.search(vector, k, None if mask.all() else mask)
            found.append((segment.rows[at], score))
        return _best(found, k)


def _without(rows: Rows, dead: Rows) -> NDArray[np.bool_]:
    if not len(dead):
        return np.ones(len(rows), np.bool_)
    return np.isin(rows, dead, invert=True)


def _best(found: Sequence[tuple[NDArray[Any], NDArray[Any]]], k: int) -> Ranked:
    """The best ``k`` of all and their ties, best first, then by row number."""
    if not found or k <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    rows, scores = (np.concatenate(x) for x in zip(*found, strict=True))
    if len(scores) > k:
        keep = scores >= np.partition(scores, -k)[-k]
        rows, scores = rows[keep], scores[keep]
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
