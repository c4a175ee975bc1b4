"""Readers: a file's bytes in, a `Document` out; one module a format. Knows no chunking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from indexer.readers.decode import decode
from indexer.readers.html import read_html
from indexer.readers.markdown import read_markdown
from indexer.readers.parsed import Parsed, Reader
from indexer.readers.rst import read_rst
from indexer.readers.text import read_text
from rag.errors import SourceError
from rag.types import Document

__all__ = ["SUFFIXES", "Parsed", "Reader", "read"]

SUFFIXES: Mapping[str, Reader] = MappingProxyType(
    {
        ".md": read_markdown,
        ".markdown": read_markdown,
        ".txt": read_text,
        ".text": read_text,
        ".rst": read_rst,
        ".html": read_html,
        ".htm": read_html,
        ".xhtml": read_html,
    }
)

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html)\b", re.IGNORECASE)


def read(data: bytes, *, uri: str, path: str) -> Document:
    """The document that a file holds.

    Parameters
    ----------
    data
        The file's bytes.
    uri
        Where it comes from; the document's id derives from it.
    path
        How it is shown to people; its suffix picks the reader, unless the text is plainly HTML.
        A file without a suffix (``README``) is plain text.

    Raises
    ------
    SourceError
        No reader takes the suffix, the file is empty, binary or in an unsupported encoding, or it
        has no text.
    """
    reader = _reader(path)
    text = decode(data, path)
    if _HTML.match(text):
        reader = read_html
    parsed = reader(text)
    if not parsed.blocks:
        raise SourceError(path, "has no text", remedy="Write something into it or leave it out")
    return Document(
        uri=uri,
        path=path,
        title=parsed.title or _readable(path),
        text=parsed.text,
        blocks=parsed.blocks,
        metadata=parsed.metadata,
    )


def _reader(path: str) -> Reader:
    suffix = PurePosixPath(path).suffix.lower()
    if not suffix:
        return read_text
    if suffix not in SUFFIXES:
        raise SourceError(
            path,
            f"has a suffix that no reader takes ({suffix})",
            remedy=f"Convert it to one of {', '.join(SUFFIXES)}",
        )
    return SUFFIXES[suffix]


def _readable(path: str) -> str:
    """``guide/getting_started.md`` as ``getting started``."""
    stem = PurePosixPath(path).stem
    return " ".join(re.split(r"[\s_-]+", stem)).strip() or path
