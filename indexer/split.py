"""Texts to small parts: token estimates, sentences, lines, items. Knows no documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from indexer.readers.parsed import trim
from indexer.tokens import TOKEN, estimate_tokens
from rag.analysis.sentences import END, is_end
from rag.types import BlockKind

_NEWLINE = re.compile("\n")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d+[.)])[ \t])")
# More characters than this for each token are mostly blank; such a text is cut without counting.
_SPARSE = 40

Span = tuple[int, int]
Cut = Callable[[str, int, int, int], Iterator[Span]]


def sentences(text: str, start: int = 0, end: int | None = None, least: int = 0) -> Iterator[Span]:
    """Spans of the sentences of ``text[start:end]``, Korean or English, without blank ends.

    A span shorter than ``least`` characters takes the next sentence in as well.
    """
    end = len(text) if end is None else end
    return _parts(text, start, end, least, END, is_end)


def _lines(text: str, start: int, end: int, least: int) -> Iterator[Span]:
    return _parts(text, start, end, least, _NEWLINE)


def _items(text: str, start: int, end: int, least: int) -> Iterator[Span]:
    return _parts(text, start, end, least, _ITEM)


def _parts(
    text: str,
    start: int,
    end: int,
    least: int,
    pattern: re.Pattern[str],
    accepts: Callable[[re.Match[str]], bool] = bool,
) -> Iterator[Span]:
    """``text[start:end]`` cut behind what ``pattern`` finds and ``accepts`` agrees to."""
    for found in pattern.finditer(text, start, end):
        cut = found.end()
        if cut - start >= least and accepts(found):
            begin, stop = trim(text, start, cut)
            if begin < stop:
                yield begin, stop
            start = cut
    begin, stop = trim(text, start, end)
    if begin < stop:
        yield begin, stop


CUTS: dict[BlockKind, tuple[Cut, ...]] = {
    "heading": (),
    "paragraph": (sentences,),
    "quote": (sentences,),
    "list": (_items, sentences),
    "code": (_lines,),
    "table": (_lines,),
}


def split(
    text: str, start: int, end: int, limits: tuple[int, int], cuts: Sequence[Cut]
) -> Iterator[tuple[int, int, int]]:
    """Spans with their tokens: the whole if within ``limits[0]``, else parts of ``limits[1]``."""
    limit, smaller = limits
    if end - start <= limit * _SPARSE:
        size = estimate_tokens(text[start:end])
        if size <= limit:
            yield start, end, size
            return
    if not cuts:
        yield from _cut_tokens(text, start, end, smaller)
        return
    # Far finer parts than a chunk would only cost time and memory: megabytes of "? ? ?".
    for begin, stop in cuts[0](text, start, end, smaller // 3):
        yield from split(text, begin, stop, (smaller, smaller), cuts[1:])


def _cut_tokens(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """Pieces of at most ``limit`` tokens, cut at a blank in their second half if there is one."""
    begin, last, count = start, start, 0
    blank, blank_start, before_blank = start, start, 0
    for found in TOKEN.finditer(text, start, end):
        if found.start() > last:
            blank, blank_start, before_blank = last, found.start(), count
        if count == limit:
            if before_blank * 2 > limit:
                yield begin, blank, before_blank
                begin, count = blank_start, count - before_blank
            else:
                yield begin, last, count
                begin, count = found.start(), 0
            before_blank = 0
        count += 1
        last = found.end()
    if count:
        yield begin, last, count
