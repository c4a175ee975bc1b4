"""The structural way to cut: along headings, blocks and sentences. Knows no file formats."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from indexer.tokens import ESTIMATE, Counter, Estimate
from indexer.units import Unit, made, measured, units
from rag.types import Chunk, Document


def chunk(document: Document, tokens: int = 300, counter: Counter = ESTIMATE) -> list[Chunk]:
    """Cut a document into passages of about ``tokens`` tokens.

    Passages are in order, do not overlap, and hold all that the document's blocks hold (a document
    without blocks is cut by paragraphs); none is blank or above 1.5 times ``tokens``. A passage
    stays under one heading unless the sections are small; a code block or table row is cut only
    where it is too long by itself, and what continues a table has its header rows as ``lead``.

    Parameters
    ----------
    document
        ``document.text[c.start:c.end] == c.text`` holds for every passage.
    tokens
        Wanted size, 1 or more.
    """
    if tokens < 1:
        raise ValueError(f"tokens must be 1 or more, not {tokens}")
    return made(document, passages(document, tokens, counter))


def passages(document: Document, tokens: int, counter: Counter) -> Iterator[list[Unit]]:
    """The runs of units that make passages.

    Sections are joined by the estimate, which costs a twentieth of a tokenizer's count; exactly
    counted are those that may have to be cut.
    """
    for group in _groups(_sections(units(document, tokens, ESTIMATE)), tokens):
        near = sum(unit.tokens for unit in group) * 3 > tokens * 2
        if near and not isinstance(counter, Estimate):
            group = list(measured(document.text, group, tokens, counter))
        yield from packed(group, tokens)


def packed(group: Sequence[Unit], tokens: int) -> Iterator[list[Unit]]:
    """Runs of the units of one or more sections, of about equal size, none tiny but the first."""
    return _absorb(_pack(group, tokens), tokens)


def _sections(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Units by section; headings without a text of their own go with the next section."""
    section: list[Unit] = []
    bare = True
    for unit in units:
        if unit.block.level and not bare:
            yield section
            section = []
        section.append(unit)
        bare = unit.block.level > 0
    if section:
        yield section


def _groups(sections: Iterable[list[Unit]], tokens: int) -> Iterator[list[Unit]]:
    """Small sections joined to the one before, unless that is deeper down than they are."""
    group: list[Unit] = []
    total = 0
    for section in sections:
        size = sum(unit.tokens for unit in section)
        tiny = min(size, total) * 8 < tokens
        room = tokens * 3 // 4 if tiny else tokens // 2
        if group and (total + size > room or section[0].block.level < group[0].block.level):
            yield group
            group, total = [], 0
        group.extend(section)
        total += size
    if group:
        yield group


def _pack(units: Sequence[Unit], tokens: int) -> Iterator[list[Unit]]:
    """Runs of units of about equal size, none above ``tokens`` where that can be."""
    total = sum(unit.tokens for unit in units)
    target = total / math.ceil(total / tokens)
    run: list[Unit] = []
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


def _absorb(runs: Iterable[list[Unit]], tokens: int) -> Iterator[list[Unit]]:
    """``runs``, a tiny one joined to the one before unless it opens a section."""
    held: list[Unit] = []
    held_size = 0
    for run in runs:
        size = sum(unit.tokens for unit in run)
        if (
            held
            and size * 8 < tokens
            and not run[0].block.level
            and held_size + size <= tokens * 5 // 4
        ):
            held, held_size = held + run, held_size + size
            continue
        if held:
            yield held
        held, held_size = run, size
    if held:
        yield held


def _without_leads(run: list[Unit]) -> list[Unit]:
    """``run`` up to its last unit that does not lead to another."""
    kept = len(run)
    while run[kept - 1].leads:
        kept -= 1
    return run[:kept]
