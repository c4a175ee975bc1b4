"""Scoring questions over several postings as if they were one.

Weights are applied at query time, so statistics are global over all segments and exact after
deletes. Knows no files, no catalogue and no text.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.index import inversion, lookup, maxscore, phrase, vocabularies
from rag.index.postings import Mask, Postings, utf8
from rag.index.scorers import Form, Scorer, Statistics

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Segments, passages' numbers in them and scores, best first."""
Placed = tuple[tuple[str, int], ...]
"""Terms of a phrase with their places relative to the first."""
_JUMP_LEAST, _JUMP_EACH = 16, 4
_SLACK = np.float32(1.00001)
"""Upper bounds are this much too high, more than what rounding can take from them."""
_DRIFT = 1.5
"""Bounds are made anew when the mean length has changed by more than this factor."""
_KEPT = 8
"""Ways of scoring whose tables and bounds a segment keeps."""
_local = threading.local()
_keeping = threading.Lock()


@dataclass
class _Bounds:
    """The highest score of a posting of each term, found as asked for, at this mean length.

    Among longer passages a posting scores higher, but by no more than the ratio of the means.
    """

    values: NDArray[np.float32]
    mean: float


class Shard:
    """Postings prepared for search; ``ids`` (n, 16) break ties. Lives as long as its segment."""

    def __init__(self, postings: Postings, ids: NDArray[np.uint8]) -> None:
        self.postings = postings
        self.ids = np.ascontiguousarray(ids)
        p = postings
        jumps = lookup.make_jumps(p.ptr, p.docs, _JUMP_LEAST, _JUMP_EACH)
        at, shift, table = jumps
        words = p.vocabulary
        used: list[NDArray[Any]] = [words.block, words.ends, p.ptr, p.docs, p.codes]
        self._held = [np.ascontiguousarray(a) for a in used]
        self._held += [table, at, shift]
        addresses = [a.ctypes.data for a in self._held]
        self.row = [len(p), len(p.vocabulary), *addresses[:5], p.codes.itemsize - 1, 0, 0,
                    *addresses[5:]]  # fmt: skip
        self._tables: dict[Any, NDArray[np.float32]] = {}
        self._lengths: dict[float, NDArray[np.float32]] = {}
        self._bounds: dict[Any, _Bounds] = {}
        self._phrases: dict[Placed, tuple[NDArray[np.uint16], NDArray[np.uint32]]] = {}

    def phrase(self, placed: Placed) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        """The passages that have terms at these places, and how often."""
        if (known := self._phrases.get(placed)) is None:
            numbers = [self.postings.vocabulary.find(term) for term, _ in placed]
            if None in numbers:
                return np.empty(0, np.uint16), np.empty(0, np.uint32)
            p, (ptr, docs, codes) = self.postings, self._held[2:5]
            docs, times = phrase.occurrences(
                ptr, docs, codes, self.places[2], p.pbytes, p.pptr,
                np.array(numbers, np.int64), np.array([at for _, at in placed], np.int64),
            )  # fmt: skip
            known = docs.astype(np.uint16), times
            _keep(self._phrases, placed, known)
        return known

    @cached_property
    def places(self) -> tuple[NDArray[Any], ...]:
        """The terms' places, where each term's begin, and how many, and in headings, codes mean."""
        p, times = self.postings, inversion.times(self.postings.book)
        heads = np.ascontiguousarray(p.book[:, -1] * (times > 0), np.uint32)
        return np.ascontiguousarray(p.pbytes), np.ascontiguousarray(p.pptr), times, heads

    def table(self, form: Form) -> NDArray[np.float32]:
        """What each code counts."""
        if (known := self._tables.get(form.counting)) is None:
            known = np.ascontiguousarray(form.count(self.postings.book), np.float32)
            _keep(self._tables, form.counting, known)
        return known

    def lengths(self, head_weight: float) -> NDArray[np.float32]:
        """Each passage's number of terms, those of headings weighted."""
        if (known := self._lengths.get(head_weight)) is None:
            body, head = self.postings.lengths.T
            known = np.ascontiguousarray(body + head_weight * head, np.float32)
            _keep(self._lengths, head_weight, known)
        return known

    def bounds(self, form: Form) -> _Bounds:
        known = self._bounds.get(form.bounding)
        mean = form.mean_length or 1.0
        if known is None or not 1 / _DRIFT < mean / known.mean < _DRIFT:
            known = _Bounds(np.full(len(self.postings.vocabulary), -1, np.float32), mean)
            if form.bounding:
                _keep(self._bounds, form.bounding, known)
        return known


