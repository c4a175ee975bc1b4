"""HWPX, the open format of Hancom Office (한글): a ZIP of OWPML parts (KS X 6101).

Knows no pages: where they break is known to the layout only.
"""

from __future__ import annotations

import posixpath
import re
from xml.etree.ElementTree import Element

from indexer.readers.archive import Archive
from indexer.readers.building import Builder
from indexer.readers.decode import clean
from indexer.readers.hangul import Writer
from indexer.readers.owpml import Shapes, Walk, name_of
from indexer.readers.parsed import Parsed, Raw, paragraphs
from indexer.readers.xmltree import parse_part
from rag.errors import SourceError

_PACKAGE = "Contents/content.hpf"
_MANIFEST = "META-INF/manifest.xml"
_PREVIEW = "Preview/PrvText.txt"
_SECTION = re.compile(r"(?:.*/)?section(\d+)\.xml", re.IGNORECASE)
_KEYS = {
    "creator": "author",
    "subject": "subject",
    "description": "description",
    "keyword": "keywords",
    "createddate": "date",
    "modifieddate": "modified",
    "title": "title",
    "language": "language",
}


def read_hwpx(raw: Raw) -> Parsed:
    """Body, tables, notes and text boxes; headers, footers, memos and deletions are left out.

    Raises
    ------
    SourceError
        It is no HWPX file, is protected, or nothing can be read of it.
    """
    archive = Archive(raw.data, raw.path)
    if _MANIFEST in archive and b"encryption-data" in archive.read(_MANIFEST):
        raise SourceError(
            raw.path, "is protected by a password", remedy="Save it in Hangul without protection"
        )
    notes: list[str] = []
    package = _part(archive, raw.path, _PACKAGE, notes) if _PACKAGE in archive else None
    metadata = {} if package is None else _metadata(package)
    sections = _sections(archive, package)
    if not sections:
        raise SourceError(
            raw.path, "is a ZIP archive without HWPX sections", remedy="Save it anew in Hangul"
        )
    heads = [name for name in archive.names() if name.lower().endswith("contents/header.xml")]
    parsed_heads = [_part(archive, raw.path, name, notes) for name in heads]
    shapes = Shapes(head for head in parsed_heads if head is not None)
    builder = Builder()
    walk = Walk(shapes, Writer(builder, shapes.numberings))
    for name in sections:
        section = _part(archive, raw.path, name, notes)
        if section is not None:
            walk.section(section)
    parsed = builder.parsed(metadata.get("title", ""), metadata, notes)
    if parsed.blocks or not notes:
        return parsed
    if _PREVIEW not in archive:
        raise SourceError(raw.path, notes[0], remedy="Save it anew in Hangul")
    return _preview(archive, parsed)


def _part(archive: Archive, path: str, name: str, notes: list[str]) -> Element | None:
    """A part's root element; where it cannot be read, a note says so."""
    try:
        return parse_part(archive.read(name), path, name)
    except SourceError as e:
        notes.append(f"{e.why}, so {name} is missing")
        return None


def _sections(archive: Archive, package: Element | None) -> list[str]:
    """The parts that hold text, in the order of reading."""
    names = {name for name in archive.names() if _SECTION.fullmatch(name)}
    by_number = sorted(names, key=lambda name: int((_SECTION.fullmatch(name) or [0, 0])[1]))
    if package is None:
        return by_number
    items = {e.get("id", ""): e.get("href", "") for e in package.iter() if name_of(e) == "item"}
    spine = [items.get(e.get("idref", ""), "") for e in package.iter() if e.tag == "itemref"]
    folder = posixpath.dirname(_PACKAGE)
    places = [href if href in names else posixpath.join(folder, href) for href in spine]
    ordered = list(dict.fromkeys(place for place in places if place in names))
    return ordered + [name for name in by_number if name not in ordered]


def _metadata(package: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    metadata = next((e for e in package if name_of(e) == "metadata"), package)
    for element in metadata:
        name = (element.get("name") or name_of(element)).lower()
        words = " ".join(clean(element.text or "").split())
        if name in _KEYS and words:
            found.setdefault(_KEYS[name], words[:10] if name.endswith("date") else words)
    return found


def _preview(archive: Archive, parsed: Parsed) -> Parsed:
    """The preview's text, where no section could be read."""
    text = clean(archive.read(_PREVIEW).decode("utf-8", "replace"))
    notes = (*parsed.notes, "only its preview could be read")
    return Parsed(text, tuple(paragraphs(text)), parsed.title, parsed.metadata, (), notes)
