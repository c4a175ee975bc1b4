"""OWPML, the XML inside HWPX, and its elder sister HWPML: elements to paragraphs.

They differ in names only (``hp:tbl`` is ``TABLE``), so both are read by one walk over lower-case
names. It recurses, so its trees are of bounded depth. Knows no container and no metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from indexer.readers.hangul import (
    Box,
    Head,
    Level,
    Note,
    Paragraph,
    Table,
    TableCell,
    Writer,
    style_level,
)

# HWPML's names, where they are not HWPX's in capitals.
_ALIASES = {
    "cell": "tc",
    "char": "t",
    "paralist": "sublist",
    "row": "tr",
    "secdef": "secpr",
    "table": "tbl",
    "text": "run",
}
# No part of the text: headers and footers, what is hidden or deleted, forms, drawing.
_DROPPED = frozenset(
    {"btn", "button", "checkbtn", "checkbutton", "combobox", "edit", "fieldbegin", "footer"}
    | {"header", "hiddencomment", "listbox", "memogroup", "parameters", "parameterset"}
    | {"radiobtn", "radiobutton", "scrollbar", "shapecomment"}
)
_SIGNS = {
    "tab": " ",
    "linebreak": "\n",
    "nbspace": "\u00a0",
    "fwspace": " ",
    "hypen": "-",
    "hyphen": "-",
}
_KINDS = {"outline": "outline", "number": "number", "bullet": "bullet"}
_OF_NOTES_OR_PAGES = frozenset({"footnote", "endnote", "page", "totalpage"})


def name_of(element: Element) -> str:
    """The element's name in lower case, as HWPX has it."""
    tag = element.tag.lower()
    return _ALIASES.get(tag, tag)


def attribute(element: Element, *names: str) -> str:
    """The first of the attributes ``names`` (lower case) that the element has, else nothing."""
    found = {key.lower(): value for key, value in element.attrib.items()}
    return next((found[name] for name in names if name in found), "")


def number(text: str, least: int = 0) -> int:
    """``text`` as a whole number of at most 16 bits; ``least`` where it is none."""
    try:
        return min(max(int(text), least), 0xFFFF)
    except ValueError:
        return least


class Shapes:
    """What the shapes of paragraphs, by their ids, say; and how lists are numbered."""

    def __init__(self, heads: Iterable[Element]) -> None:
        self.numberings: dict[int, list[Level]] = {}
        self._shapes: dict[str, Head] = {}
        self._styles: dict[str, int] = {}
        for root in heads:
            for element in root.iter():
                self._take(element)

    def head(self, paragraph: Element) -> Head:
        head = self._shapes.get(attribute(paragraph, "parapridref", "parashape"), Head())
        level = self._styles.get(attribute(paragraph, "styleidref", "style"), 0)
        return Head("outline", level) if level and not head.kind else head

    def _take(self, element: Element) -> None:
        name = name_of(element)
        if name in ("parapr", "parashape"):
            inner = (e for e in element.iter() if name_of(e) == "heading")
            heading = next(inner, element)
            kind = _KINDS.get(attribute(heading, "type", "headingtype").lower(), "")
            which = number(attribute(heading, "idref", "heading")) if kind else 0
            level = number(attribute(heading, "level")) + 1 if kind else 0
            self._shapes[attribute(element, "id")] = Head(kind, level, which)
        elif name == "style":
            names = attribute(element, "name"), attribute(element, "engname")
            self._styles[attribute(element, "id")] = style_level(names)
        elif name == "numbering":
            levels = [
                Level(
                    level.text or "",
                    attribute(level, "numformat").replace("_", "").upper(),
                    number(attribute(level, "start"), 1),
                )
                for level in element
                if name_of(level) == "parahead"
            ]
            self.numberings[number(attribute(element, "id"))] = levels