class Live:
    """A shard, and which of its passages live."""

    def __init__(self, shard: Shard, alive: Mask) -> None:
        self.shard = shard
        self.alive = alive
        self.row = list(shard.row)
        self.n = int(np.count_nonzero(alive))
        if self.n < len(alive):
            self._dfs = np.full(len(shard.postings.vocabulary), -1, np.int32)
            self.row[lookup.ALIVE] = alive.ctypes.data
            self.row[lookup.DFS] = self._dfs.ctypes.data

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """The terms of its living passages, in text and in headings."""
        lengths = self.shard.postings.lengths
        kept = lengths[self.alive] if self.n < len(lengths) else lengths
        return np.asarray(kept.sum(axis=0, dtype=np.int64))


class Masks:
    """Which passages of each segment may be found, as the compiled search takes it."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        self._held: list[NDArray[Any]] = [np.ascontiguousarray(m) for m in masks]
        found = [0 if m.all() else m.ctypes.data for m in self._held]
        self.addresses = np.array(found, np.int64)


class Plan(NamedTuple):
    """A scorer over the parts: its form, and of each part what it needs, most by addresses."""

    form: Form
    constants: NDArray[np.float32]
    tables: NDArray[np.int64]
    bounds: NDArray[np.int64]
    lengths: NDArray[np.int64]
    slopes: NDArray[np.float32]
    slacks: NDArray[np.float32]
    sizes: Sequence[NDArray[np.float32]]
    """What ``lengths`` are the addresses of."""
    held: tuple[Any, ...]
    """What the others are."""


class Sparse:
    """Scores queries over several shards as if they were one."""

    def __init__(self, parts: Sequence[Live]) -> None:
        self.parts = parts
        self._shards = [part.shard for part in parts]
        self._rows = np.array([part.row for part in parts], np.int64).reshape(-1, 13)
        self._sizes = self._rows[:, lookup.PASSAGES].copy()
        self._ids = np.array([s.ids.ctypes.data for s in self._shards], np.int64)
        self.everything = Masks([part.alive for part in parts])
        self._pairs = [(part.shard.postings, part.alive) for part in parts]
        self._plans: dict[Scorer, Plan] = {}
        self._nowhere = np.zeros(len(parts), np.int64)

    @cached_property
    def statistics(self) -> Statistics:
        n = sum(part.n for part in self.parts)
        totals = np.sum([np.zeros(2, np.int64), *(part.totals for part in self.parts)], axis=0)
        return Statistics(n, int(totals[0]), int(totals[1]), self._distinct)

    def search(
        self, terms: Mapping[str, float], k: int, scorer: Scorer, masks: Masks | None = None
    ) -> Found:
        """The best ``k`` passages that score above 0 for ``terms``, each with its weight.

        Passages of equal scores come by their ids.
        """
        if not terms:
            return _nothing()
        plan = self.plan(scorer)
        found, dfs = self.find(terms, plan)
        weights, constant = scorer.weights(dfs, terms.values(), self.statistics)
        return self.best(found, weights, k, plan, masks, constant)

    def best(
        self,
        found: NDArray[np.int64],
        weights: Sequence[float],
        k: int,
        plan: Plan,
        masks: Masks | None = None,
        constant: float = 0.0,
    ) -> Found:
        """The best ``k`` passages for postings ``found`` of these weights; ``constant`` is added.

        Whoever made addresses in ``found`` keeps the arrays alive.
        """
        k = min(k, int(self._sizes.sum()))
        if not len(weights) or k <= 0:
            return _nothing()
        best, docs = np.zeros(k, np.float32), np.zeros(k, np.int64)
        scores, maxima = _scratch()
        allowed = (masks or self.everything).addresses
        held = maxscore.search(
            self._sizes, self._ids, plan.lengths, allowed, plan.slopes, plan.slacks, found,
            np.array(weights, np.float32), plan.constants,
            scores, maxima, np.zeros(k, np.float32), best, docs,
        )  # fmt: skip
        return docs[:held] >> 16, docs[:held] & 0xFFFF, best[:held] + np.float32(constant)

    def dfs(self, terms: Sequence[str]) -> list[int]:
        """How many living passages have each term."""
        return self.find(terms)[1] if terms else []

    def find(
        self, terms: Mapping[str, float] | Sequence[str], plan: Plan | None = None
    ) -> tuple[NDArray[np.int64], list[int]]:
        """Where terms have their postings, as ``lookup`` gives it, and how many passages do.

        Without a plan, these cannot be scored.
        """
        tables, bounds = (plan.tables, plan.bounds) if plan else (self._nowhere, self._nowhere)
        encoded = [utf8(term) for term in terms]
        found = np.empty((len(self.parts), len(encoded), 8), np.int64)
        dfs = np.zeros(len(encoded), np.int64)
        stops = np.fromiter(accumulate(map(len, encoded)), np.int64, len(encoded))
        blob = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
        lookup.look_up(self._rows, tables, bounds, blob, stops, found, dfs)
        return found, dfs.tolist()

    def plan(self, scorer: Scorer) -> Plan:
        """What ``scorer`` needs to know of each part."""
        if (known := self._plans.get(scorer)) is None:
            form = scorer.form(self.statistics)
            tables = [shard.table(form) for shard in self._shards]
            bounds = [shard.bounds(form) for shard in self._shards]
            if form.norms:
                lengths = self._norms(scorer, tables)
            else:
                lengths = [shard.lengths(form.head_weight) for shard in self._shards]
            ratios = np.array([(form.mean_length or 1.0) / b.mean for b in bounds], np.float32)
            known = Plan(
                form, np.array(form.constants, np.float32), _addresses(tables),
                _addresses([b.values for b in bounds]), _addresses(lengths),
                ratios * np.float32(form.constants[2]), _SLACK * np.maximum(ratios, 1),
                lengths, (tables, bounds),
            )  # fmt: skip
            _keep(self._plans, scorer, known)
        return known

    def _norms(
        self, scorer: Scorer, tables: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        found = []
        for (p, _), table, dfs in zip(
            self._pairs, tables, vocabularies.dfs(self._pairs), strict=True
        ):
            idfs = np.array(scorer.idfs(dfs.tolist(), self.statistics))
            found.append(vocabularies.norms(p.ptr, p.docs, p.codes, table, idfs, len(p)))
        return found

    def _distinct(self) -> NDArray[np.int64]:
        return vocabularies.distinct(self._pairs)


def _nothing() -> Found:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


def _keep(known: dict[Any, Any], key: Any, value: Any) -> None:  # noqa: ANN401
    """Remember it, and forget the oldest of more than ``_KEPT``."""
    with _keeping:
        while len(known) >= _KEPT:
            del known[next(iter(known))]
        known[key] = value


def _addresses(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.array([a.ctypes.data for a in arrays], np.int64)


def _scratch() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The thread's scores, all 0 between searches, and maxima."""
    if not hasattr(_local, "scores"):
        _local.scores = np.zeros(lookup.MOST, np.float32)
        _local.maxima = np.zeros(maxscore.COLUMNS, np.float32)
    return _local.scores, _local.maxima
