"""Writes small HWP 5 documents after Hancom's published format, for tests.

Paragraphs, outline levels and lists, tables with merged cells, notes, text boxes, equations,
headers and hidden comments; nothing of how they look.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.support.ole2 import compound_file, property_set

_CODES = {"tbl ": 11, "gso ": 11, "eqed": 11, "fn  ": 17, "en  ": 17, "head": 16, "tcmt": 15}
_CODES |= {"atno": 18, "tdut": 23, "secd": 2}


def record(tag: int, level: int, data: bytes) -> bytes:
    size = min(len(data), 0xFFF)
    head = struct.pack("<I", tag | level << 10 | size << 20)
    return head + (struct.pack("<I", len(data)) if size == 0xFFF else b"") + data


def text16(text: str) -> bytes:
    return struct.pack("<H", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


@dataclass
class Control:
    """``[name]`` in a paragraph's text: what stands there."""

    name: str
    data: bytes = b""
    inside: list[tuple[int, int, bytes]] = field(default_factory=list)  # tag, level, data

    def records(self, level: int) -> bytes:
        head = record(71, level, self.name.encode()[::-1] + self.data)
        return head + b"".join(record(tag, level + 1 + lower, d) for tag, lower, d in self.inside)


@dataclass
class Para:
    """A paragraph of shape ``shape``; each ``\\0`` in ``text`` is the place of a control."""

    text: str
    shape: int = 0
    controls: list[Control] = field(default_factory=list)
    style: int = 0

    def records(self, level: int = 0) -> bytes:
        controls = iter(self.controls)
        units = b""
        for char in self.text:
            if char == "\0":
                name = next(controls).name
                code = struct.pack("<H", _CODES[name])
                units += code + name.encode()[::-1] + b"\0" * 8 + code
            elif char == "\t":
                units += struct.pack("<8H", 9, 0, 0, 0, 0, 0, 0, 9)
            else:
                units += char.encode("utf-16-le", "surrogatepass")
        units += b"\r\0"
        head = struct.pack("<IIHBB", len(units) // 2, 0, self.shape, self.style, 0) + b"\0" * 12
        out = record(66, level, head) + record(67, level + 1, units)
        return out + b"".join(control.records(level + 1) for control in self.controls)


def _listed(paragraphs: list[Para], extra: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<iI", len(paragraphs), flags) + extra


def _nested(paragraphs: list[Para], lower: int = 0) -> list[tuple[int, int, bytes]]:
    """Paragraphs as records below a control, as (tag, depth, data)."""
    out = []
    for paragraph in paragraphs:
        data = paragraph.records(0)
        while data:
            head = int.from_bytes(data[:4], "little")
            body, size = 4, head >> 20
            if size == 0xFFF:
                body, size = 8, int.from_bytes(data[4:8], "little")
            out.append((head & 0x3FF, lower + (head >> 10 & 0x3FF), data[body : body + size]))
            data = data[body + size :]
    return out


def boxed(name: str, paragraphs: list[Para]) -> Control:
    """A note (``fn  ``, ``en  ``), header (``head``) or hidden comment (``tcmt``)."""
    return Control(name, b"\0" * 8, [(72, 0, _listed(paragraphs)), *_nested(paragraphs)])


def text_box(paragraphs: list[Para], caption: list[Para] | None = None) -> Control:
    above = [(72, 0, _listed(caption)), *_nested(caption)] if caption else []
    inside = [(76, 0, b"$rec" * 2), (72, 1, _listed(paragraphs)), *_nested(paragraphs, 1)]
    return Control("gso ", b"\0" * 42, [*above, *inside])


def equation(script: str) -> Control:
    return Control("eqed", b"\0" * 42, [(88, 0, struct.pack("<I", 0) + text16(script))])


def number(kind: int, value: int) -> Control:
    return Control("atno", struct.pack("<IHHHH", kind, value, 0, 0, 0))


def ruby(text: str, above: str) -> Control:
    return Control("tdut", text16(text) + text16(above) + b"\0" * 8)


def outline_of(numbering: int) -> Control:
    return Control("secd", struct.pack("<IHHHIH", 0, 0, 0, 0, 8000, numbering) + b"\0" * 12)


@dataclass
class TableCell:
    row: int
    column: int
    paragraphs: list[Para]
    rows: int = 1
    columns: int = 1
    heads: bool = False


def table(cells: list[TableCell], caption: list[Para] | None = None) -> Control:
    height = max(cell.row + cell.rows for cell in cells)
    width = max(cell.column + cell.columns for cell in cells)
    inside = [(72, 0, _listed(caption)), *_nested(caption)] if caption else []
    inside.append(
        (77, 0, struct.pack("<IHH", 4, min(height, 0xFFFF), min(width, 0xFFFF)) + b"\0" * 14)
    )
    for cell in cells:
        place = struct.pack("<HHHH", cell.column, cell.row, cell.columns, cell.rows)
        flags = 1 << 18 if cell.heads else 0
        inside.append((72, 0, _listed(cell.paragraphs, place + b"\0" * 18, flags)))
        inside += _nested(cell.paragraphs)
    return Control("tbl ", b"\0" * 42, inside)


def shape(kind: int = 0, level: int = 0, numbering: int = 0) -> bytes:
    """A paragraph's shape: kind 1 outline, 2 number, 3 bullet; ``level`` from 0."""
    flags = kind << 23 | level << 25
    return struct.pack("<I24xHH", flags, 0, numbering) + b"\0" * 22


def style(name: str, english: str) -> bytes:
    return text16(name) + text16(english) + b"\0" * 8


def numbering(*templates: tuple[str, int]) -> bytes:
    """A numbering of up to 7 levels: template (``^1.``) and the code of its style."""
    levels = [*templates, *[("", 0)] * (7 - len(templates))]
    out = b"".join(struct.pack("<I8x", code << 5) + text16(text) for text, code in levels)
    return out + struct.pack("<H7I", 1, *[1] * 7)


def write_hwp(
    sections: list[list[Para]],
    shapes: list[bytes] | None = None,
    *,
    styles: list[bytes] | None = None,
    numberings: list[bytes] | None = None,
    flags: int = 1,
    properties: dict[int, str | datetime] | None = None,
    preview: str = "",
) -> bytes:
    """A whole file; bit 0 of ``flags`` compresses its streams."""
    info = record(16, 0, struct.pack("<H", len(sections)) + b"\0" * 24) + record(17, 0, b"\0" * 72)
    info += b"".join(record(23, 1, data) for data in numberings or [])
    info += b"".join(record(25, 1, data) for data in shapes or [shape()])
    info += b"".join(record(26, 1, data) for data in styles or [])
    streams = {
        "FileHeader": struct.pack("<32sII", b"HWP Document File", 0x05010100, flags).ljust(
            256, b"\0"
        ),
        "DocInfo": packed(info, flags),
        "PrvText": preview.encode("utf-16-le"),
        "\x05HwpSummaryInformation": property_set(properties or {2: ""}),
    }
    for i, paragraphs in enumerate(sections):
        body = b"".join(paragraph.records() for paragraph in paragraphs)
        streams[f"BodyText/Section{i}"] = packed(body, flags)
    return compound_file(streams)


def packed(data: bytes, flags: int) -> bytes:
    if not flags & 1:
        return data
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


DAY = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
