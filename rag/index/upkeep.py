"""What a collection's segments need from time to time: merging, dense indexes, purging.

Reads and writes files without keeping any writer waiting: only what was made is published, in a
short transaction. Knows not when it is called, and neither terms nor vectors.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import CollectionLocked, CollectionMissing
from rag.index import ann, compact, segment, tiers
from rag.index.catalog import Catalog
from rag.index.compact import Arrays, Kind, Made, Pace, Part
from rag.index.generations import within
from rag.index.lock import WriterLock
from rag.index.lookup import MOST
from rag.index.segment import Manifest
from rag.index.tiers import Unit
from rag.index.turn import Turn
from rag.types import Device

_LIMIT: dict[Kind, int | None] = {"postings": MOST, "vectors": None}
_FEW = 10_000
"""Vectors that no kind of index beats looking at."""
_SELDOM = 5.0
"""Seconds between purges."""


class Upkeep:
    """One at a time of a collection, which the caller sees to.

    Attributes
    ----------
    kind, device
        Of the dense indexes that it makes, as ``ann.choose`` and ``ann.build`` take them.
    turn
        Held by this process's writers for as long as a commit takes: a merge gets in between.
    """

    def __init__(self, path: Path, pace: Pace) -> None:
        self.kind: ann.Kind | Literal["auto"] = "auto"
        self.device: Device = "auto"
        self.turn = Turn()
        self._path = path
        self._folder = path / "segments"
        self._leases = WriterLock(path / "backup.lock")
        self._pace = pace
        self._catalog: Catalog | None = None
        self._rows: dict[int, NDArray[np.int64]] = {}
        self._exact: set[int] = set()
        self._dead, self._counted = np.empty(0, np.int64), 0
        self._purge_at, self._owed = 0.0, True  # what a process before this one has left

    def due(self, grace: float, fan_out: int) -> float | None:
        """Merge what is due and purge what died more than ``grace`` seconds ago.

        Returns
        -------
        float | None
            Seconds until there will be more to purge, ``None`` when nothing is waiting for it.
        """
        if self._open().replaced:
            return None
        for left in self._folder.glob(f"*{compact.MERGING}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        self._recount()
        while found := self._group(fan_out):
            self._merge(*found)
        self._approximate()
        return self._purge(grace)

    def everything(self) -> None:
        """Merge as far as it goes, drop everything dead and give the space back."""
        self._recount()
        for kind, space, units in self._units():
            for group in tiers.everything(units, _LIMIT[kind]):
                self._merge(kind, space, group)
        self._approximate()
        self._purge(0.0, every=True)
        catalog = self._open()
        while compact.give_back(catalog):
            pass
        catalog.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        if self._catalog:
            self._catalog.close()

    def _group(self, fan_out: int) -> tuple[Kind, int | None, list[Unit]] | None:
        for kind, space, units in self._units():
            if group := tiers.due(units, _LIMIT[kind], fan_out):
                return kind, space, group
        return None

    def _units(self) -> list[tuple[Kind, int | None, list[Unit]]]:
        """Live segments of each kind and space, in the order of their first passages."""
        sql = """SELECT kind, space, segment, rows FROM segments
                 WHERE died_at IS NULL AND kind IN ('postings', 'vectors')"""
        found: dict[tuple[Kind, int | None], list[Unit]] = {}
        for kind, space, number, count in self._open().rows(sql):
            rows = self._rows_of(number)
            ours = slice(*np.searchsorted(self._dead, [rows[0], rows[-1] + 1]))
            dead = int(within(self._dead[ours], rows).sum())
            found.setdefault((kind, space), []).append(Unit(number, count, count - dead))
        first = self._rows
        return [
            (kind, space, sorted(units, key=lambda u: int(first[u.number][0])))
            for (kind, space), units in found.items()
        ]

    def _rows_of(self, number: int) -> NDArray[np.int64]:
        if number not in self._rows:
            file = {"rows.npy": self._manifest(number)["rows.npy"]}
            self._rows[number] = segment.read(self._folder / str(number), file)["rows"]
        return self._rows[number]

    def _manifest(self, number: int) -> dict[str, str]:
        sql = "SELECT manifest FROM segments WHERE segment = ?"
        catalog = self._open()
        return dict(catalog.parsed(catalog.rows(sql, (number,))[0][0]))

    def _recount(self) -> None:
        """Learn which passages have died since the last time."""
        catalog = self._open()
        with catalog.reading():
            died, self._counted = catalog.dead(self._counted), catalog.generation
        self._dead = np.union1d(self._dead, died)

    def _merge(self, kind: Kind, space: int | None, group: list[Unit]) -> None:
        """Write one segment of the living of ``group`` and publish it in its place."""
        self._recount()
        parts: list[Part] = []
        for unit in (unit for unit in group if unit.living):
            arrays = segment.read(self._folder / str(unit.number), self._manifest(unit.number))
            self._pace(sum(a.nbytes for a in arrays.values()))
            parts.append((arrays, ~within(arrays["rows"], self._dead)))
        made = None
        if sum(int(keep.sum()) for _, keep in parts):
            scratch = self._folder / f"{compact.MERGING}.scratch"
            joined = compact.join(kind, parts, scratch, self._pace)
            made = Made(kind, space, len(joined["rows"]), self._write(joined))
            scratch.unlink(missing_ok=True)
        self._replace([unit.number for unit in group], made)

    def _approximate(self) -> None:
        """Index segments of vectors that are too large to look at every one."""
        sql = """SELECT segment, space, rows FROM segments s
                 WHERE kind = 'vectors' AND died_at IS NULL AND rows > ? AND NOT EXISTS
                 (SELECT 1 FROM segments WHERE of = s.segment AND died_at IS NULL)"""
        for number, space, count in self._open().rows(sql, (_FEW,)):
            if number in self._exact:
                continue
            file = {"vectors.npy": self._manifest(number)["vectors.npy"]}
            vectors = segment.read(self._folder / str(number), file)["vectors"]
            kind = ann.choose(count, vectors.shape[1], self.kind)
            if kind == "flat":
                self._exact.add(number)
                continue
            made = ann.build(kind, vectors, self.device).dump()
            arrays = {f"{kind}.{name}": array for name, array in made.items()}
            self._replace([], Made("ann", space, count, self._write(arrays), number))

    def _write(self, arrays: Arrays) -> Manifest:
        manifest = segment.write(self._folder / compact.MERGING, arrays)
        self._pace(sum(a.nbytes for a in arrays.values()))
        return manifest

    def _replace(self, group: list[int], made: Made | None) -> None:
        catalog = self._open()
        with self.turn, catalog.transaction():
            if catalog.replaced:
                raise CollectionMissing(self._path.name)
            compact.replace(catalog, self._folder, group, made)
        shutil.rmtree(self._folder / compact.MERGING, ignore_errors=True)

    def _purge(self, grace: float, *, every: bool = False) -> float | None:
        """Drop segments that died more than ``grace`` seconds ago and documents that they held.

        Not while somebody copies the collection. With ``every``, drop all dead documents.
        """
        now = time.time()
        if grace and now < self._purge_at:
            return self._purge_at - now
        try:
            with self._leases.hold():
                while self._drop(now - grace):
                    self._owed = True
                    if grace:
                        return 0.0  # perhaps there are more, but merges come first
                if self._owed or every:
                    self._purge_documents(now - (0.0 if every else compact.GRACE))
        except CollectionLocked:
            pass
        ((oldest,),) = self._open().rows("SELECT min(died_at) FROM segments")
        if oldest is None:
            return None
        self._purge_at = max(now + _SELDOM, oldest + grace)
        return self._purge_at - now

    def _drop(self, before: float) -> bool:
        """Drop some of the segments that died until ``before``; whether there were any."""
        with self.turn:
            gone = compact.forget(self._open(), before)
        for number in gone:
            shutil.rmtree(self._folder / str(number), ignore_errors=True)
            self._pace(0)
        return bool(gone)

    def _purge_documents(self, before: float) -> None:
        catalog = self._open()
        sql = "SELECT segment FROM segments WHERE kind IN ('postings', 'vectors')"
        listed = [n for (n,) in catalog.rows(sql)]
        self._rows = {n: rows for n, rows in self._rows.items() if n in listed}
        for docs in compact.purgeable(catalog, before, [self._rows_of(n) for n in listed]):
            with self.turn, catalog.transaction():
                catalog.purge(docs)
            self._pace(len(docs) << 12)
        self._dead, self._counted = np.empty(0, np.int64), 0
        self._owed = False

    def _open(self) -> Catalog:
        if self._catalog is None:
            self._catalog = Catalog(self._path / "catalog.sqlite", create=False)
        return self._catalog
