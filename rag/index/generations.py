"""The generations of a collection as a reader follows them: what stays the same stays open.

From one to the next, only new segments are opened and only what died since is looked for. Knows
neither queries nor texts.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex, IncompatibleIndex
from rag.index import ann, segment
from rag.index.catalog import Catalog
from rag.index.keys import Digests, Keys
from rag.index.postings import Postings
from rag.index.segment import Manifest
from rag.index.snapshot import PostingsSegment, Selection, Snapshot, VectorsSegment
from rag.index.spaces import Space, choose, spaces
from rag.types import Device

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
_VECTORS = "vectors.npy"
_LISTED = """SELECT segment, kind, space, manifest FROM segments
             WHERE died_at IS NULL AND kind != 'ann' ORDER BY segment"""
_MADE = "SELECT of, segment, manifest FROM segments WHERE died_at IS NULL AND kind = 'ann'"


class Opened:
    """A segment's files, checked and opened; those of the vectors when they are first needed."""

    def __init__(
        self, folder: Path, kind: str, space: int | None, manifest: Manifest, device: Device
    ) -> None:
        self.kind = kind
        self._device = device
        self.space = space
        self.index: int | None = None
        self._made: tuple[ann.Kind, dict[str, NDArray[Any]]] | None = None
        self._folder = folder
        self._late = dict(manifest)
        now = {name: self._late.pop(name) for name in list(self._late) if name != _VECTORS}
        self._arrays = segment.read(folder, now)
        self.rows: Rows = self._arrays["rows"]
        self.ids = Keys(self._arrays["ids"])
        if kind == "vectors":
            self.contents = Keys(self._arrays["contents"])

    @cached_property
    def postings(self) -> PostingsSegment:
        a = self._arrays
        return PostingsSegment(a["rows"], a["ids"], Postings.from_arrays(a))

    @cached_property
    def vectors(self) -> VectorsSegment:
        a = self._arrays
        return VectorsSegment(a["rows"], a["ids"], self._vectors, self._made, self._device)

    @cached_property
    def _vectors(self) -> NDArray[np.float16]:
        return segment.read(self._folder, self._late)["vectors"]

    def indexed(self, number: int, manifest: Manifest) -> Opened:
        """The same, with what the segment ``number`` has made of its vectors."""
        if self.index == number:
            return self
        arrays = segment.read(self._folder.with_name(str(number)), manifest)
        kind = cast(ann.Kind, next(iter(arrays)).partition(".")[0])
        other = copy(self)
        other.__dict__.pop("vectors", None)
        other.index = number
        other._made = kind, {name.partition(".")[2]: array for name, array in arrays.items()}
        return other


@dataclass(frozen=True, slots=True)
class Part:
    """A segment in one generation; ``alive`` masks those of its passages that live."""

    opened: Opened
    alive: Mask
    living: int

    @classmethod
    def of(cls, opened: Opened, dead: Rows) -> Part:
        return cls(opened, np.ones(len(opened.rows), np.bool_), len(opened.rows)).without(dead)

    def without(self, dead: Rows) -> Part:
        """The same, after passages died."""
        at = _places(dead, self.opened.rows)
        if not len(at):
            return self
        alive = self.alive.copy()
        alive[at] = False
        return Part(self.opened, alive, int(alive.sum()))


