"""Bytes to clean text: encodings, Unicode normalisation, line ends. Knows no format."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from indexer.readers import charsets
from indexer.readers.refusals import Empty, Unknown
from rag.errors import SourceError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\b\t\n\f\r\x1b")))
_UNWANTED = re.compile("[\x00\ud800-\udfff]")
_REPLACED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A clean text and how it was read.

    Attributes
    ----------
    text
        What every offset refers to.
    encoding
        Python's name of it, without a mark's signature: ``utf-8``, ``utf-16-le``, ``cp949``.
    confidence
        1 where the bytes are valid UTF-8, carry a mark or agree with what they declare.
    removed
        NULs and unpaired surrogates that were taken out.
    replaced
        Characters that could not be decoded; U+FFFD stands for them.
    """

    text: str
    encoding: str = "utf-8"
    confidence: float = 1.0
    removed: int = 0
    replaced: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of it."""
        said = {
            f"is in {self.encoding} (confidence {self.confidence:.2f})": self.encoding != "utf-8",
            f"{self.removed} NULs and unpaired surrogates were removed": self.removed,
            f"{self.replaced} characters are no {self.encoding} and were replaced": self.replaced,
        }
        return tuple(note for note, holds in said.items() if holds)


def decode(data: bytes, path: str, declared: str = "") -> Decoded:
    r"""The clean text of a file.

    A byte order mark decides, then what is valid UTF-8, then UTF-16 and UTF-32 without a mark, then
    what is declared (``declared``, or the file's own XML declaration, ``meta charset`` or coding
    line) if the bytes agree, then what the bytes look like. ``\r\n`` and ``\r`` become ``\n``, NULs
    and unpaired surrogates go, and the rest is in Unicode's NFC.

    Raises
    ------
    SourceError
        The file is empty, binary, or in no encoding that could be told.
    """
    if not data:
        raise Empty(path)
    for mark, name in MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], name, path)
    valid = charsets.decodes(data, "utf-8")
    if (name := charsets.wide(data, certain=not valid)) or (name := charsets.escaped(data)):
        return _lenient(data, name, path)
    refuse_binary(data, path)
    if valid:
        return _decoded(data.decode("utf-8", "surrogatepass"), "utf-8")
    for label in (declared, charsets.declared(data)):
        name = charsets.codec(label)
        if name not in ("", "utf-8") and charsets.decodes(data, name):
            return _decoded(data.decode(name), name)
    if _broken(data):
        return _lenient(data, "utf-8", path)
    name, confidence = charsets.detected(data)
    return _lenient(data, name or "utf-8", path, confidence)


def clean(text: str) -> str:
    r"""``text`` in NFC, with ``\n`` line ends, without NULs and unpaired surrogates."""
    if text.isascii() and "\0" not in text and "\r" not in text:
        return text
    return _decoded(text, "").text


def refuse_binary(data: bytes, path: str) -> None:
    """Raise `Unknown` where the first bytes hold more control characters than a text does."""
    sample = data[: charsets.SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 20 > len(sample) and (controls > 8 or controls * 3 > len(sample)):
        why = f"looks like a binary file, not text ({controls} control bytes in {len(sample)})"
        raise Unknown(path, why, "Save it as text, or leave it out")


def _decoded(text: str, encoding: str, confidence: float = 1.0, replaced: int = 0) -> Decoded:
    text, removed = _UNWANTED.subn("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(unicodedata.normalize("NFC", text), encoding, confidence, removed, replaced)


def _broken(data: bytes) -> bool:
    """Whether it is UTF-8 but for a few characters."""
    high = sum(map(len, charsets.HIGH.findall(data)))
    return data.decode("utf-8", "replace").count(_REPLACED) * 20 <= high


def _lenient(data: bytes, name: str, path: str, confidence: float = 1.0) -> Decoded:
    """The text, a twentieth of whose characters may be broken."""
    handler = "surrogatepass" if name.startswith("utf") else "strict"
    try:
        return _decoded(data.decode(name, handler), name, confidence)
    except UnicodeDecodeError as e:
        text = data.decode(name, "replace")
        replaced = text.count(_REPLACED)
        if replaced * 20 <= len(text):
            return _decoded(text, name, confidence, replaced)
        line = data[: e.start - e.start % 2].decode(name, "replace").count("\n") + 1
        raise SourceError(
            path,
            f"is not valid {name.upper()[:6].rstrip('-')}: byte 0x{data[e.start]:02x} "
            f"at offset {e.start}",
            line,
            remedy="Save it as UTF-8, or convert it, for example with "
            "`iconv -f CP949 -t UTF-8 FILE`",
        ) from e
