"""One generation of a collection as its readers see it: segments less the dead, searched as one.

Knows no text; passages by the catalogue's row numbers and their ids.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index import ann, lookup, matching, shares, traits
from rag.index.clauses import Clause, Query
from rag.index.matching import Matched
from rag.index.postings import Postings
from rag.index.scorers import Kind, Scorer
from rag.index.shares import Share
from rag.index.sparse import Live, Masks, Shard, Sparse
from rag.index.traits import Followers, Traits
from rag.types import Device

_log = logging.getLogger("saem")
Rows = NDArray[np.int64]
Ids = NDArray[np.uint8]
Ranked = tuple[Rows, Ids, NDArray[np.float32]]
"""Passages' row numbers, ids ``(n, 16)`` and scores, best first; ties by id."""
Mask = NDArray[np.bool_]
_REMEMBERED = 16


@dataclass(frozen=True)
class PostingsSegment:
    """``rows[i]`` is the catalogue's row number of the passage that ``postings`` calls ``i``."""

    rows: Rows
    ids: Ids
    postings: Postings

    @cached_property
    def shard(self) -> Shard:
        return Shard(self.postings, self.ids)

    def live(self, alive: Mask) -> Live:
        """The segment with its living passages; the same one as long as they are the same."""
        known: Live | None = self.__dict__.get("_live")
        if known is None or known.alive is not alive:
            known = self.__dict__["_live"] = Live(self.shard, alive)
        return known


@dataclass(frozen=True)
class VectorsSegment:
    """``rows[i]`` is the catalogue's row number of the passage that ``vectors[i]`` encodes."""

    rows: Rows
    ids: Ids
    vectors: NDArray[np.float16]
    made: tuple[ann.Kind, Mapping[str, NDArray[Any]]] | None = None
    device: Device = "auto"

    @cached_property
    def index(self) -> ann.Index:
        """What was ``made`` of the vectors beforehand; exact search without."""
        if self.made is None:
            return ann.build("flat", self.vectors, self.device)
        try:
            return ann.load(*self.made, self.vectors, self.device)
        except ValueError as e:  # of another FAISS: checksums were compared
            _log.warning("searching %d vectors one by one, slowly: %s", len(self.vectors), e)
            return ann.build("flat", self.vectors, self.device)


@dataclass(frozen=True)
class Selection:
    """Which passages of each segment may be found, as masks over its rows."""

    postings: Sequence[Mask]
    vectors: Sequence[Mask]

    @cached_property
    def sifted(self) -> list[Mask | None]:
        """``vectors``, ``None`` where all may be found."""
        return [None if mask.all() else mask for mask in self.vectors]

    @cached_property
    def masks(self) -> Masks:
        return Masks(self.postings)

    def __and__(self, other: Selection) -> Selection:
        return Selection(
            [a & b for a, b in zip(self.postings, other.postings, strict=True)],
            [a & b for a, b in zip(self.vectors, other.vectors, strict=True)],
        )


