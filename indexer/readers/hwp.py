"""HWP 5, the binary format of Hancom Office (한글): an OLE2 file of compressed record streams.

The records are read here, by Hancom's published format; olefile opens the container. Knows no
pages: where they break is known to the layout only. Older files (HWP 3) are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

import olefile

from indexer.readers.archive import LIMIT
from indexer.readers.building import Builder
from indexer.readers.decode import clean
from indexer.readers.hangul import Writer
from indexer.readers.hwp_body import Section
from indexer.readers.hwp_distribution import decrypted
from indexer.readers.hwp_records import Damaged, inflated, read_styles, records, utf16
from indexer.readers.parsed import Parsed, Raw, paragraphs
from rag.errors import SourceError

_SIGNATURE = b"HWP Document File"
_COMPRESSED, _PASSWORD, _DISTRIBUTION, _DRM = 1, 2, 4, 0x10 | 0x100 | 0x400
_BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
_BROKEN_OLE = (*_BROKEN, struct.error, RecursionError)

_PROPERTIES = {2: "title", 3: "subject", 4: "author", 5: "keywords", 6: "description"}
_DATES = {12: "date", 13: "modified"}


def read_hwp(raw: Raw) -> Parsed:
    """Body, tables, notes and text boxes; headers, footers and hidden comments are left out.

    Raises
    ------
    SourceError
        It is no HWP 5 file, is protected, or nothing can be read of it.
    """
    if raw.data.startswith(b"HWP Document File V"):
        raise _refusal(raw.path, "is in the format of HWP 3")
    try:
        with olefile.OleFileIO(BytesIO(raw.data)) as ole:
            return _read(ole, raw)
    except _BROKEN_OLE as e:
        raise SourceError(
            raw.path, f"is a damaged HWP file ({e})", remedy="Save it anew in Hangul"
        ) from None


def _read(ole: olefile.OleFileIO, raw: Raw) -> Parsed:
    flags = _flags(ole, raw)
    compressed = bool(flags & _COMPRESSED)
    folder = "ViewText" if flags & _DISTRIBUTION else "BodyText"
    left = LIMIT

    def stream(name: str) -> Iterator[bytes]:
        nonlocal left
        data = _bytes(ole, name, raw)
        if folder in name and flags & _DISTRIBUTION:
            data = decrypted(data, raw.path)
        for piece in inflated(data, left) if compressed else [data]:
            left -= len(piece)
            yield piece

    styles = read_styles(records(stream("DocInfo")) if ole.exists("DocInfo") else [])
    builder = Builder()
    writer = Writer(builder, styles.numberings)
    notes: list[str] = []
    sections = 0
    while ole.exists(name := f"{folder}/Section{sections}"):
        sections += 1
        section = Section(styles, writer)
        try:
            for record in records(stream(name)):
                section.add(record)
        except Damaged as e:
            notes.append(f"section {sections} {e}; what comes after is missing")
        section.end()
    parsed = builder.parsed(metadata=_metadata(ole, notes), notes=notes)
    if parsed.blocks:
        title = parsed.metadata.get("title", "") or parsed.title
        return Parsed(parsed.text, parsed.blocks, title, parsed.metadata, (), parsed.notes)
    return _preview(ole, raw, parsed)


def _flags(ole: olefile.OleFileIO, raw: Raw) -> int:
    header = _bytes(ole, "FileHeader", raw) if ole.exists("FileHeader") else b""
    if not header.startswith(_SIGNATURE):
        raise SourceError(
            raw.path, "is an OLE2 file, but no HWP document", remedy="Save it anew in Hangul"
        )
    flags = int.from_bytes(header[36:40], "little")
    if flags & _PASSWORD:
        raise _refusal(raw.path, "is protected by a password")
    if flags & _DRM:
        raise _refusal(raw.path, "is protected by DRM or a certificate")
    return flags


def _refusal(path: str, why: str) -> SourceError:
    return SourceError(path, why, remedy="Save it in Hangul as HWPX without protection")


def _bytes(ole: olefile.OleFileIO, name: str, raw: Raw) -> bytes:
    if ole.get_size(name) > len(raw.data):
        raise ValueError(f"its stream {name} claims more bytes than the file has")
    return bytes(ole.openstream(name).read())


def _preview(ole: olefile.OleFileIO, raw: Raw, parsed: Parsed) -> Parsed:
    """The preview's text, which the file keeps in plain, where its body could not be read."""
    text = clean(utf16(_bytes(ole, "PrvText", raw))) if ole.exists("PrvText") else ""
    found = tuple(paragraphs(text))
    if not found or not parsed.notes:
        return parsed
    notes = (*parsed.notes, "only its preview could be read")
    return Parsed(text, found, parsed.title, parsed.metadata, (), notes)


def _metadata(ole: olefile.OleFileIO, notes: list[str]) -> dict[str, str]:
    name = "\x05HwpSummaryInformation"
    if not ole.exists(name):
        return {}
    try:
        found = ole.getproperties(name, convert_time=True)
    except _BROKEN_OLE as e:
        notes.append(f"its properties cannot be read ({e})")
        return {}
    out = {}
    for key, label in _PROPERTIES.items():
        value = found.get(key)
        if isinstance(value, bytes):
            value = value.decode("cp949", "replace")
        if isinstance(value, str) and (words := _line(value)):
            out[label] = words
    for key, label in _DATES.items():
        value = found.get(key)
        if isinstance(value, datetime) and value.year > 1970:
            out[label] = value.date().isoformat()
    return out


def _line(value: str) -> str:
    """``value`` up to the NUL that ends it, as olefile leaves what follows."""
    return " ".join(clean(value.partition("\0")[0]).split())
