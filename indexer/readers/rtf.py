"""RTF: paragraphs, headings, lists, tables and footnotes, by our own walk over its words.

Comments, headers, footers, hidden and deleted text are left out. Knows not how cells become
rows (`indexer.readers.grid`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from indexer.readers.building import Builder
from indexer.readers.grid import grid
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.rtftable import Table
from indexer.readers.rtfwords import (
    CHARSETS,
    KEPT,
    LETTERS,
    PROPERTIES,
    SIGNS,
    SKIPPED,
    TOKEN,
    code_page,
)
from rag.errors import SourceError

_GROUPS = 10_000
_HEADING = re.compile(r"(?:heading|제목)\s*([1-9])", re.I)
_TITLE = re.compile(r"(?:title|제목)$", re.I)


@dataclass(frozen=True, slots=True)
class _Group:
    """What is in force between two braces. ``into``: where text goes; empty: nowhere."""

    into: str = "body"
    codec: str = "cp1252"
    font: int = -1
    after: int = 1  # characters that stand for one of Unicode, to be passed over
    hidden: bool = False


@dataclass(slots=True)
class _Paragraph:
    """The properties of the paragraph that is being read, and its label in a list."""

    style: int = 0
    level: int = 0
    listed: bool = False
    depth: int = 0
    in_table: bool = False
    label: str = ""


def read_rtf(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is no RTF, or its groups nest deeper than 10,000."""
    if not raw.data[:64].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"{\\rtf"):
        raise SourceError(raw.path, "is no RTF file", remedy="Save it anew, or leave it out")
    reading = _Reading(raw.path)
    reading.read(raw.data)
    return reading.parsed()


