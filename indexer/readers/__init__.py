"""Readers: a file's bytes in, a `Document` out; one module a format. Knows no chunking."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from indexer.readers.dates import day
from indexer.readers.decode import clean
from indexer.readers.formats import FORMATS, SUFFIXES, Format
from indexer.readers.parsed import Parsed, Raw, Reader
from indexer.readers.refusals import Empty, Unknown
from indexer.readers.sniff import sniff
from rag.types import Block, Document

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Empty",
    "Format",
    "Parsed",
    "Raw",
    "Read",
    "Reader",
    "Unknown",
    "read",
    "sniff",
]

_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?\s*+\Z")


@dataclass(frozen=True, slots=True)
class Read:
    """A document, and what people should know of how it was read.

    ``verbatim``: its text is the file's own (cleaned), so its lines are the file's lines.
    """

    document: Document
    notes: tuple[str, ...] = ()
    verbatim: bool = False


def read(data: bytes, *, uri: str, path: str) -> Read:
    """The document that a file holds. Nothing is fetched, run or written.

    Parameters
    ----------
    data
        The file's bytes.
    uri
        Where it comes from; the document's id derives from it.
    path
        How it is shown to people; its suffix helps to tell the format.

    Raises
    ------
    Empty
        It holds no text.
    Unknown
        No reader takes it.
    SourceError
        It is damaged, too large or too deep, or its encoding cannot be told.
    """
    if not data:
        raise Empty(path)
    if _BLANK.match(data):
        raise Empty(path, "has no text")
    raw = Raw(data, path)
    form = sniff(data, path)
    parsed = form.reader(raw)
    if not parsed.blocks:
        raise Empty(path, "; ".join(["has no text", *parsed.notes]))
    metadata = {clean(key): clean(value) for key, value in parsed.metadata.items()}
    metadata |= {key: day(metadata[key]) for key in ("date", "modified") if key in metadata}
    metadata["format"] = form.name
    title = clean(parsed.title) or metadata.get("title", "") or _readable(path)
    metadata.pop("title", None)
    notes = parsed.notes
    if raw.is_decoded:
        notes += raw.decoded.notes
        if raw.decoded.encoding != "utf-8":
            metadata["encoding"] = raw.decoded.encoding
    document = Document(
        uri=uri,
        path=path,
        title=title,
        text=parsed.text,
        blocks=tuple(_titled(block) for block in parsed.blocks),
        metadata=metadata,
        pages=parsed.pages,
    )
    return Read(document, notes, form.verbatim)


def _titled(block: Block) -> Block:
    """The block with a clean title: what is taken out of a text may join what stood apart."""
    title = clean(block.title)
    return block if title == block.title else replace(block, title=title)


def _readable(path: str) -> str:
    """``guide/getting_started.md`` as ``getting started``."""
    stem = clean(PurePosixPath(path).stem)
    return " ".join(re.split(r"[\s_-]+", stem)).strip() or path
