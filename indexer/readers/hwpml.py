"""HWPML, the elder XML format of Hancom Office (한글): one file, also under the name ``.hwp``.

Knows no pages: where they break is known to the layout only.
"""

from __future__ import annotations

import re
from html import unescape
from xml.etree.ElementTree import Element

from indexer.readers.building import Builder
from indexer.readers.dates import day
from indexer.readers.hangul import Writer
from indexer.readers.owpml import Shapes, Walk
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.xmltree import parse_part
from rag.errors import SourceError

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"\s*<!DOCTYPE\s+HWPML\s*\[([^\]]*)\]\s*>")
_ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_ENTITY_CHARS = 8
_KEYS = {
    "TITLE": "title",
    "SUBJECT": "subject",
    "AUTHOR": "author",
    "DATE": "date",
    "KEYWORDS": "keywords",
    "COMMENTS": "description",
}


def read_hwpml(raw: Raw) -> Parsed:
    """Body, tables, notes and text boxes; headers, footers and hidden comments are left out.

    Raises
    ------
    SourceError
        It is no well-formed HWPML, or is protected.
    """
    root = parse_part(_plain(raw.text).encode("utf-8", "replace"), raw.path, "HWPML")
    if root.tag != "HWPML":
        raise SourceError(
            raw.path, f"is XML of <{root.tag}>, not HWPML", remedy="Rename it to .xml"
        )
    shapes = Shapes(root.iter("HEAD"))
    builder = Builder()
    walk = Walk(shapes, Writer(builder, shapes.numberings))
    for section in root.iterfind("BODY/SECTION"):
        walk.section(section)
    metadata = _metadata(root)
    return builder.parsed(metadata.get("title", ""), metadata)


def _plain(text: str) -> str:
    """``text`` without its declaration, and without the names that it gives to characters."""
    text = _DECLARATION.sub("", text, count=1)
    doctype = _DOCTYPE.match(text)
    if doctype is None:
        return text
    names = {
        name: unescape(one or other)
        for name, one, other in _ENTITY.findall(doctype[1])
        if len(one or other) <= _ENTITY_CHARS
    }
    body = text[doctype.end() :]
    return re.sub(r"&([\w.-]+);", lambda m: _escaped(names[m[1]]) if m[1] in names else m[0], body)


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(char)};" for char in text)


def _metadata(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iterfind("HEAD/DOCSUMMARY/*"):
        words = " ".join("".join(element.itertext()).split())
        if element.tag in _KEYS and words:
            found[_KEYS[element.tag]] = words
    if "date" in found:
        found["date"] = day(found["date"])
    return found
