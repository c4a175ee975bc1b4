"""EPUB: the chapters in the order of the spine, each read as HTML. Navigation is left out."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from indexer.readers.archive import Archive
from indexer.readers.building import Builder
from indexer.readers.html import read_html
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.properties import properties
from indexer.readers.xmltree import parse_part
from rag.errors import SourceError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/xml")
_PROPERTIES = {
    "title": "title",
    "creator": "author",
    "date": "date",
    "language": "language",
    "description": "description",
    "subject": "subject",
}


def read_epub(raw: Raw) -> Parsed:
    """Raises `SourceError` where it is damaged, protected, or no chapter can be read."""
    return _Book(Archive(raw.data, raw.path), raw.path).parsed()


class _Book:
    def __init__(self, archive: Archive, path: str) -> None:
        self._archive = archive
        self._path = path
        container = self._xml(_CONTAINER)
        self._package = next(
            (e.get("full-path", "") for e in container.iter("rootfile")), "content.opf"
        )
        self._root = self._xml(self._package)
        self._locked = set(self._encrypted())

    def parsed(self) -> Parsed:
        builder = Builder()
        notes = []
        for part in self._spine():
            if part in self._locked:
                notes.append(f"{part} is encrypted")
                continue
            try:
                builder.include(read_html(Raw(self._archive.read(part), part)))
            except SourceError as e:
                if e.why != "is empty":
                    notes.append(f"{part}: {e.why}")
        metadata = properties(self._root.iterfind("metadata/*"), _PROPERTIES)
        parsed = builder.parsed(metadata.pop("title", ""), metadata, notes)
        if notes and not parsed.blocks:
            raise SourceError(
                self._path,
                f"has no chapter that can be read ({notes[0]})",
                remedy="Get it again, without protection against copying",
            )
        return parsed

    def _xml(self, part: str) -> Element:
        return parse_part(self._archive.read(part), self._path, part)

    def _spine(self) -> Iterator[str]:
        """Names of the parts that are read, each once."""
        items = {e.get("id", ""): e for e in self._root.iterfind("manifest/item")}
        guide = self._root.iterfind("guide/reference[@type='toc']")
        seen = {self._resolved(e.get("href", "")) for e in guide}
        for entry in self._root.iterfind("spine/itemref"):
            item = items.get(entry.get("idref", ""))
            if item is None or item.get("media-type", _PAGES[0]) not in _PAGES:
                continue
            part = self._resolved(item.get("href", ""))
            if part not in seen and "nav" not in item.get("properties", "").split():
                seen.add(part)
                yield part

    def _resolved(self, link: str) -> str:
        folder = posixpath.dirname(self._package)
        return posixpath.normpath(posixpath.join(folder, unquote(urlsplit(link).path)))

    def _encrypted(self) -> Iterator[str]:
        """Parts that only a reader with a key can read; fonts are among them."""
        if _ENCRYPTION in self._archive:
            for reference in self._xml(_ENCRYPTION).iter("CipherReference"):
                yield unquote(reference.get("URI", ""))
