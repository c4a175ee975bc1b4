"""Configuration files as text: a block a top-level entry, short ones in a row together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from indexer.readers.parsed import trim
from rag.types import Block


def entries(text: str, starts: Iterable[tuple[int, str]]) -> Iterator[Block]:
    """Blocks from each of ``starts`` (offset, name) to the next; those of one line are joined."""
    waiting: Block | None = None
    for start, end, name in _spans(text, starts):
        begin, stop = trim(text, start, end)
        if begin >= stop:
            continue
        if sum(not line.startswith("#") for line in text[begin:stop].split("\n")) > 1:
            if waiting:
                yield waiting
            waiting = None
            yield Block("code", begin, stop, title=name)
        else:
            waiting = Block("code", waiting.start if waiting else begin, stop)
    if waiting:
        yield waiting


def _spans(text: str, starts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """From each start, with the comments right above it, to the next."""
    start, name = 0, ""
    for following, next_name in starts:
        end = _with_comments(text, start, following)
        yield start, end, name
        start, name = end, next_name
    yield start, len(text), name


def _with_comments(text: str, floor: int, start: int) -> int:
    while start > floor:
        line = max(text.rfind("\n", floor, start - 1) + 1, floor)
        if not text.startswith("#", line):
            break
        start = line
    return start
