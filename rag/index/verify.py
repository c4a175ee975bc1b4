"""Whether a collection on disk is whole: its format, its files, and whether all parts agree.

Changes nothing and may run while others write. Knows no analyser: who wants postings compared
with the text brings one.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rag.errors import CollectionLocked, CorruptIndex
from rag.index import agreement, segment
from rag.index.agreement import Analyse, Part
from rag.index.catalog import FORMAT
from rag.index.lock import WriterLock
from rag.index.problem import SWEPT, Problem

_LEASE = 60.0


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong with it."""

    documents: int
    passages: int
    segments: int
    sampled: int
    problems: Sequence[Problem]

    @property
    def ok(self) -> bool:
        return not any(problem.serious for problem in self.problems)


def verify(path: Path, analyse: Analyse | None = None, sample: int = 0) -> Verified:
    """Check the collection in the folder ``path``.

    Parameters
    ----------
    analyse
        Passages to their terms, as the collection's postings were made.
    sample
        How many passages have their text analysed again and compared with the postings.

    Raises
    ------
    CollectionLocked
        Its segments cannot be held on to: a backup is under way and takes long.
    """
    file = path / "catalog.sqlite"
    if not file.is_file():
        return Verified(0, 0, 0, 0, [Problem(file, "it is missing")])
    with ExitStack() as held:
        if os.access(path, os.W_OK):  # else nobody can purge what is being looked at
            held.enter_context(WriterLock(path / "backup.lock").hold(_LEASE))
        try:
            db = held.enter_context(closing(_open(file)))
            db.execute("BEGIN")  # one generation throughout
            if damage := list(_catalogue(db, file)):
                return Verified(0, 0, 0, 0, damage)
            return _verify(path, db, analyse, sample)
        except (sqlite3.Error, ValueError) as e:
            return Verified(0, 0, 0, 0, [Problem(file, str(e))])


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = lambda data: data.decode("utf-8", "replace")
    return db


def _verify(path: Path, db: sqlite3.Connection, analyse: Analyse | None, sample: int) -> Verified:
    problems: list[Problem] = []
    folder = path / "segments"
    sql = """SELECT segment, kind, space, rows, manifest FROM segments
             WHERE died_at IS NULL ORDER BY segment"""
    parts: list[Part] = []
    live = db.execute(sql).fetchall()
    for number, kind, space, rows, manifest in live:
        part, found = _part(folder / str(number), kind, space, rows, json.loads(manifest))
        parts += part
        problems += found
    known = agreement.Known.of(db)
    problems += agreement.texts(db, path / "catalog.sqlite")
    problems += agreement.segments(known, parts, whole=len(problems) == 0)
    sampled = 0
    if analyse and sample and not problems:
        sampled, wrong = agreement.postings(db, known, parts, analyse, sample)
        problems += wrong
    problems += _leftovers(path)
    ((documents,),) = db.execute("SELECT count(*) FROM documents WHERE died_at IS NULL")
    return Verified(documents, int(known.alive.sum()), len(live), sampled, problems)


def _catalogue(db: sqlite3.Connection, file: Path) -> Iterator[Problem]:
    """What makes the catalogue unreadable; nothing else is looked at then."""
    for (line,) in db.execute("PRAGMA integrity_check(10)"):
        if line != "ok":
            yield Problem(file, line)
    found = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if found != (str(FORMAT),):
        what = f"its format is {found and found[0]}, this is {FORMAT}"
        yield Problem(file, what, "Use the matching version, or index into a new collection")
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield Problem(file, f"row {row} of {table} refers to {parent} that do not exist")


def _part(
    folder: Path, kind: str, space: int | None, rows: int, manifest: Mapping[str, str]
) -> tuple[list[Part], list[Problem]]:
    """A segment, if its files are sound, and what is wrong with them."""
    if not folder.is_dir():
        return [], [Problem(folder, "the segment is missing")]
    more = sorted(file for file in folder.iterdir() if file.name not in manifest)
    problems = [Problem(f, "it is not the segment's", "Remove it", serious=False) for f in more]
    parts = []
    try:
        arrays = segment.read(folder, manifest)
        if kind != "ann":
            parts.append(Part(folder, kind, space, rows, arrays))
    except CorruptIndex:
        for name in manifest:
            try:
                segment.check(folder, {name: manifest[name]})
            except CorruptIndex as e:
                what = "it is damaged" if e.file.is_file() else "it is missing"
                problems.append(Problem(e.file, what))
    return parts, problems


def _leftovers(path: Path) -> Iterator[Problem]:
    """What writers that died have left; nothing while one is at work."""
    there = sorted((path / "segments").glob("*"))
    try:
        for name in ("writer.lock", "merge.lock"):
            if (path / name).exists():
                with WriterLock(path / name).hold():
                    pass
    except CollectionLocked:
        return
    with closing(_open(path / "catalog.sqlite")) as db:
        listed = {str(n) for (n,) in db.execute("SELECT segment FROM segments")}
    for found in there:
        if found.name not in listed and found.is_dir() and found.exists():
            yield Problem(found, "no generation lists it", SWEPT, serious=False)
