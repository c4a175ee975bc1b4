"""What stands on a page of a PDF: runs of characters and ruled lines, with their places.

Places are in points from the page's lower left corner as it is looked at (rotation applied).
Knows no reading order.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_GAP = 1.2  # of the size: a wider gap ends a run, as between columns and cells
_CRACK = 0.1  # of the size: no line is drawn through a narrower gap
_PATHS = 1500  # more of them are a drawing
_THIN = 2.5  # points: a path no thicker is a ruled line
_STYLE = 0.23  # of the size: a narrower gap between Hangul and digits is no blank
_CJK = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
_SOFT = frozenset("\x02\u00ad\ufffe")
_TYPEWRITER = (b"mono", b"courier", b"consol", b"typewriter", b"cmtt", b"menlo")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """Characters beside each other on one line; ``spaced``: a blank follows the last.

    ``rows`` instead of ``text`` are the cells of a table.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    spaced: bool = False
    fixed: bool = False
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line, horizontal or vertical, or a side of a box."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page: ``sideways`` is text that does not run from left to right, ``odd`` the share of
    characters without a meaning in Unicode, ``pictures`` whether it shows any.
    """

    width: float
    height: float
    runs: list[Run]
    rules: list[Rule]
    sideways: str
    odd: float
    pictures: bool


def read_sheet(page: PdfPage) -> Sheet:
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    turn = _Turn(page.get_rotation(), width, height)
    rules, pictures = _rules(page, turn)
    textpage = page.get_textpage()
    try:
        count = pdfium.FPDFText_CountChars(textpage)
        walls = [rule for rule in rules if rule.right - rule.left < _THIN]
        runs, sideways, odd = _runs(textpage, max(count, 0), turn, walls)
    finally:
        textpage.close()
    return Sheet(width, height, runs, rules, sideways, odd, pictures)


class _Turn:
    """Places on a page that is shown turned by 0, 90, 180 or 270 degrees clockwise."""

    def __init__(self, degrees: int, width: float, height: float) -> None:
        self._degrees = degrees
        self._width = width
        self._height = height

    @property
    def angle(self) -> float:
        """Of characters that are shown upright, in radians."""
        return math.radians(self._degrees)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        w, h = self._width, self._height
        if self._degrees == 90:
            return y0, h - x1, y1, h - x0
        if self._degrees == 180:
            return w - x1, h - y1, w - x0, h - y0
        if self._degrees == 270:
            return w - y1, x0, w - y0, x1
        return x0, y0, x1, y1


class _Filling:
    """The run that is being filled."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        self.indices: list[int] = []
        self._words: list[str] = []
        self._left, self._bottom, self._right, self._top = box
        self._last = self._left
        self._bottoms: list[float] = []
        self._heights: list[float] = []
        self._gaps: list[tuple[int, float]] = []  # where PDFium takes a gap for a blank
        self._spaced = False
        self._drawn = False

    def takes(self, box: tuple[float, float, float, float], walls: Sequence[Rule]) -> bool:
        """Whether a character stands beside the last, with no gap and no wall between."""
        left, bottom, _, top = box
        size = max(self._top - self._bottom, top - bottom)
        slack = 0.15 * size
        level = self._bottom - slack < (bottom + top) / 2 < self._top + slack
        ligature = left == self._last
        if not (level and (ligature or -0.8 * size < left - self._right < _GAP * size)):
            return False
        middle = (bottom + top) / 2
        return left - self._right < _CRACK * size or not any(
            self._right <= wall.left and wall.right <= left and wall.bottom < middle < wall.top
            for wall in walls
        )

    def space(self, drawn: bool) -> None:
        """A blank follows; ``drawn``: PDFium takes a gap for one."""
        self._drawn = drawn and (self._drawn or not self._spaced)
        self._spaced = True

    def add(self, index: int, letter: str, box: tuple[float, float, float, float]) -> None:
        self.indices.append(index)
        if self._spaced:
            gap = box[0] - self._right
            if self._drawn and bool(_CJK.match(self._words[-1])) != bool(_CJK.match(letter)):
                self._gaps.append((len(self._words), gap))
            if not (self._drawn and gap < 0):  # within a ligature
                self._words.append(" ")
            self._spaced = False
        self._words.append(letter)
        self._last = box[0]
        self._right = max(self._right, box[2])
        self._bottoms.append(box[1])
        self._heights.append(box[3] - box[1])

    def run(self, drawn: str, fixed: bool, size: float) -> Run:
        for at, gap in self._gaps:
            if 0 <= gap < _STYLE * size:
                self._words[at] = drawn
        text = "".join(self._words).translate(_LIGATURES)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        bottom = median_low(self._bottoms)
        return Run(
            text,
            self._left,
            bottom,
            self._right,
            bottom + median_low(self._heights),
            size,
            self._spaced,
            fixed,
        )


