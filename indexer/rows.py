"""Documents to rows: cut into passages, analysed together. Knows no files and no collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from indexer.chunk import chunk
from rag.analysis import detect
from rag.analysis.batch import analyse_batch
from rag.index import Row, Stat, Terms
from rag.index.lookup import MOST
from rag.types import Chunk, Document

_FIRST = 4096
_GAP = 100
"""Places between a passage's headings and its text, so that no phrase reaches over."""


def make_rows(documents: Sequence[tuple[Document, Stat]], chunk_tokens: int) -> list[Row]:
    """Documents cut into passages of about ``chunk_tokens``, and analysed; with 0 not cut."""
    cut = [chunk(d, chunk_tokens) if chunk_tokens else [_whole(d)] for d, _ in documents]
    terms = terms_of([c for chunks in cut for c in chunks])
    rows, start = [], 0
    for (document, stat), chunks in zip(documents, cut, strict=True):
        part = terms.part(start, start + len(chunks))
        rows.append(Row(document, detect(document.text), chunks, part, stat))
        start += len(chunks)
    return rows


def growing(batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Rows in larger and larger portions, so that a load is soon searchable and little merged.

    The first has some 4,096 passages, a later one as many as all before it, up to a segment.
    """
    waiting: list[Row] = []
    size, done = 0, 0
    for batch in batches:
        for row in batch:
            enough = min(max(done, _FIRST), MOST)
            if waiting and (size >= enough or size + len(row.chunks) > MOST):
                yield waiting
                waiting, size, done = [], 0, done + size
            waiting.append(row)
            size += len(row.chunks)
    if waiting:
        yield waiting


def terms_of(chunks: Sequence[Chunk]) -> Terms:
    """The terms of passages: of title and headings first, then of the text."""
    batch = analyse_batch([text for c in chunks for text in (c.above, c.text)])
    sizes = np.diff(batch.ends, prepend=0)
    heads = sizes[0::2]
    positions = batch.positions.copy()
    last = positions[np.maximum(batch.ends[0::2] - 1, 0)] if len(positions) else positions
    shift = np.zeros(len(sizes), np.uint32)
    shift[1::2] = np.where(heads > 0, last + _GAP, 0) if len(positions) else 0
    positions += np.repeat(shift, sizes)
    return Terms(
        batch.vocabulary, batch.ids, positions, heads.astype(np.uint32), batch.ends[1::2].copy()
    )


def _whole(document: Document) -> Chunk:
    d = document
    return Chunk(d.id, d.version, 0, 0, len(d.text), d.text, d.path, d.title)
