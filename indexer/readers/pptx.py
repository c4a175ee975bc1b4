"""PowerPoint files: a slide a page, its title a heading; notes follow the slide.

Shapes are read from the top down, and from the left. Comments, dates, footers and slide numbers
are left out, as are hidden slides. Knows not what a chart holds (`indexer.readers.drawings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from indexer.readers.building import Builder
from indexer.readers.drawings import chart_rows, diagram_items, slide_cells, spelled
from indexer.readers.grid import grid
from indexer.readers.ooxml import Package, whole
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

_TITLES = ("title", "ctrTitle")
_DROPPED = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_LISTS = frozenset({"body", "obj", ""})
_LINE = 457_200  # half an inch, in English Metric Units: shapes that begin as high stand in line
_SHAPES = frozenset({"sp", "grpSp", "graphicFrame", "AlternateContent", "Choice", "contentPart"})
Place = tuple[int, int]


def read_pptx(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, encrypted or no PowerPoint file."""
    package = Package(raw)
    builder = Builder()
    notes: list[str] = []
    slides = package.related(package.main, "/slide")
    listed = package.xml(package.main).iterfind("sldIdLst/sldId")
    for number, entry in enumerate(listed, 1):
        builder.page()
        try:
            part = slides.get(entry.get("r:id", ""), "")
            if not _Slide(package, part, builder).write():
                notes.append(f"slide {number} is hidden and was left out")
        except SourceError as e:
            notes.append(f"slide {number}: {e.why}")
    metadata = package.properties()
    parsed = builder.parsed(metadata.pop("title", ""), metadata, notes)
    if notes and not parsed.blocks:
        raise SourceError(
            raw.path, f"has no slide that can be read ({notes[0]})", remedy="Save it anew"
        )
    return parsed


class _Slide:
    """A slide, and where its layout puts what does not say so itself."""

    def __init__(self, package: Package, part: str, builder: Builder) -> None:
        self._package = package
        self._part = part
        self._builder = builder
        self._root = package.xml(part)
        layout = package.first(part, "/slideLayout")
        self._places = dict(_placeholders(layout)) if layout is not None else {}

    def write(self) -> bool:
        """Whether the slide is shown at all."""
        if self._root.get("show", "1") in ("0", "false"):
            return False
        shapes = list(_shapes(self._root.find("cSld/spTree")))
        titles = [s for s in shapes if _placeholder(s)[0] in _TITLES]
        for shape in titles:
            self._builder.heading(" ".join(text for text, _ in _paragraphs(shape)), 1)
        self._write(shape for shape in shapes if shape not in titles)
        notes = self._package.first(self._part, "/notesSlide")
        for shape in _shapes(notes.find("cSld/spTree")) if notes is not None else ():
            if _placeholder(shape)[0] == "body":
                self._builder.paragraph("\n".join(text for text, _ in _paragraphs(shape)))
        return True

    def _write(self, shapes: Iterable[Element]) -> None:
        for shape in sorted(shapes, key=self._place):
            kind = _placeholder(shape)[0]
            if shape.tag == "grpSp":
                self._write(_shapes(shape))
            elif shape.tag == "graphicFrame":
                self._frame(shape)
            elif kind not in _DROPPED:
                self._text(shape, listed=kind in _LISTS)

    def _text(self, shape: Element, *, listed: bool) -> None:
        for text, properties in _paragraphs(shape):
            tags = {e.tag for e in properties} if properties is not None else set()
            if tags & {"buChar", "buAutoNum", "buBlip"} or (listed and "buNone" not in tags):
                depth = whole(properties.get("lvl", "")) if properties is not None else 0
                self._builder.item(text, min(depth, 8))
            else:
                self._builder.paragraph(text)

    def _frame(self, frame: Element) -> None:
        for table in frame.iterfind("graphic/graphicData/tbl"):
            self._builder.table(grid(slide_cells(table)))
        related = self._package.related(self._part)
        for chart in frame.iterfind("graphic/graphicData/chart"):
            root = self._referred(related, chart.get("r:id", ""))
            if root is not None:
                title, rows = chart_rows(root)
                self._builder.paragraph(title)
                self._builder.table(rows)
        for diagram in frame.iterfind("graphic/graphicData/relIds"):
            root = self._referred(related, diagram.get("r:dm", ""))
            for text in diagram_items(root) if root is not None else ():
                self._builder.item(text)

    def _referred(self, related: dict[str, str], key: str) -> Element | None:
        part = related.get(key, "")
        return self._package.xml(part) if part in self._package else None

    def _place(self, shape: Element) -> Place:
        return _line(_offset(shape) or self._inherited(shape))

    def _inherited(self, shape: Element) -> Place:
        kind, index = _placeholder(shape)
        return self._places.get(f"#{index}") or self._places.get(kind) or (0, 0)


def _line(place: Place) -> Place:
    return place[0] // _LINE, place[1]


def _shapes(tree: Element | None) -> Iterator[Element]:
    """The shapes of a tree, those in alternatives too: the first, which says most."""
    for child in tree if tree is not None else ():
        if child.tag in ("AlternateContent", "Choice"):
            yield from _shapes(child)
        elif child.tag in _SHAPES:
            yield child


def _placeholder(shape: Element) -> tuple[str, str]:
    """Its type and index; a shape that is none has the type ``none``."""
    for child in shape:
        found = child.find("nvPr/ph")
        if found is not None:
            return found.get("type", ""), found.get("idx", "")
    return "none", ""


def _placeholders(layout: Element) -> Iterator[tuple[str, Place]]:
    for shape in _shapes(layout.find("cSld/spTree")):
        kind, index = _placeholder(shape)
        place = _offset(shape)
        if place is not None and kind != "none":
            yield kind, place
            yield f"#{index}", place


def _offset(shape: Element) -> Place | None:
    """How far from the top and from the left it begins."""
    for path in ("spPr/xfrm/off", "grpSpPr/xfrm/off", "xfrm/off"):
        found = shape.find(path)
        if found is not None:
            y, x = (found.get(axis, "").lstrip("-") for axis in "yx")
            return (int(y), int(x)) if y.isdecimal() and x.isdecimal() and len(y + x) < 40 else None
    return None


def _paragraphs(shape: Element) -> Iterator[tuple[str, Element | None]]:
    for paragraph in shape.iterfind("txBody/p"):
        text = spelled(paragraph)
        if text.strip():
            yield text, paragraph.find("pPr")