class _Reading:
    def __init__(self, path: str) -> None:
        self._path = path
        self._builder = Builder()
        self._group = _Group()
        self._stack: list[_Group] = []
        self._ignorable = False
        self._fonts: dict[int, str] = {}
        self._default = "cp1252"
        self._bytes = bytearray()
        self._words: dict[str, list[str]] = {}
        self._paragraph = _Paragraph()
        self._styles: dict[int, int] = {}
        self._style = _Paragraph()
        self._table = Table()
        self._notes: list[str] = []  # footnotes of the paragraph
        self._metadata: dict[str, str] = {}
        self._pass = 0

    def parsed(self) -> Parsed:
        self._end_paragraph()
        self._end_table()
        notes = ["ends too early: a part of it may be missing"] if self._stack else []
        title = self._metadata.pop("title", "")
        return self._builder.parsed(title, self._metadata, notes)

    def read(self, data: bytes) -> None:
        at = 0
        while at < len(data) and (found := TOKEN.match(data, at)):
            at = found.end()
            word, number, escaped, sign, brace, text = found.groups()
            if text is not None:
                self._say(text)
            elif escaped is not None:
                self._say(bytes.fromhex(escaped.replace(b"\\'", b"").decode()))
            elif word == b"bin":
                at += max(int(number or 0), 0)
            elif word is not None:
                self._word(word, None if number is None else int(number))
            elif brace == b"{":
                self._open()
            elif brace == b"}":
                self._close()
                if not self._stack:
                    break
            else:
                self._sign(sign)

    def _sign(self, sign: bytes | None) -> None:
        if sign == b"*":
            self._ignorable = True
        elif sign in (b"\n", b"\r"):
            self._end_paragraph()
        elif sign in SIGNS:
            self._letter(SIGNS[sign])

    def _open(self) -> None:
        self._flush()
        if len(self._stack) >= _GROUPS:
            raise SourceError(
                self._path, f"nests more than {_GROUPS:,} groups", remedy="Save it anew"
            )
        self._stack.append(self._group)
        self._ignorable = False
        self._pass = 0

    def _close(self) -> None:
        self._flush()
        ended = self._group
        self._group = self._stack.pop() if self._stack else _Group()
        self._pass = 0
        if ended.into == self._group.into:
            if ended.into == "stylesheet":
                self._end_style()
            return
        said = "".join(self._words.pop(ended.into, [])) if ended.into != "body" else ""
        if ended.into == "footnote":
            self._notes.append(said)
        elif ended.into == "label":
            self._paragraph.label = said.strip()
            self._paragraph.listed = True
        elif ended.into in PROPERTIES.values() and said.strip():
            self._metadata[ended.into] = " ".join(said.split())

    def _say(self, text: bytes) -> None:
        if self._pass:
            passed = min(self._pass, len(text))
            self._pass -= passed
            text = text[passed:]
        if self._group.into and not self._group.hidden:
            self._bytes += text

    def _letter(self, letter: str) -> None:
        self._flush()
        if self._group.into and not self._group.hidden:
            self._words.setdefault(self._group.into, []).append(letter)

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._group.codec, "replace")
            self._words.setdefault(self._group.into, []).append(text)
            self._bytes.clear()

    def _word(self, word: bytes, number: int | None) -> None:
        starred, self._ignorable = self._ignorable, False
        if word == b"u" and number is not None:
            self._letter(chr(number & 0xFFFF))
            self._pass = self._group.after
        elif word in LETTERS:
            self._letter(LETTERS[word])
        elif word == b"ud" and len(self._stack) > 1:  # says in Unicode what stood before
            self._group = replace(self._group, into=self._stack[-2].into)
        elif word in SKIPPED or (starred and word not in KEPT):
            self._flush()
            self._group = replace(self._group, into="")
        elif not self._destination(word) and not self._property(word, number):
            self._layout(word, number)

    def _destination(self, word: bytes) -> bool:
        into = PROPERTIES.get(word) if self._group.into == "info" else None
        if word in (b"fonttbl", b"stylesheet", b"info", b"footnote"):
            into = word.decode()
        elif word in (b"listtext", b"pntext"):
            into = "label"
        if into is None or not self._group.into:
            return False
        self._flush()
        self._group = replace(self._group, into=into)
        return True

    def _property(self, word: bytes, number: int | None) -> bool:
        """What is in force for letters."""
        group = self._group
        if word == b"f":
            codec = self._fonts.get(number or 0, self._default)
            group = replace(group, font=number or 0, codec=codec)
        elif word == b"fcharset":
            self._fonts[group.font] = CHARSETS.get(number or 0, self._default)
        elif word == b"cpg" and group.into == "fonttbl":
            self._fonts[group.font] = code_page(number or 0)
        elif word == b"ansicpg":
            self._default = code_page(number or 0)
            group = replace(group, codec=self._default)
        elif word == b"uc":
            group = replace(group, after=min(max(number or 0, 0), 8))
        elif word in (b"v", b"deleted"):
            group = replace(group, hidden=number != 0)
        elif word == b"plain":
            group = replace(group, codec=self._default, hidden=False)
        else:
            return False
        self._flush()
        self._group = group
        return True

    def _layout(self, word: bytes, number: int | None) -> None:
        """What is in force for paragraphs, and what ends them."""
        count = number or 0
        styling = self._group.into == "stylesheet"
        paragraph = self._style if styling else self._paragraph
        if word == b"s":
            paragraph.style = count
            paragraph.level = paragraph.level or self._styles.get(count, 0)
        elif word == b"outlinelevel":
            paragraph.level = count + 1 if count < 9 else 0
        elif word == b"ilvl":
            paragraph.depth = min(count, 8)
        elif self._group.into == "body":
            self._body(word, count)
        elif word == b"par":
            self._letter("\n")

    def _body(self, word: bytes, count: int) -> None:
        if word in (b"par", b"sect", b"page"):
            self._end_paragraph()
        elif word == b"pard":
            self._flush()
            label = self._paragraph.label
            self._paragraph = _Paragraph(label=label, listed=bool(label))
        elif word == b"intbl":
            self._paragraph.in_table = True
        elif word == b"ls":
            self._paragraph.listed = True
        elif word == b"cell":
            self._table.texts.append(self._text())
        else:
            self._table.word(word, count)

    def _text(self) -> str:
        """What was said since the last paragraph ended."""
        self._flush()
        text = "".join(self._words.pop("body", []))
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")

    def _end_style(self) -> None:
        name = "".join(self._words.pop("stylesheet", [])).strip(" ;\n")
        heading = _HEADING.match(name)
        level = int(heading[1]) if heading else 1 if _TITLE.match(name) else 0
        self._styles[self._style.style] = self._style.level or level
        self._style = _Paragraph()

    def _end_paragraph(self) -> None:
        if self._paragraph.in_table:
            self._letter("\n")
            return
        text = self._text().strip()
        paragraph, label = self._paragraph, self._paragraph.label
        if text:
            self._end_table()
            number = label if any(c.isalnum() for c in label) else ""
            if paragraph.level:
                self._builder.heading(f"{number} {text}", paragraph.level)
            elif paragraph.listed:
                self._builder.item(text, paragraph.depth, number)
            else:
                self._builder.paragraph(text)
        paragraph.label = ""
        self._end_notes()

    def _end_notes(self) -> None:
        for note in self._notes:
            self._builder.paragraph(note)
        self._notes.clear()

    def _end_table(self) -> None:
        table, self._table = self._table, Table()
        if table.cells:
            self._builder.table(grid(table.cells), max(table.header, 1))
            self._end_notes()
