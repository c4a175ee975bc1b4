"""E-mail: single messages (also pages saved as MHTML) and mbox files. Fetches and runs nothing.

Python's own parser takes messages apart; what is in no declared encoding is told by `decode`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from indexer.readers.building import Builder
from indexer.readers.decode import decode
from indexer.readers.formats import BY_NAME
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.sniff import sniff
from rag.errors import SourceError

_DEEPEST = 10  # messages and parts within each other
_PARTS = 1_000
_SHOWN = (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Date", "date"))
_BEGINS = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From \S.*\d{4}[ \t]*\r?\n")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def read_email(raw: Raw) -> Parsed:
    """A message: its subject as heading, who wrote when to whom, its text, its files."""
    builder = Builder()
    notes: list[str] = []
    message = _message(raw.data, raw.path)
    _write(builder, message, raw.path, notes, 0)
    written = {key: _header(message, name) for name, key in _SHOWN}
    about = {"author": written["from"], "to": written["to"], "date": written["date"]}
    about["subject"] = _header(message, "Subject")
    parsed = builder.parsed(about["subject"], {k: v for k, v in about.items() if v}, notes)
    nothing = not about["subject"] and len(parsed.blocks) == 1
    return Parsed("", (), notes=parsed.notes) if nothing else parsed


def read_mbox(raw: Raw) -> Parsed:
    """A heading a message, one after the other."""
    builder = Builder()
    notes: list[str] = []
    begins = list(_BEGINS.finditer(raw.data))
    if not begins:
        return read_email(raw)
    ends = [*(found.start() for found in begins[1:]), len(raw.data)]
    for found, end in zip(begins, ends, strict=True):
        data = _QUOTED.sub(rb"\1", raw.data[found.end() : end])
        _write(builder, _message(data, raw.path), raw.path, notes, 0)
    parsed = builder.parsed(notes=notes)
    return Parsed(parsed.text, parsed.blocks, notes=parsed.notes)


def _message(data: bytes, path: str) -> Message:
    try:
        return message_from_bytes(data)
    except (RecursionError, MessageError, ValueError) as e:
        why = "nests its parts too deep" if isinstance(e, RecursionError) else f"is broken: {e}"
        raise SourceError(path, why, remedy="Save it anew or leave it out") from None


def _write(builder: Builder, message: Message, path: str, notes: list[str], depth: int) -> None:
    builder.heading(_header(message, "Subject") or "(no subject)", depth + 1)
    said = ((name, _header(message, name)) for name, _ in _SHOWN)
    builder.paragraph("\n".join(f"{name}: {value}" for name, value in said if value))
    for i, part in enumerate(_parts(message, notes)):
        if i == _PARTS:
            notes.append(f"it has more than {_PARTS} parts: the others were left out")
            return
        try:
            _part(builder, part, path, notes, depth)
        except SourceError as e:
            notes.append(f"{_name(part) or 'its text'} {e.why}")


def _parts(message: Message, notes: list[str]) -> Iterator[Message]:
    """The parts to be read, in order; of alternatives, the plainest that says something."""
    waiting = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        if part.get_content_maintype() != "multipart" or not part.is_multipart():
            yield part
        elif depth == _DEEPEST:
            notes.append(f"parts more than {_DEEPEST} deep were left out")
        elif part.get_content_subtype() == "alternative":
            waiting += [(best, depth + 1) for best in _best(_children(part))]
        else:
            waiting += [(child, depth + 1) for child in reversed(_children(part))]


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [p for p in payload if isinstance(p, Message)] if isinstance(payload, list) else []


def _best(parts: list[Message]) -> list[Message]:
    """Plain text that is not blank, else HTML or what holds it."""
    plain = [p for p in parts if p.get_content_type() == "text/plain" and _bytes(p).strip()]
    others = [p for p in parts if p.get_content_type() == "text/html" or p.is_multipart()]
    return (plain or others or parts)[:1]


def _part(builder: Builder, part: Message, path: str, notes: list[str], depth: int) -> None:
    kind, name = part.get_content_type(), _name(part)
    if kind == "message/rfc822":
        inner = _children(part)
        if depth == _DEEPEST:
            notes.append(f"messages more than {_DEEPEST} deep were left out")
        elif inner:
            _write(builder, inner[0], path, notes, depth + 1)
        return
    data = _bytes(part)
    attached = part.get_content_disposition() == "attachment"
    if not data.strip() or (not attached and _DRESS.match(kind)):
        return
    if kind not in _BODIES or (name and part.get_content_disposition() != "inline"):
        _attached(builder, data, name or kind, notes, depth)
        return
    text = decode(data, path, part.get_content_charset() or "").text
    form = BY_NAME["html" if kind == "text/html" else "text"]
    builder.include(_below(form.reader(Raw(text.encode(), path)), depth + 1))


_BODIES = ("text/plain", "text/html")
# What a page is dressed with, where it is no file of its own.
_DRESS = re.compile(r"(?:image|audio|video|font)/|text/css|\w+/(?:x-)?javascript")


def _attached(builder: Builder, data: bytes, name: str, notes: list[str], depth: int) -> None:
    """A file that came with it, read as any other, under its name."""
    form = sniff(data, name)
    if form.name == "email" and depth < _DEEPEST:
        _write(builder, _message(data, name), name, notes, depth + 1)
        return
    if form.name in ("email", "mbox"):
        notes.append(f"{name} ({len(data)} bytes) came with it and was not read")
        return
    parsed = form.reader(Raw(data, name))
    if parsed.blocks:
        builder.heading(name, depth + 2)
        builder.include(_below(parsed, depth + 2))
    notes += [f"{name}: {note}" for note in parsed.notes]


def _below(parsed: Parsed, levels: int) -> Parsed:
    """The same with its headings that much deeper."""
    blocks = (replace(b, level=min(b.level + levels, 6)) if b.level else b for b in parsed.blocks)
    return replace(parsed, blocks=tuple(blocks))


def _bytes(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, binascii.Error, LookupError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def _name(part: Message) -> str:
    try:
        found = part.get_filename() or ""
    except (LookupError, ValueError, TypeError):
        return ""
    return _words(found)


def _header(message: Message, name: str) -> str:
    values = (str(v) for key, v in message.raw_items() if key.lower() == name.lower())
    return _words(next(values, ""), message.get_content_charset() or "")


def _words(value: str, charset: str = "") -> str:
    """A header's words, whichever way they are encoded; ``charset`` is that of the message."""
    if value.isascii():
        try:
            pieces = decode_header(value)
        except (MessageError, ValueError):
            pieces = [(value.encode(), None)]
    else:
        pieces = [(value.encode("utf-8", "surrogateescape"), None)]
    words = ""
    for piece, named in pieces:
        data = piece.encode() if isinstance(piece, str) else piece
        try:
            words += decode(data, "", named or charset).text if data else ""
        except SourceError:
            words += data.decode("latin-1")
    return " ".join(words.split())
