"""What DrawingML holds beside shapes: paragraphs, tables, charts, diagrams. Knows no slide."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from indexer.readers.grid import Cell
from indexer.readers.ooxml import whole

_TRUE = ("1", "true")


def spelled(paragraph: Element) -> str:
    """The text of a paragraph, with its line breaks."""
    words = []
    for element in paragraph.iter():
        if element.tag == "t":
            words.append(element.text or "")
        elif element.tag == "br":
            words.append("\n")
    return "".join(words)


def slide_cells(table: Element) -> Iterator[Cell]:
    """The cells of a table; one that another covers is none."""
    for row, line in enumerate(table.iterfind("tr")):
        for column, cell in enumerate(line.iterfind("tc")):
            if cell.get("hMerge") in _TRUE or cell.get("vMerge") in _TRUE:
                continue
            text = " ".join(spelled(p) for p in cell.iterfind("txBody/p"))
            down, across = (whole(cell.get(name, ""), 1) for name in ("rowSpan", "gridSpan"))
            yield Cell(row, column, down, across, text)


def chart_rows(root: Element) -> tuple[str, list[list[str]]]:
    """A chart's title, and its series as columns, with a row for each category."""
    title = root.find("chart/title")
    heading = "".join(e.text or "" for e in title.iter("t")) if title is not None else ""
    series = list(root.iter("ser"))
    names = ["".join(e.text or "" for e in s.iterfind("tx//v")) for s in series]
    categories: dict[int, str] = {}
    for one in series:
        for path in ("cat", "xVal"):
            categories = _points(one.find(path)) | categories
    values = [_points(s.find("val")) | _points(s.find("yVal")) for s in series]
    points = sorted(set(categories).union(*values))
    rows = [[categories.get(i, ""), *(v.get(i, "") for v in values)] for i in points]
    return heading, [["", *names], *rows] if rows else []


def diagram_items(root: Element) -> Iterator[str]:
    """The texts of a diagram (SmartArt), in the order in which they are kept."""
    for point in root.iterfind("ptLst/pt"):
        text = " ".join(spelled(p) for p in point.iterfind("t/p"))
        if text.strip():
            yield text


def _points(axis: Element | None) -> dict[int, str]:
    """Values by index, of the first cache that holds any."""
    if axis is None:
        return {}
    return {whole(p.get("idx", "")): p.findtext("v", "") for p in axis.iter("pt")}
