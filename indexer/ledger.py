"""What a collection's sources hold that is no document of it: failed, left out, said elsewhere.

A file of its own beside the catalogue, which knows no sources. It only spares work: a damaged or
missing one is made anew by the next sync, which then looks again at all that is no document.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import RagError, SourceError
from rag.index.catalog import failure

State = Literal["failed", "dropped", "alias", "other"]
_VERSION = 1
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")
"""The last is one in the schema."""
_SCHEMA = f"""
    CREATE TABLE items (
        uri    TEXT PRIMARY KEY,
        path   TEXT NOT NULL,
        state  TEXT NOT NULL,
        why    TEXT NOT NULL,
        remedy TEXT NOT NULL,
        line   INTEGER,
        keeper TEXT NOT NULL,          -- URI of the document that says the same
        stamp  TEXT NOT NULL,
        sha256 TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE named (
        site TEXT NOT NULL,            -- URL of a sitemap
        uri  TEXT NOT NULL,
        PRIMARY KEY (site, uri)
    ) WITHOUT ROWID;
    PRAGMA user_version = {_VERSION};
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that is no document.

    ``failed``: it could not be read; ``dropped``: it was left out; ``alias``: the document
    ``keeper`` says the same; ``other``: it is of no type that is read.
    """

    uri: str
    path: str
    state: State
    why: str
    remedy: str = ""
    line: int | None = None
    keeper: str = ""
    stamp: str = ""
    sha256: str = ""

    @classmethod
    def of(
        cls, uri: str, path: str, error: SourceError, state: State, stamp: str, sha256: str = ""
    ) -> Entry:
        return cls(uri, path, state, error.why, error.remedy, error.line, "", stamp, sha256)

    @property
    def error(self) -> SourceError:
        return SourceError(self.path, self.why, self.line, remedy=self.remedy)


class _OtherVersion(sqlite3.DatabaseError):
    """It was written by a version that kept it differently."""


class Ledger:
    """The ledger in ``folder``, made when it is not there; safe to share between threads.

    Raises
    ------
    OSError, RagError
        It cannot be opened, though it need not be damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "sources.sqlite"
        self._lock = threading.RLock()
        with self.guard():
            try:
                self.db = self._open()
            except sqlite3.DatabaseError as e:
                if not _damaged(e):
                    raise
                self._remove()
                self.db = self._open()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around whatever asks it: a full disk is told as such, a damaged file goes.

        Raises
        ------
        OSError
            The disk is full or fails.
        RagError
            The file is damaged or held by another process.
        """
        try:
            yield
        except sqlite3.DatabaseError as e:
            if failed := failure(e, self.file):
                raise failed from e
            remedy = f"See that nothing else holds {self.file}"
            if _damaged(e):
                self._remove()
                remedy = "Run it again: the file is made anew"
            raise RagError(f"the ledger {self.file} cannot be used ({e})", remedy=remedy) from e

    def _remove(self) -> None:
        for name in ("", "-journal"):
            with suppress(FileNotFoundError):
                Path(f"{self.file}{name}").unlink()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, check_same_thread=False, isolation_level=None, timeout=30)
        try:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, _VERSION):
                raise _OtherVersion(str(found))
            if not found:
                db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            db.execute("PRAGMA cache_size = -32000")
            db.execute("SELECT count(*) FROM items").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        with self.guard(), self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.DatabaseError):  # what failed may have ended it
                    self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def entries(self, *states: State) -> list[Entry]:
        """Those in ``states``, or all, by path."""
        among = ",".join("?" * len(states)) or "state"
        columns = "uri, path, state, why, remedy, line, keeper, stamp, sha256"
        sql = f"SELECT {columns} FROM items WHERE state IN ({among}) ORDER BY path, uri"  # noqa: S608
        with self.guard(), self._lock:
            return [Entry(*row) for row in self.db.execute(sql, states)]

    def put(self, entries: Iterable[Entry]) -> None:
        """Note items, each in place of what was noted of it; in the caller's transaction."""
        self.db.executemany(
            "INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?,?,?,?)",
            [(e.uri, e.path, e.state, e.why, e.remedy, e.line, e.keeper, e.stamp, e.sha256)
             for e in entries],
        )  # fmt: skip

    def named(self, site: str) -> set[str]:
        """URIs of the pages that a sitemap has named, as far as they may be documents still."""
        with self.guard(), self._lock:
            found = self.db.execute("SELECT uri FROM named WHERE site = ?", (site,))
            return {uri for (uri,) in found}

    def name(self, site: str, uris: Iterable[str]) -> None:
        """Note the pages that a sitemap names, beside others; in the caller's transaction."""
        rows = ((site, uri) for uri in uris)
        self.db.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", rows)

    def unname(self, uris: Iterable[str]) -> None:
        """Forget pages that are gone; in the caller's transaction."""
        self.db.executemany("DELETE FROM named WHERE uri = ?", [(uri,) for uri in uris])

    def forget(self, uris: Iterable[str]) -> None:
        """Items that are documents now, or gone; in the caller's transaction."""
        self.db.executemany("DELETE FROM items WHERE uri = ?", [(uri,) for uri in uris])


def _damaged(e: sqlite3.DatabaseError) -> bool:
    return isinstance(e, _OtherVersion) or getattr(e, "sqlite_errorname", "").startswith(_DAMAGED)
