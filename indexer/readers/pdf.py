"""PDF, through PDFium: text by page, with headings, tables and paragraphs made whole.

Scanned pages go through Tesseract where it is installed. Knows not how runs become lines
(`indexer.readers.pdflayout`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from indexer.readers.building import Builder
from indexer.readers.ocr import Tesseract
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.pdfedges import Page, drop_repeated
from indexer.readers.pdfjoin import Joiner
from indexer.readers.pdflayout import Line, page_lines, paragraphs
from indexer.readers.pdfpage import Sheet, read_sheet
from indexer.readers.pdftable import MARKER
from rag.errors import SourceError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfiumError, PdfPage

_LARGER = 1.15
_ODD = 0.3
_PIXELS = 12e6
_TITLE = re.compile(r"[^\W\d_]{3}|[가-힣\u3400-\u9fff]{2}")
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_NOTED = 8  # pages named in a note
_LOST = 1000  # damaged pages in a row after which no further one is tried
_FIELDS = {
    "Title": "title",
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "CreationDate": "date",
    "ModDate": "modified",
}


def read_pdf(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, needs a password, or no page can be read."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(raw.data)
        count = len(document)
    except pypdfium2.PdfiumError as e:
        raise _unreadable(raw.path, e) from None
    try:
        return _Reading(document, count, raw.path).parsed()
    finally:
        document.close()


def _unreadable(path: str, error: PdfiumError | None) -> SourceError:
    if getattr(error, "err_code", 0) == _PASSWORD:
        return SourceError(path, "is protected by a password", remedy="Save it without a password")
    return SourceError(
        path, "is no PDF, or is damaged beyond reading", remedy="Get it again, or print it anew"
    )


class _Reading:
    """The pages read so far, and what went wrong with which."""

    def __init__(self, document: PdfDocument, count: int, path: str) -> None:
        self._document = document
        self._path = path
        self._tesseract = Tesseract()
        self._broken: list[int] = []
        self._scanned: list[int] = []
        self._odd: list[int] = []
        self._recognised: list[int] = []
        self._count = count
        self._pages = list(self._read())

    def parsed(self) -> Parsed:
        dropped = drop_repeated(self._pages)
        metadata = dict(self._metadata()) | {"pages": str(self._count)}
        builder = Builder()
        _Writer(builder, self._pages, self._outline()).write()
        parsed = builder.parsed(metadata.pop("title", ""), metadata, tuple(self._notes(dropped)))
        if not parsed.blocks:
            self._refuse()
        return parsed

    def _read(self) -> Iterator[Page]:
        for number in range(1, self._count + 1):
            yield self._page(number)
            if len(self._broken) >= _LOST and self._broken[-_LOST] == number - _LOST + 1:
                self._broken += range(number + 1, self._count + 1)
                return

    def _page(self, number: int) -> Page:
        import pypdfium2

        try:
            page = self._document[number - 1]
        except pypdfium2.PdfiumError:
            self._broken.append(number)
            return Page(0)
        try:
            sheet = read_sheet(page)
            readable = (sheet.runs or sheet.sideways) and sheet.odd < _ODD
            if not readable and (sheet.pictures or sheet.runs):
                text = self._recognise(page, sheet)
                if text:
                    self._recognised.append(number)
                    return Page(sheet.height, more=text)
                (self._odd if sheet.runs else self._scanned).append(number)
                if sheet.runs:
                    return Page(sheet.height)
            return _laid_out(sheet)
        except pypdfium2.PdfiumError:
            self._broken.append(number)
            return Page(0)
        finally:
            page.close()

    def _recognise(self, page: PdfPage, sheet: Sheet) -> str | None:
        if not self._tesseract.installed:
            return None
        scale = min(200 / 72, (_PIXELS / max(sheet.width * sheet.height, 1)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
        try:
            rows = memoryview(bitmap.buffer).cast("B")
            lines = (
                rows[y * bitmap.stride : y * bitmap.stride + bitmap.width]
                for y in range(bitmap.height)
            )
            head = b"P5 %d %d 255\n" % (bitmap.width, bitmap.height)
            return self._tesseract.text(head + b"".join(lines))
        finally:
            bitmap.close()

    def _metadata(self) -> Iterator[tuple[str, str]]:
        for name, value in self._document.get_metadata_dict(skip_empty=True).items():
            if name in _FIELDS and value.strip():
                key = _FIELDS[name]
                value = _iso(value) if key in ("date", "modified") else value.strip()
                if value:
                    yield key, unicodedata.normalize("NFC", value)

    def _outline(self) -> dict[tuple[int, str], int]:
        """Level of each bookmark, by its page (from 0) and `_bare` title."""
        import pypdfium2

        levels: dict[tuple[int, str], int] = {}
        try:
            for bookmark in self._document.get_toc(max_depth=6):
                target = bookmark.get_dest()
                page = target.get_index() if target is not None else None
                if page is not None:
                    levels.setdefault((page, _bare(bookmark.get_title())), bookmark.level + 1)
        except pypdfium2.PdfiumError:
            return levels
        return levels

    def _notes(self, dropped: int) -> Iterator[str]:
        if dropped:
            yield f"{dropped} lines that repeat at the edge of pages were left out"
        if self._recognised:
            yield f"{_named(self._recognised)}: read by Tesseract"
        if self._scanned:
            yield f"{_named(self._scanned)}: a picture without text{self._why()}"
        if self._odd:
            yield f"{_named(self._odd)}: its fonts do not say which letters they show{self._why()}"
        if self._broken:
            yield f"{_named(self._broken)}: damaged, not read"

    def _why(self) -> str:
        if not self._tesseract.installed:
            return "; to read it, install tesseract and index again"
        return "; Tesseract found nothing in it, or had no time left"

    def _refuse(self) -> None:
        if len(self._broken) == self._count:
            raise _unreadable(self._path, None)
        if self._scanned or self._odd:
            why = "its pages are pictures without text" if self._scanned else "its text is unusable"
            remedy = "Install tesseract (Debian: `apt install tesseract-ocr tesseract-ocr-kor`)"
            if self._tesseract.installed:
                why += ", on which Tesseract recognised nothing in time"
                remedy = "Run OCR over it (`ocrmypdf`), or leave it out"
            raise SourceError(self._path, why, remedy=remedy)


def _laid_out(sheet: Sheet) -> Page:
    return Page(sheet.height, page_lines(sheet.runs, sheet.rules), sheet.sideways)


class _Writer:
    """Tells headings from prose: by bookmarks, else by being larger than most of the text."""

    def __init__(
        self, builder: Builder, pages: Sequence[Page], outline: dict[tuple[int, str], int]
    ) -> None:
        self._builder = builder
        self._pages = pages
        self._outline = outline
        self._join = Joiner(column for page in pages for column in page.columns)
        sizes: Counter[float] = Counter()
        for page in pages:
            for column in page.columns:
                for line in column:
                    sizes[_rounded(line.size)] += len(line.text)
        self._body = max(sizes, key=lambda s: (sizes[s], -s), default=0.0)
        self._levels = _levels(s for s in sizes if s > self._body * _LARGER)

    def write(self) -> None:
        for number, page in enumerate(self._pages):
            self._builder.page()
            for column in page.columns:
                for group in paragraphs(column):
                    self._write(number, group)
            self._builder.paragraph(page.more)

    def _write(self, number: int, group: Sequence[Line]) -> None:
        first = group[0]
        if first.rows:
            self._builder.table(first.rows)
            return
        if first.fixed and len(group) > 1:
            self._builder.code(_listing(group))
            return
        text = self._join(group)
        level = self._outline.get((number, _bare(text)), 0) if self._outline else 0
        if not level and len(group) < 4 and len(text) < 200 and _TITLE.search(text):
            level = self._levels.get(_rounded(first.size), 0)
        marker, _, rest = text.partition(" ")
        if level:
            self._builder.heading(text, level)
        elif rest and not marker[:1].isalnum() and MARKER.fullmatch(marker):
            self._builder.item(rest, mark=marker if marker.startswith("(") else "")
        else:
            self._builder.paragraph(text)


def _levels(sizes: Iterable[float]) -> dict[float, int]:
    """Levels of headings by size; sizes a tenth apart are one, as scripts differ in one font."""
    levels: dict[float, int] = {}
    level, largest = 0, 0.0
    for size in sorted(sizes, reverse=True):
        if size < 0.9 * largest or not level:
            level, largest = min(level + 1, 6), size
        levels[size] = level
    return levels


def _listing(lines: Sequence[Line]) -> str:
    left = min(line.left for line in lines)
    wide = max(sum(line.right - line.left for line in lines) / sum(len(x.text) for x in lines), 1)
    return "\n".join(" " * min(round((x.left - left) / wide), 80) + x.text for x in lines)


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _bare(title: str) -> str:
    """A heading's letters, without its number, so that bookmarks and headings agree."""
    letters = re.sub(r"^[\s\d.]+|[\W_]+", "", unicodedata.normalize("NFKC", title)).lower()
    return letters


def _iso(date: str) -> str:
    """``D:20240131093000+09'00'`` as ``2024-01-31``; nothing where it is no date."""
    found = re.match(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?", date)
    return "-".join(part for part in found.groups() if part) if found else ""


def _named(pages: Sequence[int]) -> str:
    """``pages 1, 2, 5 and 7 more``."""
    shown = ", ".join(map(str, pages[:_NOTED]))
    more = f" and {len(pages) - _NOTED} more" if len(pages) > _NOTED else ""
    return f"page {shown}" if len(pages) == 1 else f"pages {shown}{more}"
