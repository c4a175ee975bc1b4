"""From runs on a page to paragraphs in the order in which they are read.

Knows no other page: headings and what repeats over pages are found by `indexer.readers.pdf`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from indexer.readers.pdfjoin import Joiner
from indexer.readers.pdfpage import Rule, Run
from indexer.readers.pdftable import MARKER, aligned_rows, ruled_tables

_ENDS = re.compile(r"[.!?。:;][\"'”’)\]]*$")
_COLUMN = 10  # sizes: narrower columns are a table's


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a table where there are ``rows``."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    spaced: bool = False
    fixed: bool = False
    rows: tuple[tuple[str, ...], ...] = ()


def page_lines(runs: Sequence[Run], rules: Sequence[Rule]) -> list[list[Line]]:
    """Lines by column, in reading order."""
    join = Joiner([_levelled(runs)])
    placed = ruled_tables(runs, rules, lambda inside: cell_text(inside, join))
    return [_lines(column, join) for column in _columns(placed, 0)]


def cell_text(runs: Sequence[Run], join: Joiner) -> str:
    return join([_line(level, ()) for level in _levels(runs)])


def paragraphs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines of a column, those of one paragraph, of one table or of one listing together."""
    if not lines:
        return
    left = median(line.left for line in lines)
    right = max(line.right for line in lines)
    pitches = [a.top - b.top for a, b in pairwise(lines) if a.top > b.top]
    pitch = median(pitches) if pitches else 0.0
    group = [lines[0]]
    for line in lines[1:]:
        if _breaks(group, line, left, right, pitch):
            yield group
            group = []
        group.append(line)
    yield group


def _breaks(group: list[Line], line: Line, left: float, right: float, pitch: float) -> bool:
    last = group[-1]
    if last.rows or line.rows or last.fixed != line.fixed:
        return True
    step = last.top - line.top
    if step < 0 or step > max(1.35 * min(pitch, 2 * line.size), 1.1 * line.size):
        return True
    if line.fixed:
        return False
    if abs(line.size - last.size) > 0.12 * max(line.size, last.size):
        return True
    if MARKER.fullmatch(line.text.split(" ", 1)[0]) and " " in line.text:
        return True
    short = (right - last.right) / max(right - left, 1)
    if short > 0.4 or (short > 0.12 and _ENDS.search(last.text)):
        return True
    inward = line.left - last.left
    return inward > 0.8 * line.size and len(group) > 1


def _lines(runs: Sequence[Run], join: Joiner) -> list[Line]:
    rows = _levels(runs)
    lines: list[Line] = []
    at = 0
    while at < len(rows):
        cells = aligned_rows(rows[at:], lambda inside: cell_text(inside, join))
        members = [run for row in rows[at : at + max(len(cells), 1)] for run in row]
        lines.append(_line(members, tuple(cells) or members[0].rows))
        at += max(len(cells), 1)
    return lines


def _levelled(runs: Sequence[Run]) -> list[Line]:
    return [_line(level, ()) for level in _levels(runs)]


def _line(runs: Sequence[Run], rows: tuple[tuple[str, ...], ...]) -> Line:
    main = max(runs, key=lambda r: len(r.text))
    return Line(
        "" if rows else _beside(runs),
        min(r.left for r in runs),
        max(r.right for r in runs),
        min(r.bottom for r in runs) if rows else main.bottom,
        max(r.top for r in runs) if rows else main.top,
        main.size,
        runs[-1].spaced,
        all(r.fixed for r in runs),
        rows,
    )


def _beside(runs: Sequence[Run]) -> str:
    text = runs[0].text
    for last, run in pairwise(runs):
        apart = last.spaced or not -1 < run.left - last.right < 0.15 * run.size
        text += (" " if apart else "") + run.text
    return text


def _levels(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that stand on one line together, from left to right; lines from the top down."""
    levels: list[list[Run]] = []
    for run in sorted(runs, key=lambda r: -(r.top + r.bottom)):
        last = levels[-1][0] if levels else None
        if last is not None and _overlap(last, run) > 0.5 and not (last.rows or run.rows):
            levels[-1].append(run)
        else:
            levels.append([run])
    return [sorted(level, key=lambda r: r.left) for level in levels]


def _overlap(a: Run, b: Run) -> float:
    shared = min(a.top, b.top) - max(a.bottom, b.bottom)
    return shared / max(min(a.top - a.bottom, b.top - b.bottom), 0.1)


def _columns(runs: list[Run], depth: int) -> Iterator[list[Run]]:
    """Runs by column: whole page, or left and right of a gutter between what spans both."""
    at = _gutter(runs) if depth < 3 else None
    if at is None:
        if runs:
            yield runs
        return
    spanning = sorted(
        (r for r in runs if r.left < at - 1 and r.right > at + 1), key=lambda r: -r.top
    )
    rest = [r for r in runs if not (r.left < at - 1 and r.right > at + 1)]
    above: list[Run] = []
    for wide in spanning:
        band = [r for r in rest if (r.top + r.bottom) / 2 > wide.top]
        if band:
            rest = [r for r in rest if (r.top + r.bottom) / 2 <= wide.top]
            if above:
                yield above
            above = []
            yield from _columns([r for r in band if r.left < at - 1], depth + 1)
            yield from _columns([r for r in band if r.left >= at - 1], depth + 1)
        above.append(wide)
    if above:
        yield above
    yield from _columns([r for r in rest if r.left < at - 1], depth + 1)
    yield from _columns([r for r in rest if r.left >= at - 1], depth + 1)


def _gutter(runs: list[Run]) -> float | None:
    """Where a column of prose begins beside another, if any does."""
    if len(runs) < 8:
        return None
    size = median(r.size for r in runs)
    first = min(r.left for r in runs)
    starts = Counter(round(r.left / 2) for r in runs if r.left > first + _COLUMN * size)
    for start, count in starts.most_common(3):
        at = start * 2.0 - 1
        right = [r for r in runs if r.left >= at - 1]
        left = [r for r in runs if r.right <= at + 1]
        if count < 4 or len(right) + len(left) < 0.6 * len(runs) or len(left) < 4:
            continue
        wide = min(median(r.right - r.left for r in side) for side in (left, right))
        shared = min(max(r.top for r in left), max(r.top for r in right)) - max(
            min(r.bottom for r in left), min(r.bottom for r in right)
        )
        if wide > _COLUMN * size and shared > 3 * size:
            return at
    return None
