"""HWP 5's records: what a stream consists of, and the styles that ``DocInfo`` lists.

Format: Hancom's "한글 문서 파일 형식 5.0" (revision 1.3). Knows not what paragraphs hold.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.readers.hangul import Head, Level, style_level

_NUMBERING = 23
_PARA_SHAPE = 25
_STYLE = 26
_PIECE = 1 << 20
_RECORDS = 2_000_000
_KINDS = ("", "outline", "number", "bullet")
_STYLES = {
    1: "CIRCLEDDIGIT",
    2: "ROMANCAPITAL",
    3: "ROMANSMALL",
    4: "LATINCAPITAL",
    5: "LATINSMALL",
    7: "CIRCLEDLATINSMALL",
    8: "HANGULSYLLABLE",
    9: "CIRCLEDHANGULSYLLABLE",
    10: "HANGULJAMO",
    11: "CIRCLEDHANGULJAMO",
    12: "HANGULPHONETIC",
    13: "IDEOGRAPH",
}


class Record(NamedTuple):
    tag: int
    level: int
    data: bytes

    def number(self, offset: int, size: int = 2) -> int:
        """The unsigned number at ``offset``; what a short record lacks counts as 0."""
        return int.from_bytes(self.data[offset : offset + size], "little")

    def string(self, offset: int) -> str:
        """The text at ``offset``: its length in UTF-16 units, then the units."""
        return utf16(self.data[offset + 2 : offset + 2 + 2 * self.number(offset)])


def utf16(data: bytes) -> str:
    return data[: len(data) // 2 * 2].decode("utf-16-le", "surrogatepass")


class Damaged(Exception):
    """A stream ends before its last record does, or cannot be inflated further."""


def inflated(data: bytes, limit: int) -> Iterator[bytes]:
    """A raw deflate stream piece by piece, at most ``limit`` bytes.

    Raises
    ------
    Damaged
        After the pieces that could be had.
    """
    inflater = zlib.decompressobj(-15)
    total = 0
    while data and not inflater.eof:
        try:
            piece = inflater.decompress(data, _PIECE)
        except zlib.error as e:
            raise Damaged(f"cannot be unpacked ({e})") from None
        total += len(piece)
        if total > limit:
            raise Damaged(f"holds more than {limit >> 20} MB when unpacked")
        data = inflater.unconsumed_tail
        if not piece and not data:
            break
        yield piece
    if not inflater.eof:
        raise Damaged("is cut short")


def records(pieces: Iterable[bytes]) -> Iterator[Record]:
    """The records of a stream.

    Raises
    ------
    Damaged
        After the records that could be had.
    """
    buffer = bytearray()
    wanted = 4
    left = _RECORDS
    for piece in pieces:
        buffer += piece
        if len(buffer) < wanted:
            continue
        at = 0
        while True:
            head = int.from_bytes(buffer[at : at + 4], "little")
            body, size = at + 4, head >> 20
            if size == 0xFFF:
                body, size = at + 8, int.from_bytes(buffer[at + 4 : at + 8], "little")
            if len(buffer) < body + size or len(buffer) < body:
                wanted = max(body + size, at + 4) - at
                break
            left -= 1
            if left < 0:
                raise Damaged(f"holds more than {_RECORDS:,} records")
            yield Record(head & 0x3FF, head >> 10 & 0x3FF, bytes(buffer[body : body + size]))
            at = body + size
        del buffer[:at]
    if buffer:
        raise Damaged("ends within a record")


@dataclass(slots=True)
class Styles:
    """The shapes of paragraphs by their numbers, and how lists are numbered."""

    shapes: list[Head] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    numberings: dict[int, list[Level]] = field(default_factory=dict)

    def head(self, header: Record) -> Head:
        """What the shape and the style of a paragraph say of it."""
        shape, style = header.number(8), header.number(10, 1)
        head = self.shapes[shape] if shape < len(self.shapes) else Head()
        level = self.levels[style] if style < len(self.levels) else 0
        return Head("outline", level) if level and not head.kind else head


def read_styles(found: Iterable[Record]) -> Styles:
    """The styles that a ``DocInfo`` stream lists; what is damaged ends them."""
    styles = Styles()
    try:
        for record in found:
            if record.tag == _PARA_SHAPE:
                flags = record.number(0, 4)
                kind = _KINDS[flags >> 23 & 3]
                level = (flags >> 25 & 7) + 1 if kind else 0
                styles.shapes.append(Head(kind, level, record.number(30) if kind else 0))
            elif record.tag == _STYLE:
                names = record.string(0), record.string(2 + 2 * record.number(0))
                styles.levels.append(style_level(names))
            elif record.tag == _NUMBERING:
                styles.numberings[len(styles.numberings) + 1] = _levels(record)
    except Damaged:
        pass
    return styles


def _levels(record: Record) -> list[Level]:
    at, found = 0, []
    for _ in range(7):
        style = _STYLES.get(record.number(at, 4) >> 5 & 0x1F, "")
        found.append((record.string(at + 12), style))
        at += 14 + 2 * record.number(at + 12)
    first = record.number(at)
    starts = [record.number(at + 2 + 4 * i, 4) for i in range(7)]
    return [
        Level(template, style, (start or first or 1) & 0xFFFF)
        for (template, style), start in zip(found, starts, strict=True)
    ]
