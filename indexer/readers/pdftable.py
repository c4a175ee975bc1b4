"""Tables on a page of a PDF: by their ruled lines, or by columns that stand in line.

Knows nothing of paragraphs.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from indexer.readers.pdfpage import Rule, Run

_NEAR = 3.0  # points: lines no further apart are one
_MOST = 200  # rows or columns; more is a drawing

MARKER = re.compile(r"[•◦▪‣·○●■□◆▶※∙*–—-]|\(?(?:\d{1,3}|[A-Za-z가-힣])[.)]|[①-⑳]|")
"""What begins an item of a list; blank also."""

Joins = Callable[[Sequence[Run]], str]


def ruled_tables(runs: Sequence[Run], rules: Sequence[Rule], text_of: Joins) -> list[Run]:
    """``runs`` with those inside a ruled grid put together to one run with ``rows``."""
    kept = list(runs)
    for group in _groups(rules):
        xs = _levels(r.left for r in group if r.right - r.left < _NEAR)
        ys = _levels(r.bottom for r in group if r.top - r.bottom < _NEAR)
        if not (2 < len(xs) < _MOST and 1 < len(ys) < _MOST) or len(xs) + len(ys) < 6:
            continue
        inside = [
            r
            for r in kept
            if not r.rows
            and xs[0] < (r.left + r.right) / 2 < xs[-1]
            and ys[0] < (r.bottom + r.top) / 2 < ys[-1]
        ]
        rows = _rows(inside, group, xs, ys, text_of)
        if sum(any(row) for row in rows) < 2 or max(sum(map(bool, row)) for row in rows) < 2:
            continue
        gone = {id(r) for r in inside}
        kept = [r for r in kept if id(r) not in gone]
        size = max(r.size for r in inside)
        kept.append(Run("", xs[0], ys[0], xs[-1], ys[-1], size, rows=rows))
    return kept


def _groups(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules that touch each other, directly or through others."""
    groups: list[tuple[list[float], list[Rule]]] = []
    for rule in sorted(rules, key=lambda r: -r.top):
        box = [rule.left, rule.bottom, rule.right, rule.top]
        members = [rule]
        apart = []
        for other, those in groups:
            if _touch(other, box):
                members += those
                box = [*map(min, other[:2], box[:2]), *map(max, other[2:], box[2:])]
            else:
                apart.append((other, those))
        groups = [*apart, (box, members)]
    return [members for _, members in groups if len(members) > 3]


def _touch(a: Sequence[float], b: Sequence[float]) -> bool:
    return (
        a[0] <= b[2] + _NEAR
        and b[0] <= a[2] + _NEAR
        and a[1] <= b[3] + _NEAR
        and b[1] <= a[3] + _NEAR
    )


def _levels(places: Iterable[float]) -> list[float]:
    levels: list[float] = []
    for place in sorted(places):
        if not levels or place - levels[-1] > _NEAR:
            levels.append(place)
    return levels


def _rows(
    runs: Sequence[Run], rules: Sequence[Rule], xs: list[float], ys: list[float], text_of: Joins
) -> tuple[tuple[str, ...], ...]:
    """The grid's cells, top row first; cells without a rule between them are one."""
    columns, count = len(xs) - 1, len(ys) - 1
    walls = {
        at
        for r in rules
        if r.right - r.left < _NEAR
        for at in _along(r.left, xs, r.bottom, r.top, ys)
    }
    floors = {
        at
        for r in rules
        if r.top - r.bottom < _NEAR
        for at in _along(r.bottom, ys, r.left, r.right, xs)
    }
    owner: dict[tuple[int, int], tuple[int, int]] = {}
    for row in reversed(range(count)):
        for column in range(columns):
            if column and (column, row) not in walls:
                owner[row, column] = owner[row, column - 1]
            elif row < count - 1 and (row + 1, column) not in floors:
                owner[row, column] = owner[row + 1, column]
            else:
                owner[row, column] = (row, column)
    cells: dict[tuple[int, int], list[Run]] = {}
    for run in runs:
        row = bisect_right(ys, (run.bottom + run.top) / 2) - 1
        column = bisect_right(xs, (run.left + run.right) / 2) - 1
        cells.setdefault(owner[row, column], []).append(run)
    texts = {at: text_of(inside) for at, inside in cells.items()}
    return tuple(
        tuple(
            texts.get(owner[row, column], "") if owner[row, column][1] == column else ""
            for column in range(columns)
        )
        for row in reversed(range(count))
    )


def _along(
    place: float, places: list[float], start: float, end: float, stations: list[float]
) -> Iterable[tuple[int, int]]:
    """``(i, j)`` for each stretch ``j`` between stations that a rule at ``places[i]`` covers."""
    i = max(bisect_right(places, place) - 1, 0)
    for j in range(len(stations) - 1):
        if start - _NEAR < (stations[j] + stations[j + 1]) / 2 < end + _NEAR:
            yield i, j


def aligned_rows(lines: Sequence[Sequence[Run]], text_of: Joins) -> list[tuple[str, ...]]:
    """The first of ``lines`` as rows of a table: three or more, or none.

    They are one where each has two or more runs, and blanks stand above blanks over all of them.
    """
    rows: list[Sequence[Run]] = []
    spans: list[tuple[float, float]] = []
    for line in lines:
        close = not rows or rows[-1][0].bottom - line[0].top < 1.5 * line[0].size
        if len(line) < 2 or any(r.rows for r in line) or not close:
            break
        merged = _merged([*spans, *((r.left, r.right) for r in line)], line[0].size / 2)
        if len(merged) < 2:
            break
        spans = merged
        rows.append(line)
    if len(rows) < 3:
        return []
    starts = [left for left, _ in spans]
    texts = []
    for line in rows:
        cells: list[list[Run]] = [[] for _ in spans]
        for run in line:
            cells[bisect_right(starts, run.left) - 1].append(run)
        texts.append(tuple(text_of(cell) for cell in cells))
    return [] if all(MARKER.fullmatch(row[0]) for row in texts) else texts


def _merged(spans: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """The spans, those no further apart than ``gap`` as one."""
    merged: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if merged and left - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged
