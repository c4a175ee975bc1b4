"""Segments come and go: publishing, joining several into one, purging what nobody can ask for.

Everything that changes the list of segments runs in the caller's transaction of the catalogue.
Knows not when to do what: that is ``tiers`` and ``merger``.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.index import postings, segment
from rag.index.catalog import Catalog
from rag.index.segment import Manifest

Kind = Literal["postings", "vectors", "ann"]
Arrays = dict[str, NDArray[Any]]
Rows = NDArray[np.int64]
Part = tuple[Mapping[str, NDArray[Any]], NDArray[np.bool_]]
"""A segment's arrays, and a mask of its passages that live."""
Pace = Callable[[int], None]
"""Called with the bytes that were just read or written; may sleep, may raise to give up."""
GRACE = 60.0
"""Seconds that readers may go on using a generation after a newer one is there."""
MERGING = ".merge"
"""In the names of what a merge has not published yet, which is its own affair."""
_BLOCK = 8192
_DOCUMENTS = 200
_SEGMENTS = 100
_PAGES = 256


@dataclass(frozen=True, slots=True)
class Made:
    """A segment whose files lie in ``MERGING``; an ``ann`` is ``of`` a segment of vectors."""

    kind: Kind
    space: int | None
    rows: int
    manifest: Manifest
    of: int | None = None


def publish(
    catalog: Catalog,
    folder: Path,
    kind: Kind,
    arrays: Mapping[str, NDArray[Any]],
    *,
    space: int | None = None,
) -> int:
    """Write a segment of the passages ``arrays["rows"]`` and list it; its number."""
    number = _list(catalog, folder, Made(kind, space, len(arrays["rows"]), {}))
    _set_manifest(catalog, number, segment.write(folder / str(number), arrays))
    return number


def replace(catalog: Catalog, folder: Path, group: Sequence[int], made: Made | None) -> bool:
    """List ``made`` in place of ``group``; false if that, or what it is of, is gone by now."""
    among = "IN (SELECT value FROM json_each(?))"
    needed = [*group, *([made.of] if made and made.of else [])]
    live = f"SELECT count(*) FROM segments WHERE died_at IS NULL AND segment {among}"
    if catalog.rows(live, (json.dumps(needed),)) != [(len(needed),)]:
        return False
    numbers = json.dumps(list(group))
    catalog.write(
        f"""UPDATE segments SET died_at = ?
            WHERE died_at IS NULL AND (segment {among} OR of {among})""",
        (time.time(), numbers, numbers),
    )
    if made:
        number = _list(catalog, folder, made)
        segment.rename(folder / MERGING, folder / str(number))
        _set_manifest(catalog, number, made.manifest)
    return True


def _list(catalog: Catalog, folder: Path, made: Made) -> int:
    """Give a segment its number, and see that no writer has left anything under it."""
    sql = "INSERT INTO segments (kind, space, of, rows, manifest) VALUES (?, ?, ?, ?, '{}')"
    number = catalog.write(sql, (made.kind, made.space, made.of, made.rows))
    shutil.rmtree(folder / str(number), ignore_errors=True)
    return number


def _set_manifest(catalog: Catalog, number: int, manifest: Manifest) -> None:
    sql = "UPDATE segments SET manifest = ? WHERE segment = ?"
    catalog.write(sql, (json.dumps(manifest), number))


def join(kind: Kind, parts: Sequence[Part], scratch: Path, pace: Pace) -> Arrays:
    """One segment's arrays, of the living passages of ``parts``.

    Parts of postings come in the order of their passages; those of vectors are sorted here, the
    vectors a block at a time into the file ``scratch``.
    """
    if kind == "postings":
        merged = postings.merge([(postings.Postings.from_arrays(a), keep) for a, keep in parts])
        return {name: _living(name, parts) for name in ("rows", "ids")} | merged.arrays()
    rows = _living("rows", parts)
    order = np.argsort(rows, kind="stable")
    source = np.repeat(np.arange(len(parts)), [keep.sum() for _, keep in parts])[order]
    at = np.concatenate([np.flatnonzero(keep) for _, keep in parts])[order]
    vectors = [arrays["vectors"] for arrays, _ in parts]
    width, dtype = vectors[0].shape[1], vectors[0].dtype
    with scratch.open("wb") as file:  # no map: on a full disk it ends the process
        for start in range(0, len(rows), _BLOCK):
            sources, places = source[start : start + _BLOCK], at[start : start + _BLOCK]
            block = np.empty((len(places), width), dtype)
            for i in np.unique(sources).tolist():
                block[sources == i] = vectors[i][places[sources == i]]
            file.write(block.data)
            pace(block.nbytes)
    joined = np.memmap(scratch, dtype, "r", shape=(len(rows), width))
    others = [name for name in parts[0][0] if name != "vectors"]
    return {name: _living(name, parts)[order] for name in others} | {"vectors": np.asarray(joined)}


def _living(name: str, parts: Sequence[Part]) -> NDArray[Any]:
    return np.concatenate([arrays[name][keep] for arrays, keep in parts])


def remove_orphans(catalog: Catalog, folder: Path) -> None:
    """Delete what writers left behind that died before their commit; within a transaction.

    Nobody else's segment can be under way then: their numbers are given in transactions.
    """
    listed = {str(n) for (n,) in catalog.rows("SELECT segment FROM segments")}
    for found in folder.iterdir():
        if found.name not in listed and MERGING not in found.name and found.is_dir():
            shutil.rmtree(found, ignore_errors=True)


def forget(catalog: Catalog, before: float) -> list[int]:
    """Some of the segments that died until ``before`` (seconds of the epoch), no longer listed.

    One statement by itself: it publishes no generation, as no reader sees them. Their folders are
    the caller's to remove.
    """
    sql = "SELECT segment FROM segments WHERE died_at <= ? ORDER BY died_at LIMIT ?"
    expired = [n for (n,) in catalog.rows(sql, (before, _SEGMENTS))]
    if expired:
        sql = "DELETE FROM segments WHERE segment IN (SELECT value FROM json_each(?))"
        catalog.write(sql, (json.dumps(expired),))
    return expired


def purgeable(catalog: Catalog, before: float, held: Sequence[Rows]) -> list[list[int]]:
    """Documents that died until ``before`` and of which no segment ``held`` a passage.

    A few at a time, so that no writer waits long for their purge.
    """
    sql = """SELECT doc, first, first + passages FROM documents
             WHERE died_in IS NOT NULL AND died_at <= ? ORDER BY doc"""
    docs, first, stop = np.array(catalog.rows(sql, (before,)), np.int64).reshape(-1, 3).T
    gone = np.ones(len(docs), np.bool_)
    for rows in held:
        gone &= np.searchsorted(rows, first) == np.searchsorted(rows, stop)
    left = docs[gone].tolist()
    return [left[i : i + _DOCUMENTS] for i in range(0, len(left), _DOCUMENTS)]


def give_back(catalog: Catalog) -> int:
    """Return some of the catalogue's free pages to the file system; their bytes, 0 at the end."""
    ((size,),) = catalog.rows("PRAGMA page_size")
    before = _free(catalog)
    catalog.rows(f"PRAGMA incremental_vacuum({_PAGES})")
    return (before - _free(catalog)) * int(size)


def _free(catalog: Catalog) -> int:
    return int(catalog.rows("PRAGMA freelist_count")[0][0])