def _runs(
    textpage: PdfTextPage, count: int, turn: _Turn, walls: Sequence[Rule]
) -> tuple[list[Run], str, float]:
    import pypdfium2.raw as pdfium

    filled: list[_Filling] = []
    sideways: list[str] = []
    rect = pdfium.FS_RECTF()
    odd = upright = blanks = 0
    for i in range(count):
        letter = chr(pdfium.FPDFText_GetUnicode(textpage, i))
        drawn = pdfium.FPDFText_IsGenerated(textpage, i) == 1
        if letter.isspace() or drawn:
            blanks += not drawn
            if filled and letter not in "\r\n":
                filled[-1].space(drawn)
            if sideways:
                sideways.append(" ")
            continue
        turned = pdfium.FPDFText_GetCharAngle(textpage, i) + turn.angle
        if abs((turned + math.pi) % math.tau - math.pi) > 0.2:
            sideways.append(letter)
            continue
        upright += 1
        odd += letter in "\0\ufffd" or "\ue000" <= letter <= "\uf8ff"
        pdfium.FPDFText_GetLooseCharBox(textpage, i, rect)
        box = turn.box(rect.left, rect.bottom, rect.right, rect.top)
        if not (filled and filled[-1].takes(box, walls)):
            filled.append(_Filling(box))
        filled[-1].add(i, "\u00ad" if letter in _SOFT else letter, box)
    # A file that keeps its blanks has no others: between Hangul and digits, a gap is mere style.
    blank = "" if blanks * 20 > upright else " "
    runs = [f.run(blank, _fixed(textpage, f.indices), _size(textpage, f.indices)) for f in filled]
    return runs, "".join(sideways), odd / max(upright, 1)


def _fixed(textpage: PdfTextPage, indices: Sequence[int]) -> bool:
    """Whether the font of these characters is a typewriter's: of the first, middle and last."""
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(64)
    flags = ctypes.c_int()
    for index in (indices[0], indices[len(indices) // 2], indices[-1]):
        name.value = b""
        pdfium.FPDFText_GetFontInfo(textpage, index, name, 64, flags)
        if not (flags.value & 1 or any(part in name.value.lower() for part in _TYPEWRITER)):
            return False
    return True


def _size(textpage: PdfTextPage, indices: Sequence[int]) -> float:
    """Of the font of these characters as it is shown, in points: of the middle one."""
    import pypdfium2.raw as pdfium

    index = indices[len(indices) // 2]
    matrix = pdfium.FS_MATRIX()
    size = float(pdfium.FPDFText_GetFontSize(textpage, index))
    if pdfium.FPDFText_GetMatrix(textpage, index, matrix):
        size *= math.hypot(matrix.c, matrix.d)
    return max(size, 1.0)


def _rules(page: PdfPage, turn: _Turn) -> tuple[list[Rule], bool]:
    import pypdfium2.raw as pdfium

    rules: list[Rule] = []
    pictures = False
    sides = [ctypes.c_float() for _ in range(4)]
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        item = pdfium.FPDFPage_GetObject(page, number)
        kind = pdfium.FPDFPageObj_GetType(item)
        pictures = pictures or kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
        if kind == pdfium.FPDF_PAGEOBJ_PATH and len(rules) < _PATHS:
            pdfium.FPDFPageObj_GetBounds(item, *sides)
            rules += _sides(*turn.box(*(s.value for s in sides)))
    return ([] if len(rules) >= _PATHS else rules), pictures


def _sides(left: float, bottom: float, right: float, top: float) -> Iterator[Rule]:
    wide, high = right - left > _THIN, top - bottom > _THIN
    if wide and high:
        yield Rule(left, top, right, top)
        yield Rule(left, bottom, right, bottom)
        yield Rule(left, bottom, left, top)
        yield Rule(right, bottom, right, top)
    elif wide:
        middle = (bottom + top) / 2
        yield Rule(left, middle, right, middle)
    elif high:
        middle = (left + right) / 2
        yield Rule(middle, bottom, middle, top)
