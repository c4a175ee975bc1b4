"""What a collection says to those who ask: searches, passages, documents, state.

Follows the generations that a writer publishes, in this process or another.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex, IncompatibleIndex, NotFound
from rag.index import compact, segment
from rag.index.catalog import DEAD, Catalog, where
from rag.index.rows import Known, Stat, Status, Tuned
from rag.index.snapshot import PostingsSegment, Ranked, Selection, Snapshot, VectorsSegment
from rag.index.sparse import Postings
from rag.types import Chunk, Filter

Scored = list[tuple[str, float]]
"""Passage ids and scores, best first; ties by id."""
Arrays = dict[str, NDArray[Any]]
_FEW = 50
_SELECTIONS = 64
_OUTSTANDING = (
    "FROM chunks c JOIN documents d USING (doc) WHERE c.vectors IS NULL AND d.died_at IS NULL"
)


class Reader:
    """The reading side of the collection in ``path``; safe to share between threads."""

    def __init__(self, path: Path, catalog: Catalog) -> None:
        self.path = path
        self.name = path.name
        self._segments = path / "segments"
        self._read = catalog
        self._refresh = threading.Lock()
        self._open_postings: dict[int, PostingsSegment] = {}
        self._open_vectors: dict[int, VectorsSegment] = {}
        self._snapshot: Snapshot | None = None
        self._centroids: tuple[int, dict[tuple[str, ...], NDArray[np.float32]]] | None = None

    @property
    def replaced(self) -> bool:
        """Whether the collection was removed, or made anew, since this was opened."""
        return self._read.replaced

    @property
    def generation(self) -> int:
        return self._read.generation

    def sparse(
        self,
        terms: Sequence[str],
        k: int,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        *,
        scorer: Literal["bm25", "tfidf"] = "bm25",
        **parameters: float,
    ) -> Scored:
        """The ``k`` passages that score best for ``terms``; ``k1`` and ``b`` may be given."""
        snapshot = self._current()
        selection = self._selection(snapshot, filter)
        return self._named(snapshot.sparse(terms, k, selection, scorer, **parameters), k)

    def dense(
        self,
        vector: NDArray[np.float32],
        k: int,
        filter: Filter | None = None,  # noqa: A002
    ) -> Scored:
        """The ``k`` encoded passages nearest to ``vector``, ``(dim,) float32``, by cosine."""
        snapshot = self._current()
        return self._named(snapshot.dense(vector, k, self._selection(snapshot, filter)), k)

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """BM25's weight of each term: how rare it is here; the highest for an unknown one."""
        return self._current().idf(frozenset(terms))

    def centroids(self) -> dict[tuple[str, ...], NDArray[np.float32]]:
        """Mean vector, ``(dim,) float32``, of the encoded passages of each language.

        Languages with fewer than ``_FEW`` vectors share one entry: the mean of all passages.
        """
        snapshot = self._current()
        if self._centroids is None or self._centroids[0] != snapshot.generation:
            self._centroids = snapshot.generation, self._means(snapshot)
        return self._centroids[1]

    def _means(self, snapshot: Snapshot) -> dict[tuple[str, ...], NDArray[np.float32]]:
        sql = "SELECT DISTINCT language FROM documents WHERE died_at IS NULL ORDER BY 1"
        means: dict[tuple[str, ...], NDArray[np.float32]] = {}
        few = []
        for (language,) in self._read.rows(sql):
            within = self._selection(snapshot, Filter({"language": (language,)}))
            total, count = snapshot.sum(within)
            if count >= _FEW:
                means[language,] = (total / count).astype(np.float32)
            else:
                few.append(language)
        total, count = snapshot.sum(snapshot.everything)
        if few and count:
            means[tuple(few)] = (total / count).astype(np.float32)
        return means

    def fetch(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Passages by id; ids that are gone are left out.

        A passage that a replaced or deleted document had is still found during the grace of
        ``compact``, for the sake of searches under way.
        """
        since = time.time() - compact.GRACE
        return {chunk.id: chunk for _, chunk in self._read.chunks("id", ids, since)}

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002
        """Live passages."""
        condition, parameters = where(filter)
        sql = f"SELECT count(*) FROM chunks c JOIN documents d USING (doc) WHERE {condition}"
        return int(self._read.rows(sql, parameters)[0][0])

    def outstanding(self) -> int:
        """Live passages that have no vector yet."""
        return int(self._read.rows(f"SELECT count(*) {_OUTSTANDING}")[0][0])

    def unencoded(self, limit: int) -> list[tuple[int, str]]:
        """Row number and context of up to ``limit`` live passages without a vector."""
        numbers = self._read.rows(
            f"SELECT c.chunk {_OUTSTANDING} ORDER BY c.chunk LIMIT ?", (limit,)
        )
        found = self._read.chunks("chunk", [n for (n,) in numbers], time.time())
        return sorted((number, chunk.context) for number, chunk in found)

    def without_vector(self, ids: Sequence[str]) -> list[str]:
        """Those of the passages ``ids`` that have no vector yet."""
        sql = f"SELECT c.id {_OUTSTANDING} AND c.id IN (SELECT value FROM json_each(?))"
        return [id_ for (id_,) in self._read.rows(sql, (json.dumps(list(ids)),))]

    def documents(self, filter: Filter | None = None) -> list[Known]:  # noqa: A002
        """Live documents by path."""
        condition, parameters = where(filter)
        sql = f"""
            SELECT d.id, d.version, d.uri, d.path, d.title, d.language,
                   d.size, d.mtime_ns, d.sha256, (SELECT count(*) FROM chunks WHERE doc = d.doc)
            FROM documents d WHERE {condition} ORDER BY d.path, d.id
        """
        return [
            Known(*known, stat=Stat(size, mtime_ns, sha256), chunks=chunks)  # type: ignore[misc]
            for *known, size, mtime_ns, sha256, chunks in self._read.rows(sql, parameters)
        ]

    def text(self, document: str, version: str | None = None) -> str:
        """The stored text of a live document.

        Raises
        ------
        NotFound
            No such document, or it has another version by now.
        """
        sql = "SELECT version, text FROM documents WHERE id = ? AND died_at IS NULL"
        found = self._read.rows(sql, (document,))
        if not found:
            raise NotFound(f"there is no document '{document}' in collection '{self.name}'")
        if version not in (None, found[0][0]):
            raise NotFound(f"document '{document}' has changed: version '{version}' is gone")
        return str(found[0][1])

    def passages(self, document: str) -> list[Chunk]:
        """The passages of a live document, in order."""
        sql = """SELECT c.chunk FROM chunks c JOIN documents d USING (doc)
                 WHERE d.id = ? AND d.died_at IS NULL"""
        numbers = [n for (n,) in self._read.rows(sql, (document,))]
        found = self._read.chunks("chunk", numbers, time.time())
        return sorted((chunk for _, chunk in found), key=lambda c: c.position)

    def lines(self, places: Sequence[tuple[str, str, int]]) -> list[int]:
        """The line, from 1, of each ``(document, version, offset)`` in the stored text.

        0 where that version is gone; one that died a moment ago still counts.
        """
        sql = """SELECT id, version, text FROM documents
                 WHERE id IN (SELECT value FROM json_each(?))"""
        found = self._read.rows(sql, (json.dumps([document for document, _, _ in places]),))
        texts = {(document, version): text for document, version, text in found}
        return [texts[d, v].count("\n", 0, at) + 1 if (d, v) in texts else 0 for d, v, at in places]

    def status(self) -> Status:
        """What it holds, and what is outstanding."""
        documents = self._read.rows("SELECT count(*) FROM documents WHERE died_at IS NULL")
        return Status(
            name=self.name,
            documents=int(documents[0][0]),
            passages=self.count(),
            outstanding=self.outstanding(),
            bytes=segment.size(self.path),
            generation=self.generation,
            analyser=self._read.meta("analyser") or "",
            encoder=self._read.meta("encoder") or "",
            tuned=self.tuned(),
        )

    def tuned(self) -> Tuned:
        """What `rag tune` has found for this collection.

        Raises
        ------
        CorruptIndex
            It makes no sense.
        """
        try:
            found = json.loads(self._read.meta("tuned") or "{}")
            return Tuned(dict(found.get("settings", {})), dict(found.get("provenance", {})))
        except (ValueError, TypeError, AttributeError) as e:
            why = f"its tuning makes no sense; `rag tune --reset -c {self.name}` removes it"
            raise CorruptIndex(self.path / "catalog.sqlite", why) from e

    def check(self, what: Literal["analyser", "encoder"], fingerprint: str) -> None:
        """Raise ``IncompatibleIndex`` if the collection is bound to another."""
        found = self._read.meta(what)
        if found not in (None, fingerprint):
            raise IncompatibleIndex(what, found, fingerprint)

    def _arrays(self, number: int) -> Arrays:
        manifest = self._read.rows("SELECT manifest FROM segments WHERE segment = ?", (number,))
        return segment.read(self._segments / str(number), json.loads(manifest[0][0]))

    def _postings(self, number: int) -> PostingsSegment:
        if (opened := self._open_postings.get(number)) is None:
            arrays = self._arrays(number)
            opened = PostingsSegment(np.asarray(arrays["rows"]), Postings.from_arrays(arrays))
            self._open_postings[number] = opened
        return opened

    def _vectors(self, number: int) -> VectorsSegment:
        if (opened := self._open_vectors.get(number)) is None:
            arrays = self._arrays(number)
            opened = VectorsSegment(np.asarray(arrays["rows"]), arrays["vectors"])
            self._open_vectors[number] = opened
        return opened

    def _current(self) -> Snapshot:
        if self._snapshot is None or self._snapshot.generation != self._read.generation:
            with self._refresh:
                if self._snapshot is None or self._snapshot.generation != self._read.generation:
                    self._snapshot = self._load()
        return self._snapshot

    def _load(self) -> Snapshot:
        with self._read.reading():
            generation = self._read.generation
            dead = self._read.rows(DEAD)
            live = self._read.rows("SELECT segment, kind FROM segments WHERE died_at IS NULL")
            postings = {n: self._postings(n) for n, kind in live if kind == "postings"}
            vectors = {n: self._vectors(n) for n, kind in live if kind == "vectors"}
        self._open_postings, self._open_vectors = dict(postings), dict(vectors)
        rows = np.array([n for (n,) in dead], np.int64)
        return Snapshot(generation, list(postings.values()), list(vectors.values()), rows)

    def _selection(self, snapshot: Snapshot, filter: Filter | None) -> Selection:  # noqa: A002
        if not filter:
            return snapshot.everything
        # The dead too: the snapshot leaves out its own, and may be older than this query.
        condition, parameters = where(filter, dead=True)
        key = (condition, *parameters)
        if (found := snapshot.selections.get(key)) is None:
            sql = f"SELECT c.chunk FROM chunks c JOIN documents d USING (doc) WHERE {condition}"
            rows = np.array([n for (n,) in self._read.rows(sql, parameters)], np.int64)
            found = snapshot.select(rows)
            with self._refresh:
                if len(snapshot.selections) >= _SELECTIONS:
                    snapshot.selections.pop(next(iter(snapshot.selections)))
                snapshot.selections[key] = found
        return found

    def _named(self, ranked: Ranked, k: int) -> Scored:
        rows, scores = ranked
        sql = "SELECT chunk, id FROM chunks WHERE chunk IN (SELECT value FROM json_each(?))"
        ids = dict(self._read.rows(sql, (json.dumps(rows.tolist()),)))
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        named = [(ids[row], score) for row, score in pairs if row in ids]
        return sorted(named, key=lambda x: (-x[1], x[0]))[:k]
