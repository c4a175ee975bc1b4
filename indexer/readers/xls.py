"""Excel files of before 2007, through xlrd: a sheet a page, its cells as tables."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from indexer.readers.building import Builder
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.sheet import Sheet, write_sheet
from indexer.readers.xlsxcells import Formats, kind
from rag.errors import SourceError

if TYPE_CHECKING:
    import xlrd

_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = range(1, 6)


def read_xls(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged or encrypted."""
    import xlrd
    from xlrd.biffh import XLRDError
    from xlrd.compdoc import CompDocError

    broken = (XLRDError, CompDocError, struct.error, ValueError, LookupError, AttributeError)
    builder = Builder()
    notes: list[str] = []
    try:
        book = xlrd.open_workbook(
            file_contents=raw.data,
            formatting_info=True,
            on_demand=True,
            ragged_rows=True,
            logfile=StringIO(),
        )
        formats = Formats(_kinds(book), bool(book.datemode))
    except (*broken, AssertionError, TypeError, OverflowError) as e:
        if "encrypted" in str(e):
            raise SourceError(
                raw.path, "is protected by a password", remedy="Save it without a password"
            ) from None
        raise SourceError(
            raw.path, f"is no whole Excel file ({e})", remedy="Save it anew as .xlsx"
        ) from None
    for number, name in enumerate(book.sheet_names()):
        try:
            found = book.sheet_by_index(number)
            if found.visibility:
                notes.append(f"sheet '{name}' is hidden and was left out")
            else:
                write_sheet(builder, _sheet(name, found, formats))
            book.unload_sheet(number)
        except (*broken, AssertionError, TypeError, OverflowError) as e:
            notes.append(f"sheet '{name}' is damaged ({e})")
    return replace(builder.parsed("", _properties(book), notes), title="")


def _kinds(book: xlrd.Book) -> list[str]:
    return [kind(xf.format_key, _format(book, xf.format_key)) for xf in book.xf_list]


def _format(book: xlrd.Book, key: int) -> str:
    found = book.format_map.get(key)
    return "" if found is None else str(found.format_str)


def _properties(book: xlrd.Book) -> dict[str, str]:
    author = " ".join(str(book.user_name).split())
    return {"author": author} if author else {}


def _sheet(name: str, found: xlrd.sheet.Sheet, formats: Formats) -> Sheet:
    sheet = Sheet(name)
    for row in range(found.nrows):
        texts = {}
        for column, cell in enumerate(found.row(row)):
            text = _shown(cell, formats)
            if text:
                texts[column] = text
        sheet.rows[row] = texts
    for first, last, left, right in found.merged_cells:
        sheet.merged.append((first, left, last - 1, right - 1))
    return sheet


def _shown(cell: xlrd.sheet.Cell, formats: Formats) -> str:
    from xlrd import error_text_from_code

    if cell.ctype == _TEXT:
        return str(cell.value)
    if cell.ctype in (_NUMBER, _DATE):
        return formats.text(cell.value, cell.xf_index or 0)
    if cell.ctype == _BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    return str(error_text_from_code.get(int(cell.value), "")) if cell.ctype == _ERROR else ""
