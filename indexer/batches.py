"""Documents in batches that are worth a process's while. Knows not what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rag.index import Stat
from rag.types import Document

_CHARS = 1_000_000
_MOST = 200


def batches(
    documents: Iterable[tuple[Document, Stat]],
) -> Iterator[list[tuple[Document, Stat]]]:
    """``documents`` in order, some million characters at a time."""
    batch: list[tuple[Document, Stat]] = []
    size = 0
    for document, stat in documents:
        batch.append((document, stat))
        size += len(document.text)
        if size >= _CHARS or len(batch) >= _MOST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
