"""Word files: body, headings, lists, tables, footnotes, text boxes, by our own walk of the XML.

Comments, headers, footers, hidden and deleted text and tables of contents are left out. Knows not
how styles and numbering are told (`indexer.readers.docxstyles`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from indexer.readers.building import Builder
from indexer.readers.docxstyles import Numbering, Style, outline, read_styles
from indexer.readers.grid import Cell, grid
from indexer.readers.ooxml import Package, switched, value, whole
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

_SKIPPED = frozenset(
    {"pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr", "del", "moveFrom", "instrText", "delText"}
    | {"Fallback", "rt", "rubyPr", "sdtPr", "sdtEndPr", "proofErr", "bookmarkStart"}
)
_BLOCKS = frozenset({"p", "tbl"})
_SPELLED = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def read_docx(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, encrypted or no Word file."""
    return _Word(Package(raw)).parsed()


class _Word:
    """The blocks said so far, and what the paragraph being read refers to."""

    def __init__(self, package: Package) -> None:
        main = package.main
        self._package = package
        self._styles = read_styles(package.first(main, "/styles"))
        self._numbering = Numbering(package.first(main, "/numbering"))
        self._notes = {
            kind: _notes(package.first(main, f"/{kind}s")) for kind in ("footnote", "endnote")
        }
        self._builder = Builder()
        self._code: list[str] = []
        self._after: list[Element] = []  # notes and text boxes of the paragraph, nested tables

    def parsed(self) -> Parsed:
        notes = []
        try:
            self._blocks(self._package.stream(self._package.main, "p", "tbl"))
        except SourceError as e:
            self._end_code()
            notes.append(f"{e.why}; what comes before it was read")
            if not self._builder.parsed().blocks:
                raise
        self._end_code()
        metadata = self._package.properties()
        return self._builder.parsed(metadata.pop("title", ""), metadata, notes)

    def _blocks(self, elements: Iterable[Element]) -> None:
        for element in elements:
            if element.tag == "p":
                self._paragraph(element)
            elif element.tag == "tbl":
                self._table(element)
            elif element.tag not in _SKIPPED:
                self._blocks(element)

    def _paragraph(self, element: Element) -> None:
        properties = element.find("pPr")
        style = self._style(properties)
        text = self._text(element)
        after, self._after = self._after, []
        if style.role != "contents" and text.strip():
            self._said(text, style, properties)
        self._blocks(child for part in after for child in part)

    def _said(self, text: str, style: Style, properties: Element | None) -> None:
        if style.role == "code":
            self._code.append(text)
            return
        self._end_code()
        level = outline(properties) or style.level
        numbered = properties.find("numPr") if properties is not None else None
        number, depth = style.number, style.depth
        if numbered is not None:
            number = value(numbered.find("numId")) or number
            depth = whole(value(numbered.find("ilvl")), depth)
        listed = number not in ("", "0")
        label = self._numbering.label(number, depth) if listed else ""
        if level or style.role == "title":
            self._builder.heading(f"{label} {text}", level or 1)
        elif listed:
            self._builder.item(text, min(depth, 8), label)
        else:
            self._builder.paragraph(text, "quote" if style.role == "quote" else "paragraph")

    def _end_code(self) -> None:
        if self._code:
            self._builder.code("\n".join(self._code))
            self._code = []

    def _style(self, properties: Element | None) -> Style:
        key = value(properties.find("pStyle")) if properties is not None else ""
        return self._styles.get(key, Style())

    def _text(self, element: Element) -> str:
        """Of a paragraph; boxes, notes and what else stands beside it is left for after."""
        words: list[str] = []
        self._inline(element, words)
        return "".join(words)

    def _inline(self, element: Element, words: list[str]) -> None:
        for child in element:
            tag = child.tag
            if tag == "t":
                words.append(child.text or "")
            elif tag in _SPELLED:
                words.append(_SPELLED[tag])
            elif tag == "txbxContent":
                self._after.append(child)
            elif tag in ("footnoteReference", "endnoteReference"):
                # Once: a note may refer to itself.
                note = self._notes[tag.removesuffix("Reference")].pop(child.get("id", ""), None)
                if note is not None:
                    self._after.append(note)
            elif tag not in _SKIPPED and not switched(child.find("rPr/vanish")):
                self._inline(child, words)

    def _table(self, element: Element) -> None:
        self._end_code()
        rows = list(_of(element, "tr"))
        cells: list[Cell] = []
        open_: dict[int, int] = {}  # the cell, by column, that later rows may go on with
        for number, row in enumerate(rows):
            column = _span(row.find("trPr/gridBefore"), 0)
            for cell in _of(row, "tc"):
                properties = cell.find("tcPr")
                across = _span(properties.find("gridSpan") if properties is not None else None, 1)
                merge = properties.find("vMerge") if properties is not None else None
                if merge is not None and value(merge) != "restart" and column in open_:
                    at = open_[column]
                    first = cells[at]
                    down = number - first.row + 1
                    cells[at] = Cell(first.row, column, down, first.columns, first.text)
                else:
                    open_.pop(column, None)
                    if merge is not None:
                        open_[column] = len(cells)
                    cells.append(Cell(number, column, 1, across, self._cell(cell)))
                column += across
        after, self._after = self._after, []
        if len(cells) == 1:  # a frame around text
            self._after = []
            self._blocks(next(_of(rows[0], "tc")))
            return
        heads = [switched(row.find("trPr/tblHeader")) for row in rows]
        header = heads.index(False) if False in heads else len(heads)
        self._builder.table(grid(cells), max(header, 1))
        self._blocks(child for part in after for child in _within(part))

    def _cell(self, cell: Element) -> str:
        """The text of a cell; tables in it come after the table."""
        words = []
        for child in _blocks_of(cell):
            if child.tag == "tbl":
                self._after.append(child)
            else:
                words.append(self._text(child))
        return " ".join(words)


def _notes(root: Element | None) -> dict[str, Element]:
    return {e.get("id", ""): e for e in root if not e.get("type")} if root is not None else {}


def _within(part: Element) -> Iterable[Element]:
    """A table itself, or what a note or text box holds."""
    return [part] if part.tag == "tbl" else part


def _of(element: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those within content controls and insertions."""
    for child in element:
        if child.tag == tag:
            if child.find("trPr/del") is None:
                yield child
        elif child.tag not in _SKIPPED:
            yield from _of(child, tag)


def _blocks_of(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag in _BLOCKS:
            yield child
        elif child.tag not in _SKIPPED:
            yield from _blocks_of(child)


def _span(element: Element | None, default: int) -> int:
    return min(whole(value(element), default), 1000)