class Snapshot:
    """Searches over the segments of one generation; ``everything`` selects what lives."""

    def __init__(
        self,
        generation: int,
        postings: Sequence[PostingsSegment],
        vectors: Sequence[VectorsSegment],
        everything: Selection,
    ) -> None:
        self.generation = generation
        self.everything = everything
        self._postings = postings
        self._vectors = vectors
        self._idfs: dict[frozenset[str], dict[str, float]] = {}
        self._rows_at = np.array([s.rows.ctypes.data for s in postings], np.int64)

    @cached_property
    def _ids_at(self) -> NDArray[np.int64]:
        return np.array([s.shard.ids.ctypes.data for s in self._postings], np.int64)

    @cached_property
    def _sparse(self) -> Sparse:
        pairs = zip(self._postings, self.everything.postings, strict=True)
        return Sparse([segment.live(alive) for segment, alive in pairs])

    def select(self, rows: Rows) -> Selection:
        """The living passages among ``rows``, ascending."""
        alive = self.everything
        return Selection(
            [m & _among(s.rows, rows) for m, s in zip(alive.postings, self._postings, strict=True)],
            [m & _among(s.rows, rows) for m, s in zip(alive.vectors, self._vectors, strict=True)],
        )

    def match(self, query: Query, selection: Selection, *, tolerant: bool) -> Matched:
        """What ``query`` asks of what may be found; ``tolerant``: similar terms for the unknown."""
        sparse = self._sparse
        if selection is not self.everything:
            pairs = zip(sparse.parts, selection.postings, strict=True)
            sparse = Sparse([Live(part.shard, mask) for part, mask in pairs])
        return matching.resolve(query, sparse, tolerant=tolerant)

    def allowed(self, bindings: Sequence[Clause]) -> Rows:
        """The living passages that meet ``bindings``, ascending."""
        masks = matching.allowed(bindings, self._sparse)
        parts = zip(self._postings, masks, self.everything.postings, strict=True)
        rows = [segment.rows[mask & alive] for segment, mask, alive in parts]
        return np.sort(np.concatenate([np.empty(0, np.int64), *rows]), kind="stable")

    def sparse(
        self, matched: Matched, k: int, selection: Selection, scorer: Kind, **parameters: float
    ) -> Ranked:
        """The best ``k`` passages that have a term, whether or not they meet the bindings."""
        how = Scorer(scorer, **parameters)
        found = shares.search(matched, self._sparse, k, how, selection.masks)
        segments, numbers, scores = found
        rows, ids = np.empty(len(scores), np.int64), np.empty((len(scores), 16), np.uint8)
        lookup.gather(self._rows_at, self._ids_at, segments, numbers, rows, ids)
        return rows, ids, scores

    def shares(self, matched: Matched, row: int, scorer: Kind, **parameters: float) -> list[Share]:
        """What each term and phrase adds to the score of the passage with this row number."""
        how = Scorer(scorer, **parameters)
        for number, segment in enumerate(self._postings):
            at = int(np.searchsorted(segment.rows, row))
            if at < len(segment.rows) and segment.rows[at] == row:
                return shares.shares(matched, self._sparse, how, number, at)
        return []

    def traits(
        self, matched: Matched, followers: Followers, rows: Rows, **parameters: float
    ) -> Traits:
        """What the passages with these row numbers have of a question."""
        segments = np.full(len(rows), -1, np.int64)
        numbers = np.zeros(len(rows), np.int64)
        for i, segment in enumerate(self._postings):
            at = np.searchsorted(segment.rows, rows).clip(0, len(segment.rows) - 1)
            here = segment.rows[at] == rows
            segments[here], numbers[here] = i, at[here]
        how = Scorer("bm25", **parameters)
        return traits.of(matched, followers, self._sparse, how, segments, numbers)

    def dense(self, vector: NDArray[np.float32], k: int, selection: Selection) -> Ranked:
        """The best ``k`` passages by cosine."""
        found = []
        for segment, mask in zip(self._vectors, selection.sifted, strict=True):
            at, score = segment.index.search(vector, k, mask)
            found.append((segment.rows[at], segment.ids[at], score))
        return _best(found, k)

    def idf(self, terms: frozenset[str]) -> dict[str, float]:
        """BM25's weight of each term; remembered, as every search asks for some of the same."""
        if (found := self._idfs.get(terms)) is None:
            words = list(terms)
            weights = Scorer().idfs(self._sparse.dfs(words), self._sparse.statistics)
            found = dict(zip(words, weights, strict=True))
            if len(self._idfs) >= _REMEMBERED:
                self._idfs.clear()
            self._idfs[terms] = found
        return found.copy()


def _among(rows: Rows, chosen: Rows) -> Mask:
    """Which of the ascending ``rows`` are in the ascending ``chosen``."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    low, high = rows[0], rows[-1]
    first, last = np.searchsorted(chosen, [low, high + 1])
    there = np.zeros(high - low + 1, np.bool_)
    there[chosen[first:last] - low] = True
    return np.asarray(there[rows - low])


def _best(found: Sequence[tuple[Any, Any, Any]], k: int) -> Ranked:
    """The best ``k`` of all, best first, then by id."""
    if not found or k <= 0:
        return np.empty(0, np.int64), np.empty((0, 16), np.uint8), np.empty(0, np.float32)
    rows, ids, scores = (np.concatenate(x) for x in zip(*found, strict=True))
    if len(scores) > k:
        keep = scores >= np.partition(scores, -k)[-k]
        rows, ids, scores = rows[keep], ids[keep], scores[keep]
    halves = ids.view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0], -scores))[:k]
    return rows[order], ids[order], scores[order]
