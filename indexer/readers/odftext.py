"""Paragraphs, tables and styles of OpenDocument texts. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from xml.etree.ElementTree import Element

from indexer.readers.grid import Cell
from indexer.readers.ooxml import whole

Role = Literal["title", "code", "quote", ""]

_ROLES: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"title$", re.I), "title"),
    (re.compile(r"preformatted|code|source", re.I), "code"),
    (re.compile(r"quot", re.I), "quote"),
)
_BESIDE = frozenset({"note", "text-box", "table", "list"})
_PASSED = frozenset(
    {
        "annotation",
        "annotation-end",
        "title",
        "desc",
        "ruby-text",
        "tracked-changes",
        "note-citation",
    }
    | {"event-listeners", "forms", "object", "binary-data"}
)
_COLUMNS = 1000


class Styles:
    """Of paragraphs and sheets, by name."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._hidden: set[str] = set()

    def add(self, style: Element) -> None:
        name = style.get("name", "")
        if style.get("family") == "paragraph":
            self._parents[name] = style.get("parent-style-name", "")
        properties = style.find("table-properties")
        if properties is not None and properties.get("display") == "false":
            self._hidden.add(name)

    def hides(self, name: str) -> bool:
        """Whether a sheet of this style is not shown."""
        return name in self._hidden

    def role(self, name: str) -> Role:
        """What its own name or that of a style above it makes of a paragraph."""
        for _ in range(16):  # styles may inherit in a circle
            for pattern, role in _ROLES:
                if pattern.match(name):
                    return role
            if name not in self._parents:
                break
            name = self._parents[name]
        return ""


class Text:
    """The words of a paragraph; ``beside``: notes, boxes and tables that hang on it."""

    def __init__(self, element: Element) -> None:
        self.beside: list[Element] = []
        self._words: list[str] = []
        self._read(element)
        self.words = "".join(self._words)

    def _read(self, element: Element) -> None:
        self._say(element.text)
        for child in element:
            tag = child.tag
            if tag in _BESIDE:
                self.beside.append(child)
            elif tag == "s":
                self._words.append(" " * min(whole(child.get("c", ""), 1), 100))
            elif tag == "tab":
                self._words.append("\t")
            elif tag == "line-break":
                self._words.append("\n")
            elif tag == "p":  # of a shape that is drawn in the text
                self.beside.append(child)
            elif tag not in _PASSED or (
                tag == "title" and not len(child) and element.tag in ("p", "span")
            ):
                self._read(child)
            self._say(child.tail)

    def _say(self, text: str | None) -> None:
        if text:
            self._words.append(re.sub(r"\s+", " ", text))


def table_cells(table: Element) -> tuple[list[Cell], int, list[Element]]:
    """Cells, how many rows head the columns, and what stands in cells but is no text."""
    cells: list[Cell] = []
    beside: list[Element] = []
    header = 0
    for number, (row, heads) in enumerate(_rows(table, heads=False)):
        header += heads and header == number
        column = 0
        for cell in row:
            repeated = min(whole(cell.get("number-columns-repeated", ""), 1), _COLUMNS)
            if cell.tag == "table-cell":
                down, across = (
                    whole(cell.get(f"number-{way}-spanned", ""), 1) for way in ("rows", "columns")
                )
                text = _cell(cell, beside)
                cells += [Cell(number, column + i, down, across, text) for i in range(repeated)]
            column += repeated
    return cells, header, beside


def _rows(table: Element, *, heads: bool) -> Iterator[tuple[Element, bool]]:
    for child in table:
        if child.tag == "table-row":
            yield child, heads
        elif child.tag in ("table-rows", "table-row-group", "table-header-rows"):
            yield from _rows(child, heads=heads or child.tag == "table-header-rows")


def _cell(cell: Element, beside: list[Element]) -> str:
    words = []
    for part in _blocks(cell):
        if part.tag == "table":
            beside.append(part)
        else:
            text = Text(part)
            words.append(text.words)
            beside += text.beside
    return " ".join(words)


def _blocks(element: Element) -> Iterator[Element]:
    """Paragraphs and tables, also those within lists and sections."""
    for child in element:
        if child.tag in ("p", "h", "table"):
            yield child
        elif child.tag not in _PASSED:
            yield from _blocks(child)
