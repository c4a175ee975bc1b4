"""What else lies in a collection's folder comes into a backup as it was committed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from rag.index import Collection
from rag.index.backup import back_up, restore
from tests.support.corpus import row


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def test_databases_beside_the_catalogue_are_copied_as_they_were_committed(
    collection: Collection, place: Path, tmp_path: Path
) -> None:
    """What sources hold that is no document, and lines that a model wrote."""
    collection.upsert([row("a", "alpha beta")])
    writers = {}
    for name, mode in (("sources.sqlite", "DELETE"), ("context.sqlite", "WAL")):
        writers[name] = db = sqlite3.connect(place / name, isolation_level=None)
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES ('committed')")
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO t VALUES ('not yet')")
    (place / "odd.sqlite").write_bytes(b"no database")
    restore(back_up(place, tmp_path / "notes.tar"), tmp_path / "again")
    expected = {*names(place)} - {"odd.sqlite", "context.sqlite-shm", "context.sqlite-wal",
                                  "sources.sqlite-journal"}  # fmt: skip
    assert {*names(tmp_path / "again")} >= {*writers}
    assert {*names(tmp_path / "again")} - expected == set()
    for name, writer in writers.items():
        with closing(sqlite3.connect(tmp_path / "again" / name)) as db:
            assert db.execute("SELECT x FROM t").fetchall() == [("committed",)]
        writer.close()
