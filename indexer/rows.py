"""Documents to rows: cut into passages, analysed together. Knows no files and no collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from rag.analysis import Analyser, detect, language_term
from rag.analysis.latin import stemmed
from rag.index import Row, Stat, Terms
from rag.index.lookup import MOST
from rag.types import Chunk, Document

_FIRST = 4096
_GAP = 100
"""Places between a passage's headings and its text, so that no phrase reaches over."""


def make_rows(
    documents: Sequence[tuple[Document, Stat]],
    chunker: Callable[[Document], Sequence[Chunk]],
    analyser: Analyser,
) -> list[Row]:
    """Documents cut into passages, and analysed together."""
    cut = [chunker(document) for document, _ in documents]
    terms = terms_of([c for chunks in cut for c in chunks], analyser)
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


def terms_of(chunks: Sequence[Chunk], analyser: Analyser) -> Terms:
    """The terms of passages: of title and headings first, then of the text.

    A passage's language is its text's. If its stems are not those of English, it has one term more,
    which says so: questions are then stemmed like that, too.
    """
    languages = [detect(c.text) for c in chunks]
    texts = [text for c in chunks for text in (c.above, c.text)]
    batch = analyser.batch(texts, [language for language in languages for _ in range(2)])
    sizes = np.diff(batch.ends, prepend=0)
    heads = sizes[0::2]
    positions = batch.positions.copy()
    last = positions[np.maximum(batch.ends[0::2] - 1, 0)] if len(positions) else positions
    shift = np.zeros(len(sizes), np.uint32)
    shift[1::2] = np.where(heads > 0, last + _GAP, 0) if len(positions) else 0
    positions += np.repeat(shift, sizes)
    ends = batch.ends[1::2].copy()
    vocabulary, ids = batch.vocabulary, batch.ids
    foreign = np.array([i for i, code in enumerate(languages) if stemmed(code) != "en"], np.int64)
    if len(foreign):
        marks = [language_term(stemmed(languages[i])) for i in foreign]
        vocabulary = [*vocabulary, *(new := sorted(set(marks)))]
        numbers = [len(batch.vocabulary) + new.index(mark) for mark in marks]
        at = ends[foreign]
        ids = np.insert(ids, at, numbers)
        positions = np.insert(positions, at, np.append(positions, 0)[at - 1] + 1)
        ends += np.searchsorted(foreign, np.arange(len(ends)), side="right")
    return Terms(vocabulary, ids, positions, heads.astype(np.uint32), ends)
