"""Lines that many documents of one kind repeat: notices, menus, footers. Knows no formats.

Only texts that a reader made are cut: those that are the file's own stay as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from rag.types import Document

_LEAST_DOCUMENTS = 8
_SHARE = 0.5
_LEAST_CHARS = 20
"""Shorter lines repeat because they are words: "Parameters", "Example"."""


def repeated(documents: Collection[Document]) -> dict[str, int]:
    """Lines of prose that most of ``documents`` have, and how many do."""
    if len(documents) < _LEAST_DOCUMENTS:
        return {}
    counts = Counter(line for d in documents for line in {line for line, _, _ in _lines(d)})
    return {line: n for line, n in counts.items() if n > _SHARE * len(documents)}


def without(document: Document, lines: Collection[str]) -> Document:
    """``document`` less those ``lines``; a block that has no others goes."""
    cuts = [(start, end) for line, start, end in _lines(document) if line in lines]
    if not cuts:
        return document
    text, kept = document.text, []
    at = 0
    for start, end in cuts:
        kept.append(text[at:start])
        at = end + text.startswith("\n", end)
    kept.append(text[at:])
    starts = [start for start, _ in cuts]
    sizes = [0]
    for start, end in cuts:
        sizes.append(sizes[-1] + end + text.startswith("\n", end) - start)

    def moved(offset: int) -> int:
        n = bisect_right(starts, offset)
        inside = n and offset < starts[n - 1] + sizes[n] - sizes[n - 1]
        return starts[n - 1] - sizes[n - 1] if inside else offset - sizes[n]

    left = "".join(kept)
    blocks = [
        replace(b, start=start, end=end, header=moved(b.header) if b.header else 0)
        for b in document.blocks
        if (start := moved(b.start)) < (end := moved(b.end)) and left[start:end].strip()
    ]
    pages = tuple(map(moved, document.pages))
    return replace(document, text=left, blocks=tuple(blocks), pages=pages)


def _lines(document: Document) -> Iterator[tuple[str, int, int]]:
    """Lines of prose, in single blanks, with where they stand."""
    for block in document.blocks:
        if block.kind not in ("paragraph", "list"):
            continue
        at = block.start
        for line in document.text[block.start : block.end].split("\n"):
            words = " ".join(line.split())
            if len(words) >= _LEAST_CHARS:
                yield words, at, at + len(line)
            at += len(line) + 1
