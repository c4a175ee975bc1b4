"""A collection: a folder that one process writes and many read.

Commits. Knows neither files of the user nor questions: rows bring their terms and vectors with
them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import CollectionMissing
from rag.index import compact
from rag.index.catalog import Catalog, plain
from rag.index.lock import WriterLock
from rag.index.reader import Arrays, Reader
from rag.index.rows import Row, Stat, Tuned
from rag.index.sparse import invert
from rag.types import digest


class Collection(Reader):
    """An open collection; safe to share between threads.

    Parameters
    ----------
    path
        Its folder; the folder's name is the collection's.
    create
        Make it when it does not exist.

    Raises
    ------
    CollectionMissing
        It does not exist and ``create`` is false.
    CorruptIndex, IncompatibleIndex
        It cannot be read.
    """

    def __init__(self, path: Path | str, *, create: bool = False) -> None:
        path = Path(path)
        file = path / "catalog.sqlite"
        if not create and not file.exists():
            raise CollectionMissing(path.name)
        (path / "segments").mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path / "writer.lock")
        if file.exists() and file.stat().st_size:
            catalog = Catalog(file, create=create)
        else:
            with self._lock.hold(wait=10):
                catalog = Catalog(file, create=create)
        super().__init__(path, catalog)
        self._write = Catalog(file, create=False)

    def close(self) -> None:
        self._read.close()
        self._write.close()

    @contextmanager
    def writing(self, wait: float = 1.0) -> Iterator[None]:
        """Keep other writers out for as long as several commits take.

        Raises
        ------
        CollectionLocked
            Another writer is at it, and stays for more than ``wait`` seconds.
        CollectionMissing
            The collection's folder was removed, or made anew, since it was opened.
        """
        if self.replaced:
            raise CollectionMissing(self.name)
        with self._lock.hold(wait):
            if self.replaced:
                raise CollectionMissing(self.name)
            yield

    def ensure(self, what: Literal["analyser", "encoder"], fingerprint: str) -> None:
        """Bind the collection to an analyser or encoder on first use.

        Raises
        ------
        IncompatibleIndex
            It is bound to another.
        """
        if self._read.meta(what) is None:
            with self.writing(10), self._write.transaction():
                if self._write.meta(what) is None:
                    self._write.set_meta(what, fingerprint)
        self.check(what, fingerprint)

    def tune(self, found: Tuned) -> None:
        """Keep what `rag tune` has found, in place of what it found before."""
        with self.writing(10), self._write.transaction():
            self._write.set_meta("tuned", json.dumps(asdict(found), ensure_ascii=False))

    def upsert(self, rows: Sequence[Row], wait: float = 1.0) -> None:
        """Add documents, each replacing what had its id; searchable when this returns.

        Raises
        ------
        CollectionLocked
            Another process is writing.
        """
        rows = list({row.document.id: row for row in rows}.values())  # the last of each
        if not rows:
            return
        with self.writing(wait):
            compact.remove_orphans(self._write, self._segments)
            with self._write.transaction():
                self._kill([row.document.id for row in rows])
                numbers = [n for row in rows for n in self._insert(row)]
                if numbers:
                    postings = invert([terms for row in rows for terms in row.terms])
                    arrays: Arrays = {"rows": np.array(numbers, np.int64), **postings.arrays()}
                    compact.publish(self._write, self._segments, "postings", arrays)
                    self._reuse_vectors(numbers[0])
            compact.tidy(self._write, self._segments)

    def delete(self, ids: Sequence[str], wait: float = 1.0) -> int:
        """Make documents invisible at once; their number."""
        with self.writing(wait):
            compact.remove_orphans(self._write, self._segments)
            with self._write.transaction():
                killed = self._kill(ids)
            compact.tidy(self._write, self._segments)
        return killed

    def restat(self, stats: Sequence[tuple[str, Stat]], wait: float = 1.0) -> None:
        """Note that documents' files have new stats but the same content."""
        with self.writing(wait), self._write.transaction():
            self._write.write_many(
                """UPDATE documents SET size = ?, mtime_ns = ?, sha256 = ?
                   WHERE id = ? AND died_at IS NULL""",
                [(s.size, s.mtime_ns, s.sha256, id_) for id_, s in stats],
            )

    def add_vectors(self, numbers: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Publish ``(n, dim)`` unit vectors of the passages ``numbers``.

        Passages that have one by now, or are gone, are passed over.
        """
        sql = """SELECT chunk FROM chunks JOIN documents USING (doc)
                 WHERE vectors IS NULL AND died_at IS NULL
                 AND chunk IN (SELECT value FROM json_each(?))"""
        with self.writing(wait=60):
            compact.remove_orphans(self._write, self._segments)
            with self._write.transaction():
                wanted = [n for (n,) in self._write.rows(sql, (json.dumps(list(numbers)),))]
                keep = np.isin(numbers, wanted)
                if keep.any():
                    arrays: Arrays = {
                        "rows": np.array(numbers, np.int64)[keep],
                        "vectors": vectors[keep],
                    }
                    compact.publish(self._write, self._segments, "vectors", arrays)
            compact.tidy(self._write, self._segments)

    def _insert(self, row: Row) -> list[int]:
        d, s = row.document, row.stat
        doc = self._write.write(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            (d.id, d.version, d.uri, d.path, d.title, row.language,
             json.dumps({plain(k): plain(v) for k, v in d.metadata.items()}, ensure_ascii=False),
             json.dumps(list(map(plain, d.groups))),
             s.size, s.mtime_ns, s.sha256, d.text),
        )  # fmt: skip
        return [
            self._write.write(
                "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (c.id, doc, c.position, c.start, c.end,
                 json.dumps(c.heading, ensure_ascii=False), digest(c.context)),
            )
            for c in row.chunks
        ]  # fmt: skip

    def _kill(self, ids: Sequence[str]) -> int:
        sql = """UPDATE documents SET died_at = ? WHERE died_at IS NULL
                 AND id IN (SELECT value FROM json_each(?)) RETURNING doc"""
        return len(self._write.rows(sql, (time.time(), json.dumps(list(ids)))))

    def _reuse_vectors(self, first: int) -> None:
        """Give new passages (row numbers from ``first``) vectors of old ones of equal content."""
        sql = """SELECT n.chunk, o.vectors, o.chunk
                 FROM chunks n JOIN chunks o ON o.content = n.content
                 WHERE n.chunk >= ? AND o.vectors IS NOT NULL GROUP BY n.chunk"""
        found = self._write.rows(sql, (first,))
        if not found:
            return
        rows, vectors = [], []
        for number in {v for _, v, _ in found}:
            part = self._vectors(number)
            pairs = [(new, old) for new, v, old in found if v == number]
            rows += [new for new, _ in pairs]
            at = {row: i for i, row in enumerate(part.rows.tolist())}
            vectors.append(part.vectors[[at[old] for _, old in pairs]])
        arrays: Arrays = {"rows": np.array(rows, np.int64), "vectors": np.concatenate(vectors)}
        compact.publish(self._write, self._segments, "vectors", arrays)
