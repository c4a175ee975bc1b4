"""Segments come and go: publishing, merging by tiers, purging what no reader can ask for any more.

Everything here runs under the writer's lock; ``publish`` inside the caller's transaction.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.index import segment, sparse
from rag.index.catalog import DEAD, Catalog

Kind = Literal["postings", "vectors"]
FAN_OUT = 8
"""A tier of this many segments is merged into one of the next tier."""
GRACE = 60.0
"""Seconds that readers may go on using a generation after a newer one is there."""


def publish(catalog: Catalog, folder: Path, kind: Kind, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write a segment of the passages ``arrays["rows"]`` and list it; its number."""
    rows = arrays["rows"]
    number = catalog.write(
        "INSERT INTO segments VALUES (NULL, ?, ?, '{}', NULL)", (kind, len(rows))
    )
    manifest = segment.write(folder / str(number), arrays)
    catalog.write(
        "UPDATE segments SET manifest = ? WHERE segment = ?", (json.dumps(manifest), number)
    )
    if kind == "vectors":
        catalog.write_many(
            "UPDATE chunks SET vectors = ? WHERE chunk = ?", [(number, n) for n in rows.tolist()]
        )
    return number


def tidy(catalog: Catalog, folder: Path) -> None:
    """Merge what has become too many, in transactions of its own, and purge."""
    for kind in ("postings", "vectors"):
        while group := _due(catalog, folder, kind):
            with catalog.transaction():
                _merge(catalog, folder, kind, group)
    _purge(catalog, folder)


def remove_orphans(catalog: Catalog, folder: Path) -> None:
    """Delete segment folders that a writer left behind when it died before its commit."""
    listed = {str(n) for (n,) in catalog.rows("SELECT segment FROM segments")}
    for found in folder.iterdir():
        if found.name not in listed and found.is_dir():
            shutil.rmtree(found)


def _due(catalog: Catalog, folder: Path, kind: Kind) -> list[int]:
    """The smallest tier (powers of ``FAN_OUT`` rows) that is full, or a segment mostly dead."""
    sql = """SELECT segment, rows, manifest FROM segments
             WHERE kind = ? AND died_at IS NULL ORDER BY segment"""
    live = catalog.rows(sql, (kind,))
    tiers = defaultdict(list)
    for number, rows, _ in live:
        tiers[int(np.log(max(rows, 1)) / np.log(FAN_OUT))].append(number)
    full = [tier for tier, numbers in tiers.items() if len(numbers) >= FAN_OUT]
    if full:
        return tiers[min(full)]
    dead = _dead(catalog)
    for number, rows, manifest in live if len(dead) else ():
        if 2 * np.isin(_rows(folder, number, manifest), dead).sum() > rows:
            return [number]
    return []


def _dead(catalog: Catalog) -> NDArray[np.int64]:
    return np.array([n for (n,) in catalog.rows(DEAD)], np.int64)


def _rows(folder: Path, number: int, manifest: str) -> NDArray[np.int64]:
    only = {"rows.npy": json.loads(manifest)["rows.npy"]}
    return segment.read(folder / str(number), only)["rows"]


def _merge(catalog: Catalog, folder: Path, kind: Kind, group: list[int]) -> None:
    """Replace the segments ``group`` by one of their living passages."""
    dead = _dead(catalog)
    parts = []
    for number in group:
        sql = "SELECT manifest FROM segments WHERE segment = ?"
        manifest = json.loads(catalog.rows(sql, (number,))[0][0])
        arrays = segment.read(folder / str(number), manifest)
        parts.append((arrays, np.isin(arrays["rows"], dead, invert=True)))
    catalog.write(
        "UPDATE segments SET died_at = ? WHERE segment IN (SELECT value FROM json_each(?))",
        (time.time(), json.dumps(group)),
    )
    rows = np.concatenate([a["rows"][keep] for a, keep in parts])
    if not len(rows):
        return
    if kind == "postings":
        merged = sparse.merge([(sparse.Postings.from_arrays(a), keep) for a, keep in parts])
        publish(catalog, folder, kind, {"rows": rows} | merged.arrays())
    else:
        vectors = np.concatenate([a["vectors"][keep] for a, keep in parts])
        publish(catalog, folder, kind, {"rows": rows, "vectors": vectors})


def _purge(catalog: Catalog, folder: Path) -> None:
    """Drop dead segments, and dead documents that no segment holds, once their grace is over."""
    before = time.time() - GRACE
    expired = catalog.rows("SELECT segment FROM segments WHERE died_at < ?", (before,))
    if not expired:
        return
    numbers = [n for (n,) in expired]
    live = "SELECT segment, manifest FROM segments WHERE died_at IS NULL OR died_at >= ?"
    kept = catalog.rows(live, (before,))
    held = [_rows(folder, number, manifest) for number, manifest in kept]
    dead = catalog.rows(
        "SELECT doc, coalesce(chunk, -1) FROM documents LEFT JOIN chunks USING (doc) "
        "WHERE died_at < ?",
        (before,),
    )
    docs, chunks = np.array(dead, np.int64).reshape(-1, 2).T
    in_use = np.isin(chunks, np.concatenate(held)) if held else np.zeros(len(chunks), np.bool_)
    removable = np.setdiff1d(docs, docs[in_use]).tolist()
    with catalog.transaction():
        expired_json = json.dumps(numbers)
        catalog.write(
            "UPDATE chunks SET vectors = NULL WHERE vectors IN (SELECT value FROM json_each(?))",
            (expired_json,),
        )
        catalog.write(
            "DELETE FROM documents WHERE doc IN (SELECT value FROM json_each(?))",
            (json.dumps(removable),),
        )
        catalog.write(
            "DELETE FROM segments WHERE segment IN (SELECT value FROM json_each(?))",
            (expired_json,),
        )
    for number in numbers:
        shutil.rmtree(folder / str(number), ignore_errors=True)
