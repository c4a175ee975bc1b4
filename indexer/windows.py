"""Two plain ways to cut, which heed no headings: windows of tokens, and runs of sentences."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.parsed import trim
from indexer.split import cut_tokens
from indexer.tokens import Counter
from indexer.units import Unit, common, headed, table_head, units
from rag.types import Document


def windows(document: Document, tokens: int, counter: Counter) -> Iterator[list[Unit]]:
    """Runs of ``tokens`` tokens, each ended at a blank if there is one in its second half."""
    text = document.text
    blocks = [(block, path) for block, path in headed(document) if block.start < block.end]
    if not blocks:
        return
    at = 0
    start, end = trim(text, blocks[0][0].start, blocks[-1][0].end)
    for begin, stop, size in cut_tokens(text, start, end, tokens, counter):
        while at + 1 < len(blocks) and blocks[at][0].end <= begin:
            at += 1
        first, last = blocks[at][0], at + 1
        while last < len(blocks) and blocks[last][0].start < stop:
            last += 1
        paths = [path for _, path in blocks[at:last]]
        inside = first.header <= begin < first.end
        lead = table_head(text, first, tokens, counter) if inside else ""
        yield [Unit(begin, stop, size, first, common(paths), lead)]


def sentences(document: Document, tokens: int, counter: Counter) -> Iterator[list[Unit]]:
    """Runs of whole sentences, lines of code, rows and items, as many as fit ``tokens``."""
    run: list[Unit] = []
    size = 0
    for unit in units(document, tokens, counter, fine=True):
        if run and size + unit.tokens > tokens:
            yield run
            run, size = [], 0
        run.append(unit)
        size += unit.tokens
    if run:
        yield run
