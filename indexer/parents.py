"""Small passages to find, within large ones to read."""

from __future__ import annotations

from dataclasses import replace

from indexer.structural import packed, passages
from indexer.tokens import Counter
from indexer.units import Unit, finer, made
from rag.types import Chunk, Document

_SHARE = 3


def children(document: Document, tokens: int, counter: Counter) -> list[Chunk]:
    """Passages of about a third of ``tokens``, whose ``outer`` is that of the structural one."""
    small = max(tokens // _SHARE, 1)
    runs: list[list[Unit]] = []
    outer: list[tuple[int, int]] = []
    for parent in passages(document, tokens, counter):
        parts = [part for unit in parent for part in finer(document.text, unit, small, counter)]
        for run in packed(parts, small):
            runs.append(run)
            outer.append((parent[0].start, parent[-1].end))
    found = zip(made(document, runs), outer, strict=True)
    return [c if (c.start, c.end) == span else replace(c, outer=span) for c, span in found]
