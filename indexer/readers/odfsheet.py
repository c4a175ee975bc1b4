"""Rows of OpenDocument spreadsheets. Knows no file."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from indexer.readers.odftext import Text
from indexer.readers.ooxml import whole
from indexer.readers.sheet import Sheet

_REPEATED = 1000
"""As often is something said that a file claims to repeat."""


def read_row(sheet: Sheet, number: int, element: Element, most: int) -> tuple[int, int]:
    """Puts a row into the sheet; returns the next row's number and how many cells were put.

    A file says once what is in many rows: at most a thousand of them are filled, and no more than
    ``most`` cells.
    """
    row: dict[int, str] = {}
    column = 0
    for cell in element:
        repeated = max(whole(cell.get("number-columns-repeated", ""), 1), 1)
        text = _shown(cell) if cell.tag == "table-cell" else ""
        if text:
            row.update(dict.fromkeys(range(column, column + min(repeated, _REPEATED)), text))
            down, across = (
                whole(cell.get(f"number-{way}-spanned", ""), 1) for way in ("rows", "columns")
            )
            if down > 1 or across > 1:
                sheet.merged.append((number, column, number + down - 1, column + across - 1))
        column += repeated
    said = element.get("number-rows-repeated", "")
    repeated = max(int(said) if said.isdecimal() and len(said) < 9 else 1, 1)
    filled = min(repeated, _REPEATED, max(most // len(row), 1)) if row else 0
    for i in range(filled):
        sheet.rows[number + i] = dict(row)
    return number + repeated, filled * len(row)


def _shown(cell: Element) -> str:
    """A date in ISO's form, all else as it is displayed."""
    date = cell.get("date-value", "")
    if date:
        return date.replace("T", " ").removesuffix(" 00:00:00")
    words = " ".join(Text(p).words for p in cell.iterfind("p"))
    return words.strip() or cell.get("value", "") or cell.get("string-value", "")
