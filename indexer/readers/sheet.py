"""A sheet's cells as tables. Knows no file format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from indexer.readers.building import Builder

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column of merged cells, from 0."""

_SPREAD = 1_000_000  # rows that are looked at for merged cells, of a sheet
_BLANK = 2
"""As many blank rows end a table."""


@dataclass(slots=True)
class Sheet:
    """``rows``: texts by column, by row; blank cells are not there."""

    name: str
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)


def write_sheet(builder: Builder, sheet: Sheet) -> None:
    """A page of its own, headed by the sheet's name; lone cells above a table are paragraphs.

    An empty sheet is passed over.
    """
    if not sheet.rows:
        return
    _spread(sheet.rows, sheet.merged)
    builder.page()
    builder.heading(sheet.name, 1)
    for table in _tables(sheet.rows):
        _write(builder, table)


def _spread(rows: dict[int, dict[int, str]], merged: Iterable[Area]) -> None:
    """What is merged over rows is said in each, so that every row can be read alone."""
    left = _SPREAD
    for first, column, last, _ in merged:
        text = rows.get(first, {}).get(column, "")
        if text:
            last = min(last, first + left)
            left -= max(last - first, 0)
            for row in range(first + 1, last + 1):
                if row in rows:
                    rows[row].setdefault(column, text)


def _tables(rows: Mapping[int, dict[int, str]]) -> Iterator[list[dict[int, str]]]:
    """Rows between blank ones."""
    last = -1
    table: list[dict[int, str]] = []
    for number in sorted(rows):
        if table and number - last > _BLANK:
            yield table
            table = []
        if rows[number]:
            table.append(rows[number])
            last = number
    if table:
        yield table


def _write(builder: Builder, rows: list[dict[int, str]]) -> None:
    columns = sorted({column for row in rows for column in row})
    start = 0
    while len(columns) > 1 and start < len(rows) and len(rows[start]) == 1:
        builder.paragraph(next(iter(rows[start].values())))
        start += 1
    rest = rows[start:]
    if len(columns) * len(rest) > 20 * sum(map(len, rest)) + 1000:  # no table that anybody reads
        builder.table((list(row.values()) for row in rest), header=0)
        return
    builder.table(_line(row, columns) for row in rest)


def _line(row: Mapping[int, str], columns: list[int]) -> list[str]:
    width = max(row)
    return [row.get(column, "") for column in columns if column <= width]
