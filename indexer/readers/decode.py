"""Bytes to clean text: encodings, Unicode normalisation, line ends. Knows no format.

Legacy encodings will join at `decode`, where invalid UTF-8 is refused now.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from rag.errors import SourceError

_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP or office",
    b"\x1f\x8b": "a gzip",
    b"\x89PNG": "a PNG",
    b"GIF8": "a GIF",
    b"\xff\xd8\xff": "a JPEG",
    b"\x7fELF": "an ELF",
    b"SQLite format 3\x00": "an SQLite",
}
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\b\t\n\f\r\x1b")))
_SAMPLE = 1 << 16
_UNWANTED = re.compile("[\x00\ud800-\udfff]")


def decode(data: bytes, path: str) -> str:
    r"""The clean text of a file.

    UTF-8 with or without a byte order mark, or UTF-16 with one. ``\r\n`` and ``\r`` become
    ``\n``, NULs and unpaired surrogates go, and the rest is in Unicode's NFC; every offset that
    Saem reports refers to this text.

    Raises
    ------
    SourceError
        The file is empty, binary, or in another encoding.
    """
    if not data:
        raise SourceError(path, "is empty", remedy="Write something into it or leave it out")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return clean(_decoded(data, "utf-16", path))
    _refuse_binary(data, path)
    return clean(_decoded(data, "utf-8-sig", path))


def clean(text: str) -> str:
    r"""``text`` in NFC, with ``\n`` line ends, without NULs and unpaired surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def _decoded(data: bytes, encoding: str, path: str) -> str:
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as e:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise SourceError(
            path,
            f"is not valid {name}: byte 0x{data[e.start]:02x} at offset {e.start}",
            _line(data, e.start, encoding),
            remedy="Save it as UTF-8, or convert it, for example with "
            "`iconv -f CP949 -t UTF-8 FILE`",
        ) from e


def _line(data: bytes, offset: int, encoding: str) -> int:
    if encoding != "utf-16":
        return data.count(b"\n", 0, offset) + 1
    return data[: offset - offset % 2].decode(encoding, "replace").count("\n") + 1


def _refuse_binary(data: bytes, path: str) -> None:
    kind = next((k for sign, k in _SIGNATURES.items() if data.startswith(sign)), "")
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    many = controls * 20 > len(sample) and (controls > 8 or controls * 3 > len(sample))
    if kind or many:
        what = f"looks like {kind} file" if kind else "looks like a binary file"
        raise SourceError(
            path,
            f"{what}, not text ({controls} control bytes in the first {len(sample)})",
            remedy="Save it as UTF-8 text, or leave it out",
        )
