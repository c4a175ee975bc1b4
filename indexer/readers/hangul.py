"""What HWP, HWPX and HWPML documents are made of, and how it is written down.

A paragraph's notes, tables and text boxes follow it, wherever they are anchored in it. Knows none
of the three formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.readers.building import Builder
from indexer.readers.decode import clean
from indexer.readers.grid import Cell, grid

_TITLE_CHARS = 200
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_STYLE = re.compile(r"(?:개요|제목|outline|heading)\s*(\d{1,2})?|title", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """What a paragraph's shape says of it: its outline ``level`` (from 1) or its list.

    ``numbering`` numbers it (0 none); ``bullet`` and ``number`` have a ``level`` from 1, too.
    """

    kind: str = ""
    level: int = 0
    numbering: int = 0


@dataclass(slots=True)
class Paragraph:
    """``parts`` put together are its text; ``objects`` are anchored in it."""

    head: Head = field(default_factory=Head)
    parts: list[str] = field(default_factory=list)
    objects: list[Table | Note | Box] = field(default_factory=list)

    @property
    def text(self) -> str:
        return _SPACES.sub(" ", clean("".join(self.parts))).strip()


@dataclass(slots=True)
class Box:
    """A text box, a caption, whatever else holds paragraphs."""

    paragraphs: list[Paragraph] = field(default_factory=list)


@dataclass(slots=True)
class Note(Box):
    """A footnote, or an endnote."""

    end: bool = False


@dataclass(slots=True)
class TableCell(Box):
    row: int = 0
    column: int = 0
    rows: int = 1
    columns: int = 1
    heads: bool = False


@dataclass(slots=True)
class Table:
    cells: list[TableCell] = field(default_factory=list)
    caption: Box = field(default_factory=Box)


@dataclass(frozen=True, slots=True)
class Level:
    """How a level of a numbering is written: ``^1.^2)`` holds the numbers of levels 1 and 2."""

    template: str
    style: str
    start: int


def style_level(names: Iterable[str]) -> int:
    """The outline level that a style's names (``개요 2``, ``Outline 2``) state, else 0."""
    found = next((m for name in names if (m := _STYLE.fullmatch(name.strip()))), None)
    return int(found[1] or 1) if found else 0


