"""What a collection knows of passages by their ids: texts, vectors, documents, neighbours.

Knows no searches. Follows the generations that a writer publishes.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex
from rag.index import compact
from rag.index.catalog import Catalog
from rag.index.documents import Documents
from rag.index.generations import Generation, Generations, Rows, held, within
from rag.index.keys import Digests, from_hex
from rag.index.snapshot import Snapshot
from rag.index.spaces import Space, choose
from rag.types import Chunk, Device

_SEEN = 500
"""Searches whose passages can still be fetched when they died and were merged away."""


@dataclass(frozen=True, slots=True)
class About:
    """The document that a passage is of: its id, and what it may be ranked by besides its text."""

    document: str
    path: str
    title: str
    language: str
    metadata: Mapping[str, str]


class Passages(Documents):
    """The passages of the collection in ``path``; safe to share between threads.

    ``encoder``, wherever it is asked for, is the fingerprint of the encoder whose vectors are
    meant; without it, those of the serving one. ``IncompatibleIndex`` is raised if the collection
    has none of that encoder, or none any more.
    """

    def __init__(self, path: Path, catalog: Catalog, device: Device) -> None:
        super().__init__(path, catalog)
        self._segments = path / "segments"
        self._generations = Generations(catalog, self._segments, device)
        self._seen: deque[tuple[Digests, Rows]] = deque(maxlen=_SEEN)
        self._asked: tuple[int, tuple[str, ...], dict[str, int]] = -1, (), {}

    def fetch(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Passages by id; ids that are gone are left out.

        A passage that a replaced or deleted document had is still found during the grace of
        ``compact``, for the sake of searches under way.
        """
        rows = self._rows_of(ids)
        found = self._read.chunks(rows.values(), time.time() - compact.GRACE)
        return {id_: found[row] for id_, row in rows.items() if row in found}

    def about(self, ids: Sequence[str]) -> dict[str, About]:
        """The document of each passage, without its text; ids that are gone are left out."""
        rows = self._rows_of(ids)
        sql = """
            SELECT c.chunk, d.id, d.path, d.title, d.language, d.metadata
            FROM chunks c JOIN documents d USING (doc)
            WHERE c.chunk IN (SELECT value FROM json_each(?))
              AND (d.died_at IS NULL OR d.died_at > ?)
        """
        since = time.time() - compact.GRACE
        listed = self._read.rows(sql, (json.dumps(list(rows.values())), since))
        with self._read.sense():
            found = {
                row: About(id_.hex(), path, title, language, dict(self._read.parsed(metadata)))
                for row, id_, path, title, language, metadata in listed
            }
        return {id_: found[row] for id_, row in rows.items() if row in found}

    def around(self, ids: Sequence[str], count: int) -> dict[str, tuple[int, int]]:
        """The span of each passage and ``count`` neighbours on both sides, within its document."""
        rows = self._rows_of(ids)
        sql = """
            SELECT c.chunk, min(n.start), max(n.stop)
            FROM chunks c JOIN chunks n
              ON n.chunk BETWEEN c.chunk - ? AND c.chunk + ? AND n.doc = c.doc
            WHERE c.chunk IN (SELECT value FROM json_each(?)) GROUP BY c.chunk
        """
        listed = self._read.rows(sql, (count, count, json.dumps(list(rows.values()))))
        found = {row: (start, stop) for row, start, stop in listed}
        return {id_: found[row] for id_, row in rows.items() if row in found}

    def vectors(
        self, ids: Sequence[str], *, encoder: str | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """The stored vectors, ``(dim,) float32`` of unit norm, of the passages that have one."""
        rows = self._rows_of(ids)
        found: dict[int, NDArray[np.float32]] = {}
        for here, wide in self._vectors_of(rows, encoder):
            found.update(zip(here.tolist(), wide, strict=True))
        return {id_: found[row] for id_, row in rows.items() if row in found}

    def cosines(
        self, vector: NDArray[np.float32], ids: Sequence[str], *, encoder: str | None = None
    ) -> dict[str, float]:
        """How near the passages that have a vector are to ``vector``, ``(dim,) float32``."""
        rows = self._rows_of(ids)
        found: dict[int, float] = {}
        for here, wide in self._vectors_of(rows, encoder):
            near = np.einsum("ij,j->i", wide, vector)  # the same for the same: BLAS rounds by place
            found.update(zip(here.tolist(), near.tolist(), strict=True))
        return {id_: found[row] for id_, row in rows.items() if row in found}

    def _vectors_of(
        self, rows: Mapping[str, int], encoder: str | None
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Of each segment those of ``rows`` that it has, and their vectors."""
        now, _, space = self._searchable(encoder)
        numbers = np.array(list(rows.values()), np.int64)
        for part in now.vectors(space):
            here = numbers[within(numbers, part.opened.rows)]
            at = np.searchsorted(part.opened.rows, here)
            wide = part.opened.vectors.vectors[at].astype(np.float32)
            wide /= np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
            yield here, wide

    def without_vector(self, ids: Sequence[str], *, encoder: str | None = None) -> list[str]:
        """Those of the passages ``ids`` that have no vector yet."""
        now = self._current()
        space = choose(now.spaces, encoder)
        if not now.outstanding(space):
            return []
        rows = self._rows_of(ids)
        numbers = np.array(list(rows.values()), np.int64)
        lacking = held(now.postings, numbers) & ~held(now.vectors(space), numbers)
        return [id_ for id_, lacks in zip(rows, lacking, strict=True) if lacks]

    def _current(self) -> Generation:
        return self._generations.current()

    def _searchable(self, encoder: str | None) -> tuple[Generation, Snapshot, Space | None]:
        while True:
            now = self._current()
            space = choose(now.spaces, encoder)
            try:
                return now, now.snapshot(space), space
            except CorruptIndex as e:  # unless it was purged by now
                if e.file.exists() or now.number == self._read.generation:
                    raise

    def _rows_of(self, ids: Sequence[str]) -> dict[str, int]:
        """The newest row of each passage that is there, or was when a search found it."""
        now, asked = self._current(), tuple(ids)
        number, before, known = self._asked  # a search asks for the same passages again
        if number == now.number and before == asked:
            return known
        digests, places = from_hex(ids)
        rows = now.rows_of(digests)
        for i in np.flatnonzero(rows < 0):  # merged away: died since it was found
            for seen, numbers in reversed(tuple(self._seen)):
                if (at := (seen == digests[i]).all(axis=1)).any():
                    rows[i] = numbers[at][0]
                    break
        named = zip([ids[i] for i in places.tolist()], rows.tolist(), strict=True)
        found = {id_: row for id_, row in named if row >= 0}
        self._asked = now.number, asked, found
        return found
