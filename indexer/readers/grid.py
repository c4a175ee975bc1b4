"""Tables with merged cells as rows of equal length. Knows no format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_REPEATED = 200
_SPAN = 1000
_SLOTS = 1 << 20


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell at ``row`` and ``column`` (from 0) that covers ``rows`` and ``columns``, 1 or more."""

    row: int
    column: int
    rows: int
    columns: int
    text: str


def grid(cells: Iterable[Cell]) -> list[list[str]]:
    """The rows of a table, as ``Builder.table`` takes them.

    A cell that spans columns is given once, then as empty cells; one that spans rows is given in
    each of them (unless it is long), so that every row can be read alone. A row or column in which
    no cell begins is left out, so the result is bounded by the cells, whatever spans they claim.
    """
    found = sorted(cells, key=lambda cell: (cell.row, cell.column))
    lines = sorted({cell.row for cell in found})
    places = {column: i for i, column in enumerate(sorted({cell.column for cell in found}))}
    out: list[list[str]] = [[] for _ in lines]
    index = {row: i for i, row in enumerate(lines)}
    if len(lines) * len(places) > 20 * len(found) + 1000:  # no table that anybody has drawn
        for cell in found:
            out[index[cell.row]].append(cell.text)
        return out
    own = {(cell.row, cell.column) for cell in found}
    out = [[""] * len(places) for _ in lines]
    left = sum(len(cell.text) for cell in found) + 100_000
    for cell in found:
        line, place = index[cell.row], places[cell.column]
        out[line][place] = f"{out[line][place]} {cell.text}".strip()
        if not 0 < len(cell.text) <= _REPEATED:
            continue
        for i in range(line + 1, len(lines)):
            if lines[i] >= cell.row + cell.rows or left < 0:
                break
            if (lines[i], cell.column) not in own:
                out[i][place] = cell.text
                left -= len(cell.text)
    return out


def placed(rows: Iterable[Iterable[tuple[str, int, int]]]) -> Iterator[Cell]:
    """Cells of rows of ``(text, row span, column span)``, where HTML puts them.

    https://html.spec.whatwg.org/multipage/tables.html#forming-a-table, without its rule that a row
    span of 0 reaches the end: it counts as 1.
    """
    until: dict[int, int] = {}  # the row before which a column is taken
    slots = 0
    for y, row in enumerate(rows):
        x = 0
        for text, down, across in row:
            while until.get(x, 0) > y:
                x += 1
            across = min(max(across, 1), _SPAN) if slots < _SLOTS else 1
            slots += across
            yield Cell(y, x, max(down, 1), across, text)
            if down > 1:
                until.update(dict.fromkeys(range(x, x + across), y + down))
            x += across