class Writer:
    """Writes paragraphs down, counting notes and numbers as it goes.

    ``numberings`` are lists of levels by id; ``outline`` is the one that numbers headings.
    """

    def __init__(self, builder: Builder, numberings: Mapping[int, Sequence[Level]]) -> None:
        self._builder = builder
        self._numberings = numberings
        self._counts: dict[int, list[int]] = {}
        self._notes = {False: 0, True: 0}
        self.outline = 0

    def write(self, paragraph: Paragraph) -> None:
        """``paragraph`` and all that is anchored in it, however deep, without recursion."""
        todo: list[Paragraph | Table | Note | Box] = [paragraph]
        while todo:
            item = todo.pop()
            if isinstance(item, Paragraph):
                self._paragraph(item)
                todo += reversed(item.objects)
            elif isinstance(item, Table):
                todo += reversed(self._table(item))
            elif isinstance(item, Note):
                todo += reversed(self._note(item))
            else:
                todo += reversed(item.paragraphs)

    def _paragraph(self, paragraph: Paragraph) -> None:
        text, head = paragraph.text, paragraph.head
        if not text:
            return
        label = self._label(head)
        whole = f"{label} {text}".strip()
        if head.kind == "outline" and head.level <= 6 and len(text) <= _TITLE_CHARS:
            self._builder.heading(whole, head.level)
        elif head.kind in ("outline", "number") and label:
            self._builder.item(text, max(head.level - 1, 0), label)
        elif head.kind == "bullet":
            self._builder.item(text, max(head.level - 1, 0))
        else:
            self._builder.paragraph(whole)

    def _note(self, note: Note) -> list[Table | Note | Box]:
        self._notes[note.end] += 1
        text, inner = self._flat(note.paragraphs)
        if text:
            self._builder.paragraph(f"{self._notes[note.end]}) {text}")
        return inner

    def _table(self, table: Table) -> list[Table | Note | Box]:
        caption, inner = self._flat(table.caption.paragraphs)
        self._builder.paragraph(caption)
        if len(table.cells) == 1:
            return [*inner, table.cells[0]]
        rows: list[Cell] = []
        for cell in table.cells:
            text, more = self._flat(cell.paragraphs)
            inner += more
            rows.append(Cell(cell.row, cell.column, cell.rows, cell.columns, text))
        plain = min((cell.row for cell in table.cells if not cell.heads), default=1)
        heads = len({cell.row for cell in table.cells if cell.row < plain})
        self._builder.table(grid(rows), header=max(heads, 1))
        return inner

    def _flat(self, paragraphs: Iterable[Paragraph]) -> tuple[str, list[Table | Note | Box]]:
        """The text of paragraphs with their text boxes, and the tables and notes in them."""
        lines: list[str] = []
        inner: list[Table | Note | Box] = []
        todo = list(paragraphs)[::-1]
        while todo:
            paragraph = todo.pop()
            if text := paragraph.text:
                lines.append(f"{self._label(paragraph.head)} {text}".strip())
            for item in paragraph.objects:
                if isinstance(item, Table | Note):
                    inner.append(item)
                else:
                    todo += reversed(item.paragraphs)
        return "\n".join(lines), inner

    def _label(self, head: Head) -> str:
        """The number of the next paragraph of this kind, as it is shown."""
        which = head.numbering or (self.outline if head.kind == "outline" else 0)
        levels = self._numberings.get(which, ())
        if head.kind not in ("outline", "number") or not 0 < head.level <= len(levels):
            return ""
        counts = self._counts.setdefault(which, [])
        del counts[head.level :]
        while len(counts) < head.level:
            counts.append(levels[len(counts)].start - (len(counts) == head.level - 1))
        counts[-1] += 1

        def number(m: re.Match[str]) -> str:
            at = head.level if m[1] in "nN" else int(m[1])
            if at > len(counts):
                return ""
            return _number(counts[at - 1], levels[at - 1].style)

        return re.sub(r"\^([1-9nN])", number, levels[head.level - 1].template).strip()


def _roman(n: int) -> str:
    tens = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"))
    ones = ((40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    out = ""
    for value, sign in (*tens, *ones):
        count, n = divmod(n, value)
        out += sign * count
    return out


_ROWS = {
    "CIRCLEDDIGIT": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "LATINCAPITAL": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "LATINSMALL": "abcdefghijklmnopqrstuvwxyz",
    "CIRCLEDLATINSMALL": "ⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙⓚⓛⓜⓝⓞⓟⓠⓡⓢⓣⓤⓥⓦⓧⓨⓩ",
    "HANGULSYLLABLE": "가나다라마바사아자차카타파하",
    "CIRCLEDHANGULSYLLABLE": "㉮㉯㉰㉱㉲㉳㉴㉵㉶㉷㉸㉹㉺㉻",
    "HANGULJAMO": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "CIRCLEDHANGULJAMO": "㉠㉡㉢㉣㉤㉥㉦㉧㉨㉩㉪㉫㉬㉭",
    "HANGULPHONETIC": "일이삼사오육칠팔구십",
    "IDEOGRAPH": "一二三四五六七八九十",
}
_ROMAN: Mapping[str, Callable[[int], str]] = {
    "ROMANCAPITAL": _roman,
    "ROMANSMALL": lambda n: _roman(n).lower(),
}


def _number(n: int, style: str) -> str:
    """``n`` in a style named as in OWPML (without ``_``); digits where the style has no sign."""
    if style in _ROMAN and 0 < n < 4000:
        return _ROMAN[style](n)
    row = _ROWS.get(style, "")
    return row[n - 1] if 0 < n <= len(row) else str(n)
