"""Documents to units, the small parts that passages are made of, and runs of them to passages.

Knows no way of choosing the runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from indexer.readers.parsed import paragraphs, trim
from indexer.split import CUTS, counted, cut_tokens, split
from indexer.tokens import Counter, estimate_tokens
from rag.types import Block, Chunk, Document

# "In this case:", "/// tip", ":::note", "!!! warning", ".. py:data:: NAME": the next unit belongs
# to it; "///" and "</div>" belong to the one before.
_INTRODUCTION = re.compile(r"(?:/{3,}|:{3,}|!{3})[ \t]*\w.*|\.\. [\w:+.-]+::.*")
_CLOSING = re.compile(r"(?:</\w+>|[^\w\s]|\s)+")
_SHORT = 12
_HEAD = 32
"""Tokens that a table's header may have at least."""
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Unit:
    """What passages are made of: ``text[start:end]``, all or a part of ``block``.

    ``tokens`` is its size, ``path`` the headings above it, ``lead`` the header rows of the table
    that it continues. ``leads``: it is of no use without what follows it; ``closes``: without what
    comes before.
    """

    start: int
    end: int
    tokens: int
    block: Block
    path: tuple[str, ...]
    lead: str = ""
    leads: bool = False
    closes: bool = False


def units(
    document: Document, tokens: int, counter: Counter, *, fine: bool = False
) -> Iterator[Unit]:
    """The parts of a document, none above ``tokens``; a code block or table may be a quarter more.

    A block is one unit unless it is too long; if ``fine``, each of its sentences, lines or items
    is, short ones together. What no block covers is left out. A document without blocks has its
    paragraphs, or is one unit if it is small.
    """
    text = document.text
    if not (document.blocks or fine) and (whole := _whole(text, tokens, counter)):
        yield whole
        return
    parts = list(headed(document))
    spans = [trim(text, block.start, block.end) for block, _ in parts]
    sizes = counted(text, spans, tokens, counter)
    for (block, path), span in zip(parts, sizes, strict=True):
        leads = block.kind == "heading" or _introduces(text, block)
        unit = Unit(*span, block, path, "", leads)
        yield from (
            _parts(text, unit, (0, tokens), counter) if fine else finer(text, unit, tokens, counter)
        )


def measured(text: str, group: Sequence[Unit], tokens: int, counter: Counter) -> Iterator[Unit]:
    """``group`` counted by another counter, and cut where that makes a unit too long."""
    spans = [(unit.start, unit.end) for unit in group]
    for unit, (_, _, size) in zip(group, counted(text, spans, tokens, counter), strict=True):
        yield from finer(text, replace(unit, tokens=size), tokens, counter)


def finer(text: str, unit: Unit, tokens: int, counter: Counter) -> Iterator[Unit]:
    """``unit`` in parts of at most ``tokens``; code or a table left whole may be longer."""
    room = tokens * 5 // 4 if unit.block.kind in ("code", "table") else tokens
    return _parts(text, unit, (room, tokens), counter)


def _parts(text: str, unit: Unit, limits: tuple[int, int], counter: Counter) -> Iterator[Unit]:
    block = unit.block
    lead = table_head(text, block, limits[1], counter) if unit.tokens > limits[0] else unit.lead
    span = (unit.start, unit.end, unit.tokens)
    for start, end, size in split(text, span, limits, CUTS[block.kind], counter):
        closes = size < _SHORT and bool(_CLOSING.fullmatch(text, start, end))
        continued = lead if start >= block.header else ""
        yield Unit(start, end, size, block, unit.path, continued, unit.leads, closes)


def _whole(text: str, tokens: int, counter: Counter) -> Unit | None:
    if estimate_tokens(text) > tokens:
        return None
    start, end = trim(text, 0, len(text))
    (size,) = counter.count([text])
    whole = Unit(start, end, size, Block("paragraph", start, end), ())
    return whole if start < end and size <= tokens else None


def headed(document: Document) -> Iterator[tuple[Block, tuple[str, ...]]]:
    """Each block with the titles of the headings above it; a titled code block's own is the last.

    That of source code is the name of what it defines.
    """
    above: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    for block in document.blocks or paragraphs(document.text):
        if block.kind == "heading":
            above = [part for part in above if part[0] < block.level]
            above += [(block.level, block.title)] if block.title else []
            path = tuple(title for _, title in above)
        named = block.kind == "code" and block.title
        yield block, (*path, block.title) if named else path


def table_head(text: str, block: Block, tokens: int, counter: Counter) -> str:
    """The rows that head a table's columns, rules aside; of long ones the beginning."""
    if block.kind != "table" or block.header <= block.start:
        return ""
    rows = cut_tokens(text, block.start, block.header, max(tokens // 4, _HEAD), counter)
    start, end, _ = next(rows, (0, 0, 0))
    return "\n".join(row for row in text[start:end].split("\n") if _WORD.search(row))


def made(document: Document, runs: Iterable[Sequence[Unit]]) -> list[Chunk]:
    """A passage of each run."""
    origin, version = document.id, document.version
    return [
        Chunk(
            document=origin,
            version=version,
            position=position,
            start=run[0].start,
            end=run[-1].end,
            text=document.text[run[0].start : run[-1].end],
            path=document.path,
            title=document.title,
            heading=common([u.path for u in run if not u.block.level] or [u.path for u in run]),
            lead=run[0].lead,
        )
        for position, run in enumerate(runs)
    ]


def common(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """What all ``paths`` begin with."""
    levels = takewhile(lambda parts: len(set(parts)) == 1, zip(*set(paths), strict=False))
    return tuple(parts[0] for parts in levels)


def _introduces(text: str, block: Block) -> bool:
    if block.kind != "paragraph":
        return False
    return text.endswith(":", block.start, block.end) or bool(
        _INTRODUCTION.match(text, *trim(text, block.start, block.end))
        and "\n" not in text[block.start : block.end]
    )
