"""Excel files: a sheet a page, its cells as tables. ``.xls`` is read by `indexer.readers.xls`.

Formulas are given by the values that were kept with them. Charts and comments are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from indexer.readers.building import Builder
from indexer.readers.ooxml import Package, value, whole
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.sheet import Sheet, write_sheet
from indexer.readers.xls import read_xls
from indexer.readers.xlsxcells import Formats, kinds, place, string
from rag.errors import SourceError

CELLS = 1_000_000
"""That are read of a workbook."""

_OLE = b"\xd0\xcf\x11\xe0"
_SHOWN = {"1": "TRUE", "0": "FALSE"}


def read_xlsx(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, encrypted or no Excel file."""
    if raw.data.startswith(_OLE):
        return read_xls(raw)
    book = _Book(Package(raw))
    builder = Builder()
    for sheet in book.sheets():
        write_sheet(builder, sheet)
    metadata = book.package.properties()
    title = metadata.pop("title", "")
    return replace(builder.parsed(title, metadata, book.notes), title=title)


class _Book:
    """A workbook, and how many of its cells may still be read."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.notes: list[str] = []
        self._left = CELLS
        main = package.main
        self._root = package.xml(main)
        since_1904 = value(self._root.find("workbookPr"), "date1904") in ("1", "true")
        self._formats = Formats(kinds(package.first(main, "/styles")), since_1904)
        self._strings = [
            string(item)
            for part in package.related(main, "/sharedStrings").values()
            if part in package
            for item in package.stream(part, "si")
        ]

    def sheets(self) -> Iterator[Sheet]:
        parts = self.package.related(self.package.main, "/worksheet")
        for element in self._root.iterfind("sheets/sheet"):
            name = element.get("name", "")
            part = parts.get(element.get("r:id", ""))
            if part is None:
                continue
            if element.get("state", "visible") != "visible":
                self.notes.append(f"sheet '{name}' is hidden and was left out")
                continue
            sheet = Sheet(name)
            try:
                self._read(sheet, part)
            except SourceError as e:
                self.notes.append(f"sheet '{name}': {e.why}; {len(sheet.rows)} rows were read")
            yield sheet

    def _read(self, sheet: Sheet, part: str) -> None:
        number = -1
        for element in self.package.stream(part, "row", "mergeCell"):
            if element.tag == "row":
                said = element.get("r", "")
                number = int(said) - 1 if said.isdecimal() and len(said) < 8 else number + 1
                self._row(sheet, number, element)
                if self._left <= 0:
                    self.notes.append(
                        f"sheet '{sheet.name}': what comes after row {number + 1} was left out "
                        f"(more than {CELLS:,} cells)"
                    )
                    return
            elif element.tag == "mergeCell":
                ends = [place(end) for end in element.get("ref", "").split(":")]
                if len(ends) == 2 and ends[0] and ends[1]:
                    sheet.merged.append((*ends[0], *ends[1]))

    def _row(self, sheet: Sheet, number: int, element: Element) -> None:
        row: dict[int, str] = {}
        column = -1
        for cell in element:
            at = place(cell.get("r", ""))
            column = at[1] if at else column + 1
            text = self._text(cell)
            if text:
                row[column] = text
        if row:
            sheet.rows[number] = row
            self._left -= len(row)

    def _text(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find("is")
            return string(inline) if inline is not None else ""
        said = cell.findtext("v", "")
        if not said or kind in ("str", "e", "d"):
            return said
        if kind == "s":
            at = int(said) if said.isdecimal() else len(self._strings)
            return self._strings[at] if at < len(self._strings) else ""
        if kind == "b":
            return _SHOWN.get(said, said)
        return self._formats.text(said, whole(cell.get("s", "0")))