class Walk:
    """Reads sections, and tells the writer which numbering their headings have."""

    def __init__(self, shapes: Shapes, writer: Writer) -> None:
        self._shapes = shapes
        self._writer = writer
        self._deleted = False  # between marks of a tracked deletion

    def section(self, root: Element) -> None:
        """Write a section's paragraphs, taking them out of the tree."""
        for element in root:
            if name_of(element) == "p":
                self._writer.write(self._paragraph(element))
            element.clear()

    def _paragraph(self, element: Element) -> Paragraph:
        paragraph = Paragraph(self._shapes.head(element))
        self._deleted = False
        self._content(element, paragraph)
        return paragraph

    def _content(self, element: Element, into: Paragraph) -> None:
        for child in element:
            name = name_of(child)
            if name == "t":
                self._text(child, into)
            elif name == "p":
                into.objects.append(Box([self._paragraph(child)]))
            elif name == "tbl":
                into.objects.append(self._table(child))
            elif name in ("footnote", "endnote"):
                into.objects.append(Note(self._paragraphs(child), end=name == "endnote"))
            elif name == "switch":
                self._content(next(iter(child), child), into)
            elif name == "secpr":
                outline = number(attribute(child, "outlineshapeidref", "outlineshape"))
                self._writer.outline = outline or self._writer.outline
            elif name not in _DROPPED:
                into.parts.append(_shown(name, child))
                self._content(child, into)

    def _text(self, element: Element, into: Paragraph) -> None:
        self._say(element.text, into)
        for child in element:
            name = name_of(child)
            if name in ("deletebegin", "deleteend"):
                self._deleted = name == "deletebegin"
            self._say(_SIGNS.get(name, ""), into)
            self._say(child.tail, into)

    def _say(self, text: str | None, into: Paragraph) -> None:
        if text and not self._deleted:
            into.parts.append(text)

    def _table(self, element: Element) -> Table:
        table = Table()
        row = 0
        for child in element:
            name = name_of(child)
            if name == "tr":
                cells = [cell for cell in child if name_of(cell) == "tc"]
                table.cells += [self._cell(cell, row, i) for i, cell in enumerate(cells)]
                row += 1
            elif name in ("caption", "shapeobject"):
                table.caption.paragraphs += self._paragraphs(child)
        return table

    def _cell(self, element: Element, row: int, column: int) -> TableCell:
        places = [element, *(e for e in element if name_of(e) in ("celladdr", "cellspan"))]
        said: Mapping[str, str] = {k.lower(): v for e in places for k, v in e.attrib.items()}
        return TableCell(
            self._paragraphs(element),
            row=number(said.get("rowaddr", str(row))),
            column=number(said.get("coladdr", str(column))),
            rows=number(said.get("rowspan", ""), 1),
            columns=number(said.get("colspan", ""), 1),
            heads=said.get("header", "") in ("1", "true"),
        )

    def _paragraphs(self, element: Element) -> list[Paragraph]:
        """The paragraphs below an element, but not those within them."""
        found: list[Paragraph] = []
        for child in element:
            name = name_of(child)
            if name == "p":
                found.append(self._paragraph(child))
            elif name not in _DROPPED:
                found += self._paragraphs(child)
        return found


def _shown(name: str, element: Element) -> str:
    """What an element without paragraphs of its own shows."""
    if name == "equation":
        script = next((e.text or "" for e in element if name_of(e) == "script"), "")
        return f" {script} "
    if name == "autonum" and attribute(element, "numtype", "numbertype").lower() not in (
        _OF_NOTES_OR_PAGES
    ):
        return attribute(element, "num", "number")
    if name == "dutmal":
        inner = {name_of(e): "".join(e.itertext()) for e in element}
        text, above = (inner.get(key, "") for key in ("maintext", "subtext"))
        return f"{text}({above})" if above else text
    if name == "compose":
        return attribute(element, "composetext")
    return f"\n{attribute(element, 'text')}\n" if name == "textart" else ""
