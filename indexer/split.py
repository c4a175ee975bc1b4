"""Texts to small parts: sentences, lines, items, runs of tokens. Knows no documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from indexer.readers.parsed import trim
from indexer.tokens import Counter
from rag.analysis.sentences import END, is_end
from rag.types import BlockKind

_NEWLINE = re.compile("\n")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d+[.)])[ \t])")
# More characters than this for each token are mostly blank; such a text is cut without counting.
_SPARSE = 40

Span = tuple[int, int]
Piece = tuple[int, int, int]
"""Start, end and tokens."""
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
    text: str, span: Piece, limits: tuple[int, int], cuts: Sequence[Cut], counter: Counter
) -> Iterator[Piece]:
    """``span`` itself if within ``limits[0]`` tokens, else its parts of ``limits[1]``."""
    start, end, size = span
    limit, smaller = limits
    if size <= limit:
        yield span
    elif not cuts:
        yield from cut_tokens(text, start, end, smaller, counter)
    else:
        # Far finer parts than a chunk would only cost time and memory: megabytes of "? ? ?".
        parts = list(cuts[0](text, start, end, smaller // 3))
        for part in counted(text, parts, smaller, counter):
            yield from split(text, part, (smaller, smaller), cuts[1:], counter)


def counted(text: str, spans: Sequence[Span], limit: int, counter: Counter) -> Iterator[Piece]:
    """``spans`` with their tokens; one that is far above ``limit`` is not counted exactly."""
    short = [i for i, (start, end) in enumerate(spans) if end - start <= limit * _SPARSE]
    sizes = [end - start for start, end in spans]
    for i, size in zip(short, counter.count([text[slice(*spans[i])] for i in short]), strict=True):
        sizes[i] = size
    return ((start, end, size) for (start, end), size in zip(spans, sizes, strict=True))


def cut_tokens(text: str, start: int, end: int, limit: int, counter: Counter) -> Iterator[Piece]:
    """Pieces of at most ``limit`` tokens, cut at a blank in their second half if there is one."""
    begin, last, count = start, start, 0
    blank, blank_start, before_blank = start, start, 0
    for first, stop, size in counter.spans(text, start, end):
        if first > last:
            blank, blank_start, before_blank = last, first, count
        if count and count + size > limit:
            if before_blank * 2 > limit:
                yield begin, blank, before_blank
                begin, count = blank_start, count - before_blank
            else:
                yield begin, last, count
                begin, count = first, 0
            before_blank = 0
        count += size
        last = stop
    if count:
        yield begin, last, count
