"""One generation of a collection as its readers see it: segments less the dead, searched as one.

Knows no text and no ids but the catalogue's row numbers of passages.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
Mask = NDArray[np.bool_]


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


@dataclass(frozen=True)
class Selection:
    """Which passages of each segment may be found, as masks over its rows."""

    postings: Sequence[Mask]
    vectors: Sequence[Mask]


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
        self.everything = Selection(
            [_isin(s.rows, dead, invert=True) for s in postings],
            [_isin(s.rows, dead, invert=True) for s in vectors],
        )
        parts = zip((s.postings for s in postings), self.everything.postings, strict=True)
        self._sparse = Sparse(list(parts))
        self.selections: dict[tuple[str, ...], Selection] = {}

    def select(self, rows: Rows) -> Selection:
        """The living passages among ``rows``."""
        alive = self.everything
        return Selection(
            [m & _isin(s.rows, rows) for m, s in zip(alive.postings, self._postings, strict=True)],
            [m & _isin(s.rows, rows) for m, s in zip(alive.vectors, self._vectors, strict=True)],
        )

    def sparse(
        self,
        terms: Sequence[str],
        k: int,
        selection: Selection,
        scorer: Literal["bm25", "tfidf"],
        **parameters: float,
    ) -> Ranked:
        """The best ``k`` passages that have a term, and all that tie with the last of them."""
        scores = getattr(self._sparse, scorer)(terms, **parameters)
        found = []
        for segment, mask, score in zip(self._postings, selection.postings, scores, strict=True):
            at = np.flatnonzero(mask & (score > 0))
            found.append((segment.rows[at], score[at]))
        return _best(found, k)

    def dense(self, vector: NDArray[np.float32], k: int, selection: Selection) -> Ranked:
        """The best ``k`` passages by cosine, and all that tie with the last of them."""
        found = []
        for segment, mask in zip(self._vectors, selection.vectors, strict=True):
            at, score = segment.flat.search(vector, k, None if mask.all() else mask)
            found.append((segment.rows[at], score))
        return _best(found, k)

    def idf(self, terms: Collection[str]) -> dict[str, float]:
        """BM25's weight of each term."""
        return {term: self._sparse.idf(term) for term in terms}

    def sum(self, selection: Selection) -> tuple[NDArray[np.float64], int]:
        """Sum, ``(dim,)``, and number of the vectors selected."""
        pairs = list(zip(self._vectors, selection.vectors, strict=True))
        total = [s.vectors.sum(axis=0, where=mask[:, None], dtype=np.float64) for s, mask in pairs]
        return np.sum(total, axis=0), sum(int(mask.sum()) for _, mask in pairs)


def _isin(rows: Rows, among: Rows, *, invert: bool = False) -> Mask:
    if not len(among):
        return np.full(len(rows), invert)
    return np.isin(rows, among, invert=invert)


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
