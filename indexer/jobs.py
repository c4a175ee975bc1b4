"""A file to read, what became of it, and both as bytes between processes. Reads nothing itself.

A frame is the lengths of its two parts, then a header in JSON, then a body of plain bytes: a file's
or a text's. Nothing that comes from a file can make the other side run anything.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rag.errors import SourceError
from rag.types import Block, Document

_LENGTHS = struct.Struct("<IQ")


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read, or bytes that somebody fetched.

    Attributes
    ----------
    uri, path
        Its stable id, and how it is shown to people.
    file, data
        Where it is on this machine, or else its bytes.
    sha256
        Of bytes that need not be read again.
    """

    uri: str
    path: str
    file: Path | None = None
    data: bytes | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a job: a document, or the same bytes as before, or an error.

    Attributes
    ----------
    sha256
        Of the bytes that were read; empty if none were.
    same
        The bytes are those that the job knew; there is no document then.
    empty
        There is an error because there is nothing in the file.
    unknown
        There is an error because the file is of no known type.
    unread
        There is an error because the file's bytes could not be had, which may be so no more later.
    notes
        What could not be read of it, for people.
    verbatim
        The document's lines are the file's.
    """

    uri: str
    path: str
    document: Document | None = None
    sha256: str = ""
    same: bool = False
    error: SourceError | None = None
    empty: bool = False
    unknown: bool = False
    notes: tuple[str, ...] = ()
    verbatim: bool = False
    unread: bool = False


def too_much_memory(path: str, megabytes: int) -> SourceError:
    """Why a file was not read that would have taken more memory than it may."""
    remedy = "Split it, leave it out, or raise the setting read_mb"
    return SourceError(path, f"needed more than {megabytes} MB", remedy=remedy)


class Frames(Protocol):
    """Bytes that come in; ``read`` gives as many as asked for, or fewer at the end."""

    def read(self, size: int, /) -> bytes: ...


def frame(header: object, body: bytes = b"") -> list[bytes]:
    """A frame's parts, for writing in a row; the body is not copied."""
    head = json.dumps(header, separators=(",", ":")).encode()
    return [_LENGTHS.pack(len(head), len(body)) + head, body]


def next_frame(stream: Frames) -> tuple[Any, bytes] | None:
    """The header and body that come next; ``None`` at the end."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    return json.loads(stream.read(head)), stream.read(body)


def split_frames(data: bytearray, most: int, take: Callable[[Any, bytes], None]) -> None:
    """Hand on the frames that ``data`` holds whole, and leave the rest in it.

    Raises
    ------
    ValueError
        They are no frames, or one is larger than ``most`` bytes.
    """
    start = 0
    while len(data) - start >= _LENGTHS.size:
        head, body = _LENGTHS.unpack_from(data, start)
        if head + body > most:
            raise ValueError("a frame is too large")
        middle = start + _LENGTHS.size + head
        if len(data) < middle + body:
            break
        with memoryview(data) as view:
            header = json.loads(bytes(view[start + _LENGTHS.size : middle]))
            content = bytes(view[middle : middle + body])
        take(header, content)
        start = middle + body
    del data[:start]


def pack_job(job: Job) -> list[bytes]:
    file = str(job.file) if job.file is not None else ""
    return frame([job.uri, job.path, file, job.sha256], job.data or b"")


def unpack_job(header: Any, body: bytes) -> Job:  # noqa: ANN401 - as JSON has it
    uri, path, file, sha256 = header
    return Job(uri, path, Path(file) if file else None, None if file else body, sha256)


def pack_reading(reading: Reading, *, leaving: bool = False) -> list[bytes]:
    """``leaving``: the process that sends it reads nothing after it."""
    header: dict[str, object] = {"leaving": leaving, "sha256": reading.sha256}
    for name in ("same", "empty", "unknown", "verbatim", "unread"):
        if getattr(reading, name):
            header[name] = True
    if reading.error:
        error = reading.error
        header["error"] = [error.path, error.why, error.line, error.remedy]
    if reading.notes:
        header["notes"] = reading.notes
    document = reading.document
    if document is None:
        return frame(header)
    header["title"] = document.title
    header["blocks"] = [
        [b.kind, b.start, b.end, b.level, b.title, b.header] for b in document.blocks
    ]
    header["metadata"] = {str(key): str(value) for key, value in document.metadata.items()}
    header["pages"] = document.pages
    return frame(header, document.text.encode("utf-8", "surrogatepass"))


def unpack_reading(job: Job, header: Any, body: bytes) -> tuple[Reading, bool]:  # noqa: ANN401
    """What became of ``job``, and whether the process that read it is leaving.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        It is not what `pack_reading` gives.
    """
    document = None
    if "blocks" in header:
        document = Document(
            uri=job.uri,
            path=job.path,
            title=header["title"],
            text=body.decode("utf-8", "surrogatepass"),
            blocks=tuple(Block(*fields) for fields in header["blocks"]),
            metadata=header["metadata"],
            pages=tuple(header["pages"]),
        )
    error = None
    if "error" in header:
        path, why, line, remedy = header["error"]
        error = SourceError(path, why, line, remedy=remedy)
    reading = Reading(
        job.uri,
        job.path,
        document,
        header["sha256"],
        header.get("same", False),
        error,
        header.get("empty", False),
        header.get("unknown", False),
        tuple(header.get("notes", ())),
        header.get("verbatim", False),
        header.get("unread", False),
    )
    return reading, header["leaving"]