class Generation:
    """What one generation holds."""

    def __init__(
        self, number: int, among: tuple[Space, ...], parts: dict[int, Part], dead: Rows
    ) -> None:
        self.number = number
        self.spaces = among
        self.parts = parts
        self.dead = dead
        self.postings = [p for p in parts.values() if p.opened.kind == "postings"]
        self.passages = sum(part.living for part in self.postings)
        self._lacking: dict[int | None, Rows] = {}
        self._snapshots: dict[int | None, Snapshot] = {}
        self.selections: dict[tuple[Any, ...], Selection] = {}

    def vectors(self, space: Space | None) -> list[Part]:
        """The segments of a space."""
        number = space.number if space else -1
        return [p for p in self.parts.values() if p.opened.space == number]

    def fit(self, space: Space | None, width: int) -> None:
        """See that vectors of ``width`` numbers can be compared with those of ``space``.

        Raises
        ------
        IncompatibleIndex
            Those are of another length: another model answers by the name of the encoder.
        """
        for part in self.vectors(space)[:1]:
            there = part.opened.vectors.vectors.shape[1]
            if space and there != width:
                raise IncompatibleIndex(
                    f"encoder '{space.name or space.fingerprint}'",
                    f"of {there} numbers a vector",
                    f"of {width}",
                    remedy="Have the encoder be the model that it was, or `rag reindex --encoder` "
                    "by one of another name",
                )

    def outstanding(self, space: Space | None) -> int:
        """Living passages without a vector in ``space``."""
        return self.passages - sum(part.living for part in self.vectors(space))

    def lacking(self, space: Space | None) -> Rows:
        """The living passages without a vector in ``space``, ascending."""
        key = space.number if space else None
        if key not in self._lacking:
            rows = [part.opened.rows[part.alive] for part in self.postings]
            low = min((int(r[0]) for r in rows if len(r)), default=0)
            wanted = np.zeros(max((int(r[-1]) for r in rows if len(r)), default=-1) + 1 - low, bool)
            for r in rows:
                wanted[r - low] = True
            for part in self.vectors(space):
                wanted[part.opened.rows[part.alive] - low] = False
            self._lacking[key] = np.flatnonzero(wanted) + low
        return self._lacking[key]

    def rows_of(self, ids: Digests) -> Rows:
        """The newest passage of each id, or -1; it may be dead."""
        found = np.full(len(ids), -1, np.int64)
        for part in self.postings:
            at = part.opened.ids.find(ids)
            there = at >= 0
            found[there] = np.maximum(found[there], part.opened.rows[at[there]])
        return found

    def snapshot(self, space: Space | None) -> Snapshot:
        """Searches over the vectors of ``space``; over terms, too, in the serving one's."""
        key = space.number if space else None
        if key not in self._snapshots:
            postings = self.postings if space == choose(self.spaces, None) else []
            vectors = self.vectors(space)
            self._snapshots[key] = Snapshot(
                self.number,
                [part.opened.postings for part in postings],
                [part.opened.vectors for part in vectors],
                Selection([p.alive for p in postings], [p.alive for p in vectors]),
            )
        return self._snapshots[key]


class Generations:
    """The newest generation, opened when asked for; safe to share between threads."""

    def __init__(self, catalog: Catalog, folder: Path, device: Device) -> None:
        self._catalog = catalog
        self._device = device
        self._folder = folder
        self._loading = threading.Lock()
        self._now: Generation | None = None

    def current(self) -> Generation:
        """The newest generation.

        Raises
        ------
        CorruptIndex
            A file of it is damaged or missing.
        """
        now = self._now
        if now is None or now.number != self._catalog.generation:
            with self._loading:
                while self._now is None or self._now.number != self._catalog.generation:
                    self._now = self._next(self._now)
                now = self._now
        return now

    def _next(self, last: Generation | None) -> Generation | None:
        """The generation after ``last``; ``last`` itself if what comes next is gone already."""
        with self._catalog.reading():
            number = self._catalog.generation
            died = self._catalog.dead(last.number if last else 0)
            listed = self._catalog.rows(_LISTED)
            made_of = {of: made for of, *made in self._catalog.rows(_MADE)}
            among = spaces(self._catalog)
        known = last.parts if last else {}
        dead = np.union1d(last.dead, died) if last else died
        parts = {}
        try:
            for n, kind, space, manifest in listed:
                if n in known:
                    parts[n] = known[n].without(died)
                else:
                    folder, files = self._folder / str(n), self._catalog.parsed(manifest)
                    opened = Opened(folder, kind, space, files, self._device)
                    parts[n] = Part.of(opened, dead)
                if n in made_of:
                    number_of, manifest_of = made_of[n]
                    files = self._catalog.parsed(manifest_of)
                    opened = parts[n].opened.indexed(number_of, files)
                    parts[n] = replace(parts[n], opened=opened)
            made = Generation(number, among, parts, _held(dead, parts, known))
            made.snapshot(choose(among, None))
        except CorruptIndex as e:
            if e.file.exists() or self._catalog.generation == number:
                raise
            return last
        return made


def _held(dead: Rows, parts: dict[int, Part], before: dict[int, Part]) -> Rows:
    """Those of ``dead`` that a segment still holds; looked for when segments went away."""
    if before.keys() <= parts.keys():
        return dead
    rows = [part.opened.rows[~part.alive] for part in parts.values()]
    return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))


def _places(rows: Rows, among: Rows) -> NDArray[np.int64]:
    """Where those of ``rows`` stand that are among the ascending ``among``."""
    if not len(rows) or not len(among):
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(among, rows), len(among) - 1)
    return np.asarray(at[among[at] == rows])


def held(parts: Sequence[Part], rows: Rows) -> Mask:
    """Which of ``rows`` are living passages of ``parts``."""
    found = np.zeros(len(rows), np.bool_)
    for part in parts:
        found |= within(rows, part.opened.rows, part.alive)
    return found


def within(rows: Rows, among: Rows, where: Mask | None = None) -> Mask:
    """Which of ``rows`` are in the ascending ``among``, at a place that ``where`` lets through."""
    if not len(among):
        return np.zeros(len(rows), np.bool_)
    at = np.minimum(np.searchsorted(among, rows), len(among) - 1)
    found = among[at] == rows
    return np.asarray(found if where is None else found & where[at])
