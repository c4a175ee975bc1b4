"""The SQLite catalogue of a collection: documents, passages, segments, the current generation.

Knows neither postings nor vectors, only which segment folders hold them.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex, IncompatibleIndex
from rag.index.keys import as_bytes
from rag.index.where import glob
from rag.types import Chunk

FORMAT = 3
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")
"""An error in what is asked is one in the schema: all that is asked is ours."""
_FAILURES = {"SQLITE_FULL": errno.ENOSPC, "SQLITE_IOERR": errno.EIO}
_SETUP = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 16000;
    PRAGMA cache_size = -32000;
"""
"""A page is written to the log by each commit that changes it, and copied back once in 64 MB."""


def failure(e: sqlite3.Error, file: Path) -> OSError | None:
    """What the disk said, where SQLite failed because of that."""
    name = getattr(e, "sqlite_errorname", "")
    for begins, code in _FAILURES.items():
        if name.startswith(begins):
            return OSError(code, f"{os.strerror(code)} ({e})", str(file))
    return None


class Catalog:
    """One process's view of ``catalog.sqlite``; safe to share between threads.

    Raises
    ------
    CorruptIndex
        The file is no SQLite database, or a damaged one.
    IncompatibleIndex
        A newer or older format.
    OSError
        The disk is full or fails; so may whatever writes or reads.
    """

    def __init__(self, file: Path, *, create: bool) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._heading = lru_cache(1024)(lambda written: tuple(self.parsed(written)))
        if not create and not file.is_file():
            raise CorruptIndex(file, "it is missing")
        with self._guard():
            self._db = sqlite3.connect(
                file, check_same_thread=False, isolation_level=None, timeout=30
            )
            try:
                self._prepare(create=create)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, *, create: bool) -> None:
        self._db.create_function("glob_path", 2, glob, deterministic=True)
        self._db.create_function("digest", 1, as_bytes, deterministic=True)
        if create and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            schema = files("rag.index").joinpath("schema.sql").read_text("utf-8")
            first = f"INSERT INTO meta VALUES ('format', '{FORMAT}'), ('generation', '0');"
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._db.executescript(f"BEGIN IMMEDIATE; {schema} {first} COMMIT;")
        # After the schema: until it is committed, others see no database at all.
        self._db.executescript(_SETUP)
        try:
            found = self.meta("format")
        except sqlite3.OperationalError as e:
            raise CorruptIndex(self.file, str(e)) from e
        if found != str(FORMAT):
            raise IncompatibleIndex(
                "format",
                str(found),
                str(FORMAT),
                remedy=f"Remove {self.file.parent}, or name another collection, and index again",
            )
        self._inode = self.file.stat().st_ino

    @property
    def replaced(self) -> bool:
        """Whether the file is gone, or another one by now."""
        try:
            return self.file.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.DatabaseError as e:
            # Without a code it comes from the binding: a misuse, or text that is no UTF-8.
            lacking = "SQLITE_CORRUPT" if isinstance(e, sqlite3.OperationalError) else ""
            if getattr(e, "sqlite_errorname", lacking).startswith(_DAMAGED):
                raise CorruptIndex(self.file, str(e)) from e
            if failed := failure(e, self.file):
                raise failed from e
            raise
        except UnicodeDecodeError as e:  # of a damaged schema that SQLite complains of
            raise CorruptIndex(self.file, str(e)) from e

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; publishes a new generation when it changes anything."""
        with self._guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                before = self._db.total_changes
                yield
                if self._db.total_changes != before:
                    self.set_meta("generation", str(self.generation + 1))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled back by itself
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view for several queries."""
        with self._guard():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guard():
            return self._db.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; the row id it inserted, if any."""
        with self._guard():
            return self._db.execute(sql, parameters).lastrowid or 0

    def write_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> int:
        """Run one statement with each of ``parameters``; how many rows changed."""
        with self._guard():
            return max(self._db.executemany(sql, parameters).rowcount, 0)

    def parsed(self, written: str) -> Any:  # noqa: ANN401
        """What a column holds that is written as JSON."""
        with self.sense():
            return json.loads(written)

    @contextmanager
    def sense(self) -> Iterator[None]:
        """For making something of its values: those of a damaged page may be of any kind.

        Raises
        ------
        CorruptIndex
            Nothing can be made of them.
        """
        try:
            yield
        except (ValueError, TypeError, AttributeError, OverflowError, LookupError) as e:
            raise CorruptIndex(self.file, f"it holds what makes no sense: {e}") from e

    def meta(self, key: str) -> str | None:
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else None

    def set_meta(self, key: str, value: str) -> None:
        self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def generation(self) -> int:
        with self.sense():
            return int(self.meta("generation") or 0)

    def hand_out(self, what: str, count: int) -> int:
        """The first of ``count`` row numbers that were never used and never will be again."""
        with self.sense():
            used = int(self.meta(what) or 0)
        self.set_meta(what, str(used + count))
        return used + 1

    def passages(self, condition: str, parameters: Sequence[Any] = ()) -> NDArray[np.int64]:
        """Row numbers of the passages of the ``documents d`` that meet ``condition``."""
        sql = f"SELECT d.first, d.passages FROM documents d WHERE {condition}"
        with self.sense():
            spans = np.array(self.rows(sql, parameters), np.int64).reshape(-1, 2)
        first, count = spans[:, 0], spans[:, 1]
        before = np.cumsum(count) - count
        return np.repeat(first - before, count) + np.arange(count.sum())

    def dead(self, since: int = 0) -> NDArray[np.int64]:
        """Row numbers, ascending, of passages that died in a generation after ``since``.

        Segments may still hold them, but readers must not see them.
        """
        return np.sort(self.passages("d.died_in > ?", (since,)))

    def purge(self, docs: Sequence[int]) -> None:
        """Forget documents and their passages, in the caller's transaction."""
        given = json.dumps(list(docs))
        of = "FROM documents WHERE doc IN (SELECT value FROM json_each(?))"
        spans = self.rows(f"SELECT first, first + passages {of}", (given,))
        self.write_many("DELETE FROM chunks WHERE chunk >= ? AND chunk < ?", spans)
        self.write(f"DELETE {of}", (given,))

    def chunks(self, numbers: Iterable[int], since: float) -> dict[int, Chunk]:
        """Passages by row number, less those that are gone.

        Those of documents that died after ``since`` (seconds of the epoch) are still there.
        """
        sql = """
            SELECT d.doc, c.chunk, d.id, d.version, c.position, c.start, c.stop, d.path, d.title,
                   c.heading, c.lead, c.outer_start, c.outer_stop
            FROM chunks c JOIN documents d USING (doc)
            WHERE c.chunk IN (SELECT value FROM json_each(?))
              AND (d.died_at IS NULL OR d.died_at > ?)
        """
        with self.reading():
            found = self.rows(sql, (json.dumps(list(numbers)), since))
            # Cut here: SQLite's substr() ends at a NUL character.
            docs = json.dumps(list({row[0] for row in found}))
            of = "SELECT doc, text FROM documents WHERE doc IN (SELECT value FROM json_each(?))"
            texts = dict(self.rows(of, (docs,)))
        with self.sense():
            return {
                chunk: Chunk(id_.hex(), version.hex(), position, start, stop,
                             texts[doc][start:stop], path, title, self._heading(heading), lead,
                             None if (begin, end) == (start, stop) else (begin, end))
                for (doc, chunk, id_, version, position, start, stop, path, title, heading, lead,
                     begin, end) in found
            }  # fmt: skip
