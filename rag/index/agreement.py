"""Whether the parts of a collection agree: the catalogue with itself, segments with it, postings
with the text. Knows not how they are opened, nor how text is analysed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.intake import content_of
from rag.index.keys import packed
from rag.index.postings import Postings, invert, merge
from rag.index.problem import Problem
from rag.index.rows import Terms
from rag.types import Chunk, digest

Analyse = Callable[[Sequence[Chunk]], Terms]
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """A live segment whose files are sound."""

    folder: Path
    kind: str
    space: int | None
    count: int
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Known:
    """The passages of the catalogue: ``rows`` ascending, ``ids`` as bytes ``(n, 16)``."""

    rows: NDArray[np.int64]
    ids: NDArray[np.uint8]
    alive: NDArray[np.bool_]

    @classmethod
    def of(cls, db: sqlite3.Connection) -> Known:
        sql = """SELECT chunk, c.id, doc IN (SELECT doc FROM documents WHERE died_in IS NULL)
                 FROM chunks c ORDER BY chunk"""
        found = db.execute(sql).fetchall()
        rows = np.array([row for row, _, _ in found], np.int64)
        return cls(rows, packed(i for _, i, _ in found), np.array([a for *_, a in found], np.bool_))


def texts(db: sqlite3.Connection, file: Path) -> Iterator[Problem]:
    """Documents and passages that are not what their text and their digests say."""
    sql = """SELECT doc, chunk, id, position, start, stop, heading, lead, outer_start, outer_stop,
                    content
             FROM chunks ORDER BY chunk"""
    passages = groupby(db.execute(sql), key=lambda row: int(row[0]))
    waiting = next(passages, None)
    for doc, id_, uri, path, title, version, first, count, text in db.execute(
        """SELECT doc, id, uri, path, title, version, first, passages, text
           FROM documents ORDER BY first, doc"""
    ):
        document, of = digest(uri), digest(text)
        if (id_, version) != (bytes.fromhex(document), bytes.fromhex(of)):
            yield Problem(file, f"the text of document '{path}' is not what was indexed")
        mine = []
        if waiting and waiting[0] == doc:
            mine = list(waiting[1])
            waiting = next(passages, None)
        if [row[1] for row in mine] != list(range(first, first + count)):
            yield Problem(file, f"document '{path}' lacks some of its passages")
        for _, _, passage, position, start, stop, heading, lead, begin, end, content in mine:
            inside = 0 <= begin <= start <= stop <= end <= len(text)
            above = tuple(json.loads(heading))
            within = text[start:stop]
            chunk = Chunk(document, of, position, start, stop, within, path, title, above, lead)
            if not inside or (passage, content) != (bytes.fromhex(chunk.id), content_of(chunk)):
                yield Problem(file, f"passage {position} of '{path}' is not what its text says")
    if waiting:
        yield Problem(file, f"passages from row {next(waiting[1])[1]} on belong to no document")


def segments(known: Known, parts: Sequence[Part], *, whole: bool) -> Iterator[Problem]:
    """Segments that disagree with the catalogue.

    Parameters
    ----------
    whole
        Whether ``parts`` are all there should be: only then can a passage be missing from them.
    """
    groups: dict[tuple[str, int | None], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.kind, part.space), []).append(part)
        yield from _segment(known, part)
    for (kind, space), group in groups.items():
        times = np.zeros(len(known.rows), np.int64)
        for part in group:
            at, there = _places(known, part.arrays["rows"])
            np.add.at(times, at[there], 1)
        twice = known.alive & (times > 1)
        if twice.any():
            of = kind if space is None else f"{kind} (space {space})"
            yield Problem(
                group[0].folder.parent,
                f"{twice.sum()} passages are in several segments of {of}, "
                f"the first is {_name(known, twice)}",
            )
        if kind == "vectors" and len({part.arrays["vectors"].shape[1] for part in group}) > 1:
            yield Problem(group[0].folder.parent, f"vectors of space {space} differ in length")
    if whole:
        held = [part.arrays["rows"] for part in parts if part.kind == "postings"]
        lost = known.alive & ~np.isin(known.rows, np.concatenate([np.empty(0, np.int64), *held]))
        if lost.any():
            where = parts[0].folder.parent if parts else Path("segments")
            what = f"{lost.sum()} passages are in no segment, the first is {_name(known, lost)}"
            yield Problem(where, what)


def postings(
    db: sqlite3.Connection, known: Known, parts: Sequence[Part], analyse: Analyse, sample: int
) -> tuple[int, list[Problem]]:
    """Analyse ``sample`` passages chosen at random again; how many were, and what differs."""
    living = known.rows[known.alive]
    chosen = np.random.default_rng().choice(living, min(sample, len(living)), replace=False)
    problems = []
    for part in (part for part in parts if part.kind == "postings"):
        mine = np.flatnonzero(np.isin(part.arrays["rows"], chosen))
        if not len(mine):
            continue
        terms = analyse(_passages(db, part.arrays["rows"][mine].tolist()))
        whole = Postings.from_arrays(part.arrays)
        if _same(whole, mine, terms):
            continue
        wrong = [i for i in range(len(mine)) if not _same(whole, mine[[i]], terms.part(i, i + 1))]
        first = part.arrays["ids"][mine[wrong[0]]].tobytes().hex() if wrong else ""
        what = f"{len(wrong)} of {len(mine)} passages analysed again have other terms, as {first}"
        problems.append(Problem(part.folder, what))
    return len(chosen), problems


def _same(whole: Postings, at: NDArray[np.intp], terms: Terms) -> bool:
    """Whether the passages ``at`` of a segment have these ``terms`` and no others."""
    keep = np.zeros(len(whole), np.bool_)
    keep[at] = True
    there, expected = merge([(whole, keep)]), invert([terms])
    one, other = (p.arrays() | {"codes": p.book[p.codes]} for p in (there, expected))
    return all(np.array_equal(one[name], other[name]) for name in one if name != "book")


def _passages(db: sqlite3.Connection, rows: Sequence[int]) -> list[Chunk]:
    sql = """SELECT hex(d.id), hex(version), position, start, stop, text, path, title, heading,
                    lead
             FROM chunks JOIN documents d USING (doc) WHERE chunk = ?"""
    found = []
    for row in rows:
        document, version, position, start, stop, text, path, title, heading, lead = db.execute(
            sql, (row,)
        ).fetchone()
        found.append(
            Chunk(document.lower(), version.lower(), position, start, stop, text[start:stop],
                  path, title, tuple(json.loads(heading)), lead)
        )  # fmt: skip
    return found


def _segment(known: Known, part: Part) -> Iterator[Problem]:
    rows, ids = part.arrays["rows"], part.arrays["ids"]
    shapes = {"rows": rows.shape, "ids": ids.shape}
    expected = {"rows": (part.count,), "ids": (part.count, 16)}
    if part.kind == "vectors":
        shapes["vectors"] = part.arrays["vectors"].shape[:1]
        expected["vectors"] = (part.count,)
    if shapes != expected:
        yield Problem(part.folder, f"holds {shapes}, not {expected}")
        return
    if (np.diff(rows) <= 0).any():
        yield Problem(part.folder / "rows.npy", "its passages are out of order")
    at, there = _places(known, rows)
    if not there.all():
        strange = int(rows[~there][0])
        what = f"{(~there).sum()} passages are unknown to the catalogue, the first is row {strange}"
        yield Problem(part.folder / "rows.npy", what)
    differ = (known.ids[at[there]] != ids[there]).any(axis=1)
    if differ.any():
        what = f"{differ.sum()} ids differ from the catalogue's"
        yield Problem(part.folder / "ids.npy", what)
    if part.kind == "vectors" and not all(
        np.isfinite(part.arrays["vectors"][i : i + _BLOCK]).all()
        for i in range(0, len(rows), _BLOCK)
    ):
        yield Problem(part.folder / "vectors.npy", "some vectors are no numbers")


def _places(known: Known, rows: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where ``rows`` stand in the catalogue, and whether they do."""
    if not len(known.rows):
        return np.zeros(len(rows), np.intp), np.zeros(len(rows), np.bool_)
    at = np.minimum(np.searchsorted(known.rows, rows), len(known.rows) - 1)
    return at, known.rows[at] == rows


def _name(known: Known, mask: NDArray[np.bool_]) -> str:
    return str(known.ids[mask][0].tobytes().hex())
