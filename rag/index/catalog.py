"""The SQLite catalogue of a collection: documents, passages, segments, the current generation.

Knows neither postings nor vectors, only which segment folders hold them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag.errors import BadQuery, CorruptIndex, IncompatibleIndex
from rag.types import Chunk, Filter

FORMAT = 1
DEAD = "SELECT chunk FROM chunks WHERE doc IN (SELECT doc FROM documents WHERE died_at > 0)"
"""Passages that segments may still hold but readers must not see."""
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_COLUMNS = ("document", "title", "language")


class Catalog:
    """One process's view of ``catalog.sqlite``; safe to share between threads.

    Raises
    ------
    CorruptIndex
        The file is no SQLite database, or a damaged one.
    IncompatibleIndex
        A newer or older format.
    """

    def __init__(self, file: Path, *, create: bool) -> None:
        self.file = file
        self._lock = threading.RLock()
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
        self._db.create_function("glob_path", 2, _glob, deterministic=True)
        if create and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            schema = files("rag.index").joinpath("schema.sql").read_text("utf-8")
            first = f"INSERT INTO meta VALUES ('format', '{FORMAT}'), ('generation', '0');"
            self._db.executescript(f"BEGIN IMMEDIATE; {schema} {first} COMMIT;")
        # After the schema: until it is committed, others see no database at all.
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        )
        try:
            found = self.meta("format")
        except sqlite3.OperationalError as e:
            raise CorruptIndex(self.file, str(e)) from e
        if found != str(FORMAT):
            raise IncompatibleIndex("format", str(found), str(FORMAT))
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
            raise

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

    def write_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        with self._guard():
            self._db.executemany(sql, parameters)

    def meta(self, key: str) -> str | None:
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else None

    def set_meta(self, key: str, value: str) -> None:
        self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def generation(self) -> int:
        return int(self.meta("generation") or 0)

    def chunks(self, column: str, keys: Sequence[Any], since: float) -> list[tuple[int, Chunk]]:
        """``(row id, passage)`` of the passages whose ``column`` is among ``keys``.

        Those of documents that died after ``since`` (seconds of the epoch) come first, the living
        last, so that a dictionary by id keeps the living.
        """
        sql = f"""
            SELECT d.doc, c.chunk, d.id, d.version, c.position, c.start, c.stop, d.path, d.title,
                   c.heading
            FROM chunks c JOIN documents d USING (doc)
            WHERE c.{column} IN (SELECT value FROM json_each(?))
              AND (d.died_at IS NULL OR d.died_at > ?)
            ORDER BY d.died_at IS NULL, d.died_at
        """
        with self.reading():
            found = self.rows(sql, (json.dumps(list(keys)), since))
            # Cut here: SQLite's substr() ends at a NUL character.
            docs = json.dumps(list({row[0] for row in found}))
            of = "SELECT doc, text FROM documents WHERE doc IN (SELECT value FROM json_each(?))"
            texts = dict(self.rows(of, (docs,)))
        return [
            (chunk, Chunk(document, version, position, start, stop, texts[doc][start:stop],
                          path, title, tuple(json.loads(heading))))
            for doc, chunk, document, version, position, start, stop, path, title, heading in found
        ]  # fmt: skip


def plain(value: str) -> str:
    """``value`` without NUL, at which SQLite's JSON ends a text: "staff" NUL "x" is "staff"."""
    return value.replace("\0", "\ufffd")


def where(
    filter: Filter | None,  # noqa: A002 - the field's word
    *,
    dead: bool = False,
) -> tuple[str, list[Any]]:
    """SQL condition over live ``documents d``, or also ``dead`` ones, and its parameters.

    Raises
    ------
    BadQuery
        A field without values.
    """
    parts, parameters = ["TRUE" if dead else "d.died_at IS NULL"], list[Any]()
    for field, values in (filter.fields if filter else {}).items():
        if not values:
            raise BadQuery(f"filter field '{field}' has no values")
        among = "IN (SELECT value FROM json_each(?))"
        if field in _COLUMNS:
            parts.append(f"d.{'id' if field == 'document' else field} {among}")
        else:
            parts.append(
                f"EXISTS (SELECT 1 FROM json_each(d.metadata) WHERE key = ? AND value {among})"
            )
            parameters.append(plain(field))
        parameters.append(json.dumps(list(map(plain, values))))
    if filter and filter.path is not None:
        parts.append("glob_path(?, d.path)")
        parameters.append(filter.path)
    if filter and filter.groups is not None:
        parts.append(
            "(d.groups = '[]' OR EXISTS (SELECT 1 FROM json_each(d.groups) "
            "WHERE value IN (SELECT value FROM json_each(?))))"
        )
        parameters.append(json.dumps(list(map(plain, filter.groups))))
    return " AND ".join(parts), parameters


def _glob(pattern: str, path: str) -> bool:
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` as a regular expression: ``**`` crosses ``/``, ``*`` and ``?`` do not.

    What stands between two ``**``, or two ``*``, may stop at its first match (an atomic group),
    so no pattern takes longer than the square of the path's length.
    """
    first, *rest = re.split(r"((?:(?<=/)|^)\*\*/|\*\*)", pattern)
    out = _between(first, last=not rest)
    for i in range(0, len(rest), 2):
        last = i + 2 == len(rest)
        gap = ".*?" if rest[i] == "**" else "(?:.*?/)??"
        piece = gap + _between(rest[i + 1], last=last)
        out += piece if last else f"(?>{piece})"
    return re.compile(out, re.DOTALL)


def _between(text: str, *, last: bool) -> str:
    first, *rest = (
        "".join("[^/]" if c == "?" else re.escape(c) for c in s) for s in text.split("*")
    )
    pieces = [f"[^/]*?{piece}" for piece in rest]
    end = pieces.pop() if last and pieces else ""  # must reach the end of the path, so may go on
    return first + "".join(f"(?>{piece})" for piece in pieces) + end
