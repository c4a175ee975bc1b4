"""Databases copied while others write them. Knows not what becomes of the copies."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from rag.errors import CorruptIndex, IncompatibleIndex
from rag.index.catalog import FORMAT, failure


def copy_catalogue(file: Path, copy: Path) -> tuple[list[tuple[int, dict[str, str]]], int]:
    """Copy one generation of the catalogue; its live segments with their files, and its number."""
    try:
        with (
            closing(_read_only(file)) as source,
            closing(sqlite3.connect(copy, isolation_level=None)) as db,
        ):
            source.backup(db)  # in one step: a consistent view, and no writer waits
            db.execute("PRAGMA journal_mode=DELETE")  # one file
            found = dict(db.execute("SELECT key, value FROM meta"))
            if found["format"] != str(FORMAT):
                raise IncompatibleIndex("format", found["format"], str(FORMAT))
            db.execute("DELETE FROM segments WHERE died_at IS NOT NULL")
            listed = db.execute("SELECT segment, manifest FROM segments ORDER BY segment")
            return [(n, json.loads(files)) for n, files in listed], int(found["generation"])
    except (sqlite3.DatabaseError, KeyError, ValueError) as e:
        failed = isinstance(e, sqlite3.Error) and failure(e, copy)
        raise failed or CorruptIndex(file, str(e)) from e


def at_rest(file: Path, scratch: Path) -> Path:
    """``file``; of a database, which others may be writing, a copy in ``scratch``.

    Raises
    ------
    CorruptIndex
        It is damaged.
    """
    if file.suffix != ".sqlite":
        return file
    copy = scratch / file.name
    try:
        with closing(_read_only(file)) as source, closing(sqlite3.connect(copy)) as db:
            source.backup(db)
            db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as e:
        raise CorruptIndex(file, str(e)) from e
    return copy


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
