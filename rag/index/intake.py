"""Documents come into the catalogue, many at a time, and die in it. Knows no segments."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.catalog import Catalog
from rag.index.keys import SIZE, Digests, as_bytes, packed
from rag.index.rows import Row
from rag.index.where import plain
from rag.types import Chunk


@dataclass(frozen=True, slots=True)
class Taken:
    """The passages that came in: their row numbers and the digests of id and content, in order."""

    rows: NDArray[np.int64]
    ids: Digests
    contents: Digests


def take(catalog: Catalog, rows: Sequence[Row]) -> Taken:
    """Insert documents, each in place of the living one of its id.

    One row a document, as ``latest`` gives them. In the caller's transaction.
    """
    total = sum(len(row.chunks) for row in rows)
    doc = catalog.hand_out("documents", len(rows))
    first = chunk = catalog.hand_out("passages", total)
    documents, passages = [], []
    for row in rows:
        documents.append(_document(row, doc, chunk))
        for c in row.chunks:
            id_, content = bytes.fromhex(c.id), content_of(c)
            heading = _heading(c.heading) if c.heading else "[]"
            outer = c.outer or (c.start, c.end)
            passages.append(
                (chunk, id_, doc, c.position, c.start, c.end, heading, content, c.lead, *outer)
            )
            chunk += 1
        doc += 1
    _kill(catalog, (d[1] for d in documents))
    catalog.write_many(
        "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL,?)", documents
    )
    catalog.write_many("INSERT INTO chunks VALUES (?,?,?,?,?,?,?,?,?,?,?)", passages)
    return Taken(
        np.arange(first, first + total, dtype=np.int64),
        packed(p[1] for p in passages),
        packed(p[7] for p in passages),
    )


def latest(rows: Iterable[Row]) -> list[Row]:
    """The last row of each document, in order."""
    return list({row.document.uri: row for row in rows}.values())


def content_of(chunk: Chunk) -> bytes:
    """Digest of what is encoded of a passage."""
    return blake2b(chunk.context.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()


def aliases(paths: Sequence[str]) -> str:
    """Paths as the catalogue writes them."""
    return json.dumps(list(map(plain, paths)), ensure_ascii=False) if paths else "[]"


def kill(catalog: Catalog, ids: Iterable[str]) -> int:
    """Let documents die; how many did. In the caller's transaction."""
    return _kill(catalog, (id_ for id_ in map(as_bytes, ids) if id_))


def digests(catalog: Catalog, rows: Sequence[int]) -> tuple[Digests, Digests]:
    """Ids and contents of the passages ``rows``, which ascend and are all there."""
    sql = """SELECT id, content FROM chunks
             WHERE chunk IN (SELECT value FROM json_each(?)) ORDER BY chunk"""
    both = np.frombuffer(
        b"".join(id_ + content for id_, content in catalog.rows(sql, (json.dumps(rows),))), np.uint8
    ).reshape(-1, 2 * SIZE)
    return both[:, :SIZE], both[:, SIZE:]


def _kill(catalog: Catalog, ids: Iterable[bytes]) -> int:
    generation, now = catalog.generation + 1, time.time()
    return catalog.write_many(
        "UPDATE documents SET died_in = ?, died_at = ? WHERE id = ? AND died_in IS NULL",
        ((generation, now, id_) for id_ in ids),
    )


def _document(row: Row, doc: int, first: int) -> tuple[Any, ...]:
    d, s = row.document, row.stat
    id_, version = (
        (row.chunks[0].document, row.chunks[0].version) if row.chunks else (d.id, d.version)
    )
    metadata = {plain(k): plain(v) for k, v in d.metadata.items()}
    return (
        doc, bytes.fromhex(id_), bytes.fromhex(version), d.uri, d.path, d.title, row.language,
        json.dumps(metadata, ensure_ascii=False) if metadata else "{}",
        json.dumps(list(map(plain, d.groups))) if d.groups else "[]",
        json.dumps(d.pages) if d.pages else "[]", aliases(d.aliases),
        s.stamp, s.sha256, first, len(row.chunks), d.text,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _heading(heading: tuple[str, ...]) -> str:
    return json.dumps(heading, ensure_ascii=False)
