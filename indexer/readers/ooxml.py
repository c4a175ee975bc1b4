"""What Word, PowerPoint and Excel files have in common: parts, their relations, properties.

Knows no vocabulary of text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from indexer.readers.archive import Archive
from indexer.readers.parsed import Raw
from indexer.readers.properties import properties
from indexer.readers.xmltree import parse_part, stream_part

_PROPERTIES = {
    "title": "title",
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "description": "description",
    "language": "language",
    "created": "date",
    "modified": "modified",
}


class Package:
    """The parts of an office file.

    Raises
    ------
    SourceError
        It is no archive, or its main part cannot be found.
    """

    def __init__(self, raw: Raw) -> None:
        self.path = raw.path
        self._archive = Archive(raw.data, raw.path)
        self.main = self._main()

    def __contains__(self, part: str) -> bool:
        return part in self._archive

    def xml(self, part: str) -> Element:
        return parse_part(self._archive.read(part), self.path, part)

    def stream(self, part: str, *taken: str) -> Iterator[Element]:
        """The outermost elements of these names in a part, each kept no longer."""
        return stream_part(self._archive.pieces(part), self.path, part, frozenset(taken))

    def related(self, part: str, kind: str = "") -> dict[str, str]:
        """Parts that ``part`` refers to, by relationship id; those whose type ends as ``kind``."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self._archive:
            return {}
        return {
            relation.get("Id", ""): posixpath.normpath(
                posixpath.join("/", folder, relation.get("Target", ""))
            ).lstrip("/")
            for relation in self.xml(rels)
            if relation.get("Type", "").endswith(kind) and relation.get("TargetMode") != "External"
        }

    def first(self, part: str, kind: str) -> Element | None:
        """The root of the part of a kind that ``part`` refers to, if there is one."""
        for found in self.related(part, kind).values():
            if found in self._archive:
                return self.xml(found)
        return None

    def properties(self) -> dict[str, str]:
        """Metadata under our own names."""
        root = self.first("", "/core-properties")
        return properties(root, _PROPERTIES) if root is not None else {}

    def _main(self) -> str:
        for part in self.related("", "/officeDocument").values():
            if part in self._archive:
                return part
        # Fails with a plain message where even this is not there.
        self._archive.read("[Content_Types].xml")
        raise self._archive.error("names no main part that it holds")


def value(element: Element | None, name: str = "val") -> str:
    """An attribute of an element that may not be there."""
    return "" if element is None else element.get(name, "")


def switched(element: Element | None) -> bool:
    """Whether a property is on: it is there and says nothing else."""
    return element is not None and element.get("val", "1") not in ("0", "false", "off")


def whole(text: str, default: int = 0) -> int:
    """A number of at most six digits."""
    return int(text) if text.isdecimal() and len(text) < 7 else default
