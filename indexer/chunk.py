"""Documents to passages: cut along headings, blocks and sentences. Knows no file formats."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from indexer.readers.parsed import paragraphs, trim
from indexer.split import CUTS, split
from indexer.tokens import estimate_tokens
from rag.types import Block, Chunk, Document

__all__ = ["chunk", "estimate_tokens"]

# "In this case:", "/// tip", ":::note", "!!! warning", ".. py:data:: NAME": the next unit belongs
# to it; "///" and "</div>" belong to the one before.
_INTRODUCTION = re.compile(r"(?:/{3,}|:{3,}|!{3})[ \t]*\w.*|\.\. [\w:+.-]+::.*")
_CLOSING = re.compile(r"(?:</\w+>|[^\w\s]|\s)+")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class _Unit:
    """What chunks are made of.

    ``leads``: it is of no use without what follows it; ``closes``: without what comes before.
    """

    start: int
    end: int
    tokens: int
    path: tuple[str, ...]
    level: int = 0
    leads: bool = False
    closes: bool = False


def chunk(document: Document, tokens: int = 300) -> list[Chunk]:
    """Cut a document into passages of about ``tokens`` estimated tokens.

    Passages are in order, do not overlap, and hold all that the document's blocks hold (a document
    without blocks is cut by paragraphs); none is blank or above 1.5 times ``tokens``. A passage
    stays under one heading unless the sections are small; a code block or table row is cut only
    where it is too long by itself.

    Parameters
    ----------
    document
        ``document.text[c.start:c.end] == c.text`` holds for every passage.
    tokens
        Wanted size, 1 or more.
    """
    if tokens < 1:
        raise ValueError(f"tokens must be 1 or more, not {tokens}")
    origin, version = document.id, document.version
    if not document.blocks and estimate_tokens(document.text) <= tokens:
        start, end = trim(document.text, 0, len(document.text))
        text = document.text[start:end]
        whole = Chunk(origin, version, 0, start, end, text, document.path, document.title)
        return [whole] if text else []
    passages = (
        passage
        for group in _groups(_sections(_units(document, tokens)), tokens)
        for passage in _absorb(_pack(group, tokens), tokens)
    )
    return [
        Chunk(
            document=origin,
            version=version,
            position=position,
            start=units[0].start,
            end=units[-1].end,
            text=document.text[units[0].start : units[-1].end],
            path=document.path,
            title=document.title,
            heading=_common(units),
        )
        for position, units in enumerate(passages)
    ]


def _units(document: Document, tokens: int) -> Iterator[_Unit]:
    text = document.text
    above: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    for block in document.blocks or paragraphs(text):
        if block.kind == "heading":
            above = [part for part in above if part[0] < block.level]
            above += [(block.level, block.title)] if block.title else []
            path = tuple(title for _, title in above)
        leads = block.kind == "heading" or _introduces(text, block)
        # A whole code block or table may be a little longer, with room for its heading.
        limit = tokens * 5 // 4 if block.kind in ("code", "table") else tokens
        start, end = trim(text, block.start, block.end)
        for begin, stop, size in split(text, start, end, (limit, tokens), CUTS[block.kind]):
            closes = size < _SHORT and bool(_CLOSING.fullmatch(text, begin, stop))
            yield _Unit(begin, stop, size, path, block.level, leads, closes)


def _introduces(text: str, block: Block) -> bool:
    if block.kind != "paragraph":
        return False
    return text.endswith(":", block.start, block.end) or bool(
        _INTRODUCTION.match(text, *trim(text, block.start, block.end))
        and "\n" not in text[block.start : block.end]
    )


def _sections(units: Iterable[_Unit]) -> Iterator[list[_Unit]]:
    """Units by section; headings without a text of their own go with the next section."""
    section: list[_Unit] = []
    bare = True
    for unit in units:
        if unit.level and not bare:
            yield section
            section = []
        section.append(unit)
        bare = unit.level > 0
    if section:
        yield section


def _groups(sections: Iterable[list[_Unit]], tokens: int) -> Iterator[list[_Unit]]:
    """Small sections joined to the one before, unless that is deeper down than they are."""
    group: list[_Unit] = []
    total = 0
    for section in sections:
        size = sum(unit.tokens for unit in section)
        tiny = min(size, total) * 8 < tokens
        room = tokens * 3 // 4 if tiny else tokens // 2
        if group and (total + size > room or section[0].level < group[0].level):
            yield group
            group, total = [], 0
        group.extend(section)
        total += size
    if group:
        yield group


def _pack(units: Sequence[_Unit], tokens: int) -> Iterator[list[_Unit]]:
    """Runs of units of about equal size, none above ``tokens`` where that can be."""
    total = sum(unit.tokens for unit in units)
    target = total / math.ceil(total / tokens)
    run: list[_Unit] = []
    size = 0
    opening = True
    for unit in units:
        full = size >= target and not (opening or unit.closes)
        room = tokens * 3 // 2 if opening or unit.closes else tokens
        if run and (full or size + unit.tokens > room):
            kept = run if opening else _without_leads(run)
            yield kept
            run = run[len(kept) :]
            size = sum(u.tokens for u in run)
            if run and size + unit.tokens > tokens * 3 // 2:
                yield run
                run, size = [], 0
            opening = True
        run.append(unit)
        size += unit.tokens
        opening = opening and unit.leads
    if run:
        yield run


def _absorb(runs: Iterable[list[_Unit]], tokens: int) -> Iterator[list[_Unit]]:
    """``runs``, a tiny one joined to the one before unless it opens a section."""
    held: list[_Unit] = []
    held_size = 0
    for run in runs:
        size = sum(unit.tokens for unit in run)
        if held and size * 8 < tokens and not run[0].level and held_size + size <= tokens * 5 // 4:
            held, held_size = held + run, held_size + size
            continue
        if held:
            yield held
        held, held_size = run, size
    if held:
        yield held


def _without_leads(run: list[_Unit]) -> list[_Unit]:
    """``run`` up to its last unit that does not lead to another."""
    kept = len(run)
    while run[kept - 1].leads:
        kept -= 1
    return run[:kept]


def _common(units: Sequence[_Unit]) -> tuple[str, ...]:
    """The headings that all of the units' texts stand under."""
    paths = {unit.path for unit in units if not unit.level} or {unit.path for unit in units}
    levels = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return tuple(parts[0] for parts in levels)
