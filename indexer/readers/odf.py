"""OpenDocument: texts, spreadsheets and presentations, by our own walk of ``content.xml``.

Comments, deletions, indexes, headers and footers are left out. Formulas are given by the values
that were kept with them. Knows not how cells become tables (`sheet`, `grid`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from indexer.readers.archive import Archive
from indexer.readers.building import Builder
from indexer.readers.grid import grid
from indexer.readers.odfsheet import read_row
from indexer.readers.odftext import Styles, Text, table_cells
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.properties import properties
from indexer.readers.sheet import Sheet, write_sheet
from indexer.readers.xmltree import parse_part, stream_part
from rag.errors import SourceError

_CONTENT = "content.xml"
_INDEXES = frozenset(
    {"table-of-content", "alphabetical-index", "illustration-index", "table-index", "user-index"}
    | {"object-index", "bibliography"}
)
_PASSED = _INDEXES | {"tracked-changes", "forms", "annotation", "title", "desc", "scripts"}
_BLOCKS = frozenset({"p", "h", "list", "table", "frame", "style"}) | _PASSED
_EDGES = frozenset({"header", "footer", "date-time", "page-number"})
_LENGTH = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)([a-z]*)")
_UNITS = {"mm": 0.1, "in": 2.54, "pt": 0.0353}  # in centimetres
_PROPERTIES = {
    "title": "title",
    "initial-creator": "author",
    "creator": "author",
    "creation-date": "date",
    "date": "modified",
    "subject": "subject",
    "keyword": "keywords",
    "description": "description",
    "language": "language",
}
CELLS = 1_000_000
"""That are read of a spreadsheet."""


def read_odf(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, encrypted or no OpenDocument file."""
    archive = Archive(raw.data, raw.path)
    manifest = "META-INF/manifest.xml"
    if manifest in archive and b"encryption-data" in archive.read(manifest):
        raise SourceError(
            raw.path, "is protected by a password", remedy="Save it without a password"
        )
    return _File(archive, raw.path).parsed()


class _File:
    """The blocks said so far."""

    def __init__(self, archive: Archive, path: str) -> None:
        self._archive = archive
        self._path = path
        self._builder = Builder()
        self._styles = Styles()
        self._notes: list[str] = []

    def parsed(self) -> Parsed:
        kind = self._archive.read("mimetype") if "mimetype" in self._archive else b""
        sheets = b"spreadsheet" in kind
        slides = b"presentation" in kind or b"graphics" in kind
        try:
            if "styles.xml" in self._archive:
                for style in self._stream("styles.xml", frozenset({"style"})):
                    self._styles.add(style)
            self._sheets() if sheets else self._slides() if slides else self._text()
        except SourceError as e:
            if not self._builder.parsed().blocks:
                raise
            self._notes.append(f"{e.why}; what comes before it was read")
        metadata = self._properties()
        title = metadata.pop("title", "")
        parsed = self._builder.parsed(title, metadata, self._notes)
        return replace(parsed, title=title) if sheets else parsed

    def _stream(
        self, part: str, taken: frozenset[str], marked: frozenset[str] = frozenset()
    ) -> Iterator[Element]:
        return stream_part(self._archive.pieces(part), self._path, part, taken, marked)

    def _text(self) -> None:
        self._blocks(self._stream(_CONTENT, _BLOCKS))

    def _slides(self) -> None:
        for page in self._stream(_CONTENT, frozenset({"page", "style"})):
            if page.tag == "style":
                self._styles.add(page)
                continue
            self._builder.page()
            frames = sorted((f for f in page if f.get("class") not in _EDGES), key=_place)
            for frame in frames:
                if frame.get("class") == "title":
                    self._builder.heading(" ".join(_plain(frame)), 1)
            self._blocks(f for f in frames if f.get("class") != "title")

    def _sheets(self) -> None:
        sheet: Sheet | None = None
        left = CELLS
        wanted = frozenset({"table-row", "style", "tracked-changes"})
        for element in self._stream(_CONTENT, wanted, frozenset({"table"})):
            if element.tag == "style":
                self._styles.add(element)
            elif element.tag == "table":
                self._close(sheet)
                sheet, number = Sheet(element.get("name", "")), 0
                if self._styles.hides(element.get("style-name", "")):
                    self._notes.append(f"sheet '{sheet.name}' is hidden and was left out")
                    sheet = None
            elif element.tag == "table-row" and sheet is not None and left > 0:
                number, count = read_row(sheet, number, element, left)
                left -= count
                if left <= 0:
                    self._notes.append(
                        f"what comes after row {number} of sheet '{sheet.name}' was left out "
                        f"(more than {CELLS:,} cells)"
                    )
        self._close(sheet)

    def _close(self, sheet: Sheet | None) -> None:
        if sheet is not None:
            write_sheet(self._builder, sheet)

    def _blocks(self, elements: Iterable[Element]) -> None:
        for element in elements:
            tag = element.tag
            if tag in ("p", "h"):
                self._paragraph(element)
            elif tag == "list":
                self._list(element, 0)
            elif tag == "table":
                self._table(element)
            elif tag == "style":
                self._styles.add(element)
            elif tag not in _PASSED and element.get("class") not in _EDGES:
                self._blocks(element)

    def _paragraph(self, element: Element, depth: int | None = None) -> None:
        text = Text(element)
        role = self._styles.role(element.get("style-name", ""))
        if element.tag == "h":
            said = element.get("outline-level", "1")
            self._builder.heading(text.words, int(said[:1]) if said[:1].isdecimal() else 1)
        elif depth is not None:
            self._builder.item(text.words, min(depth, 8))
        elif role == "title":
            self._builder.heading(text.words, 1)
        elif role == "code":
            self._builder.code(text.words)
        else:
            self._builder.paragraph(text.words, "quote" if role == "quote" else "paragraph")
        self._blocks(text.beside)

    def _list(self, element: Element, depth: int) -> None:
        for item in element:
            first = True
            for child in item:
                if child.tag == "list":
                    self._list(child, depth + 1)
                elif child.tag == "p" and first:
                    self._paragraph(child, depth)
                    first = False
                elif child.tag not in ("number", *_PASSED):
                    self._blocks([child])

    def _table(self, element: Element) -> None:
        cells, header, beside = table_cells(element)
        if len({(cell.row, cell.column) for cell in cells}) == 1:  # a frame around text
            only = next(element.iter("table-cell"))
            self._blocks(only)
            return
        self._builder.table(grid(cells), max(header, 1))
        self._blocks(beside)

    def _properties(self) -> dict[str, str]:
        if "meta.xml" not in self._archive:
            return {}
        try:
            root = parse_part(self._archive.read("meta.xml"), self._path, "meta.xml")
        except SourceError as e:
            self._notes.append(e.why)
            return {}
        return properties(root.iterfind("meta/*"), _PROPERTIES)


def _place(frame: Element) -> tuple[float, float]:
    """How far from the top and the left a frame stands; what does not say comes last."""
    found = [_LENGTH.match(frame.get(axis, "")) for axis in "yx"]
    y, x = (float(m[1]) * _UNITS.get(m[2], 1.0) if m else 1e9 for m in found)
    return round(y), x


def _plain(element: Element) -> Iterator[str]:
    return (Text(p).words for p in element.iter("p"))
