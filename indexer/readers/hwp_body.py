"""The paragraphs of an HWP 5 section, out of its records. Knows no container and no styles.

A record's level says what it belongs to; what is open is kept on a stack, so depth costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from indexer.readers.hangul import Box, Note, Paragraph, Table, TableCell, Writer
from indexer.readers.hwp_records import Record, Styles, utf16

_PARA_HEADER = 66
_PARA_TEXT = 67
_CTRL_HEADER = 71
_LIST_HEADER = 72
_SHAPE_COMPONENT = 76
_TABLE = 77
_EQUATION = 88
_TEXT_ART = 90

# Control characters that take 8 units of text; those in _ANCHORS have a CTRL_HEADER each.
_WIDE = frozenset({*range(1, 10), 11, 12, *range(14, 24)})
_ANCHORS = frozenset({1, 2, 3, 11, 12, *range(14, 19), 21, 22, 23})
_SIGNS = {9: " ", 10: "\n", 24: "-", 30: "\u00a0", 31: " "}
_END = 13
# Headers, footers, hidden comments, memos and what defines a section are no part of the text.
_DROPPED = frozenset({"head", "foot", "tcmt", "secd", "%%me"})
_HEADER_CELL = 1 << 18
_OF_NOTES_OR_PAGES = (0, 1, 2)


@dataclass(slots=True)
class _Open:
    """A control or shape: its paragraphs go to ``target`` (``None``: nowhere)."""

    level: int
    owner: Paragraph
    target: list[Paragraph] | None
    place: int
    table: Table | None = None
    rows: bool = False


@dataclass(slots=True)
class _OpenParagraph:
    """``places``: the parts of its text that wait for their controls."""

    level: int
    paragraph: Paragraph
    places: Iterator[int] = field(default_factory=lambda: iter(()))


class Section:
    """Writes a section's paragraphs as soon as all that hangs on them has been read."""

    def __init__(self, styles: Styles, writer: Writer) -> None:
        self._styles = styles
        self._writer = writer
        self._top: Paragraph | None = None
        self._open: list[_Open | _OpenParagraph] = []

    def end(self) -> None:
        """Write the last paragraph."""
        if self._top:
            self._writer.write(self._top)
        self._top, self._open = None, []

    def add(self, record: Record) -> None:
        while self._open and self._open[-1].level >= record.level:
            self._open.pop()
        if not self._open:
            if record.tag == _PARA_HEADER and record.level == 0:
                self.end()
                self._top = Paragraph(self._styles.head(record))
                self._open = [_OpenParagraph(0, self._top)]
            return
        above = self._open[-1]
        if isinstance(above, _OpenParagraph):
            if record.tag == _PARA_TEXT:
                above.paragraph.parts, places = _parts(record.data)
                above.places = iter(places)
            elif record.tag == _CTRL_HEADER:
                self._open.append(self._control(above, record))
        elif record.tag == _PARA_HEADER:
            paragraph = Paragraph(self._styles.head(record))
            if above.target is not None:
                above.target.append(paragraph)
            self._open.append(_OpenParagraph(record.level, paragraph))
        else:
            self._part(above, record)

    def _part(self, above: _Open, record: Record) -> None:
        if record.tag == _LIST_HEADER and above.table and above.rows:
            cell = TableCell(
                column=record.number(8),
                row=record.number(10),
                columns=max(record.number(12), 1),
                rows=max(record.number(14), 1),
                heads=bool(record.number(4, 4) & _HEADER_CELL),
            )
            above.table.cells.append(cell)
            above.target = cell.paragraphs
        elif record.tag == _TABLE:
            above.rows = True
        elif record.tag == _SHAPE_COMPONENT:
            self._open.append(_Open(record.level, above.owner, above.target, above.place))
        elif record.tag == _EQUATION:
            above.owner.parts[above.place] = f" {record.string(4)} "
        elif record.tag == _TEXT_ART and above.target is not None:
            above.target.append(Paragraph(parts=[record.string(32)]))

    def _control(self, above: _OpenParagraph, record: Record) -> _Open:
        owner = above.paragraph
        place = next(above.places, len(owner.parts))
        if place == len(owner.parts):
            owner.parts.append("")
        name = record.data[:4][::-1].decode("latin-1")
        if name == "secd":
            self._writer.outline = record.number(18)
        if name in _DROPPED:
            return _Open(record.level, owner, None, place)
        if name == "tbl ":
            table = Table()
            owner.objects.append(table)
            return _Open(record.level, owner, table.caption.paragraphs, place, table)
        owner.parts[place] = _text(name, record)
        box = Note(end=name == "en  ") if name in ("fn  ", "en  ") else Box()
        owner.objects.append(box)
        return _Open(record.level, owner, box.paragraphs, place)


def _text(name: str, record: Record) -> str:
    """What a control without paragraphs of its own shows."""
    if name == "atno" and record.number(4, 4) & 0xF not in _OF_NOTES_OR_PAGES:
        signs = [chr(c) if (c := record.number(at)) >= 32 else "" for at in (12, 14)]
        return f"{signs[0]}{record.number(8)}{signs[1]}"
    if name == "tdut":  # ruby: the text and what stands above it
        above = record.string(6 + 2 * record.number(4))
        return f"{record.string(4)}({above})" if above else record.string(4)
    return record.string(4) if name == "tcps" else ""


def _parts(data: bytes) -> tuple[list[str], list[int]]:
    """A paragraph's text around its controls, and which parts are the controls' places."""
    units = memoryview(data[: len(data) // 2 * 2]).cast("H")
    parts: list[str] = []
    places: list[int] = []
    start = 0
    for i in [i for i, unit in enumerate(units) if unit < 32]:
        if i < start:  # within a control
            continue
        parts.append(utf16(data[2 * start : 2 * i]))
        unit = units[i]
        if unit == _END:
            return parts, places
        if unit in _ANCHORS:
            places.append(len(parts))
        parts.append(_SIGNS.get(unit, ""))
        start = i + (8 if unit in _WIDE else 1)
    parts.append(utf16(data[2 * start :]))
    return parts, places
