"""The documents of a collection as its catalogue has them. Knows no segments and no searches."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from rag.errors import CorruptIndex, NotFound
from rag.index.catalog import Catalog
from rag.index.keys import as_bytes
from rag.index.rows import Known, Place, Stat, Tuned
from rag.index.where import where
from rag.types import Chunk, Filter


class Documents:
    """What stands in the catalogue of the collection in ``path``."""

    def __init__(self, path: Path, catalog: Catalog) -> None:
        self.path = path
        self.name = path.name
        self._read = catalog

    @property
    def replaced(self) -> bool:
        """Whether the collection was removed, or made anew, since this was opened."""
        return self._read.replaced

    @property
    def generation(self) -> int:
        return self._read.generation

    def documents(self, filter: Filter | None = None) -> list[Known]:  # noqa: A002
        """Live documents by path."""
        condition, parameters = where(filter)
        sql = f"""
            SELECT d.id, d.version, d.uri, d.path, d.title, d.language, d.passages, d.aliases,
                   d.stamp, d.sha256
            FROM documents d WHERE {condition} ORDER BY d.path, d.id
        """
        found = self._read.rows(sql, parameters)
        with self._read.sense():
            return [
                Known(
                    id_.hex(),
                    version.hex(),
                    uri,
                    path,
                    title,
                    language,
                    Stat(*stat),
                    passages,
                    tuple(self._read.parsed(aliases)),
                )
                for id_, version, uri, path, title, language, passages, aliases, *stat in found
            ]

    def text(self, document: str, version: str | None = None) -> str:
        """The stored text of a live document.

        Raises
        ------
        NotFound
            No such document, or it has another version by now.
        """
        sql = "SELECT version, text FROM documents WHERE id = ? AND died_in IS NULL"
        found = self._read.rows(sql, (as_bytes(document),))
        if not found:
            raise NotFound(f"there is no document '{document}' in collection '{self.name}'")
        with self._read.sense():
            now = found[0][0].hex()
        if version not in (None, now):
            raise NotFound(f"document '{document}' has changed: version '{version}' is gone")
        return str(found[0][1])

    def passages(self, document: str) -> list[Chunk]:
        """The passages of a live document, in order."""
        condition, parameters = where(Filter({"document": (document,)}))
        rows = self._read.passages(condition, parameters)
        found = self._read.chunks(rows.tolist(), time.time())
        return sorted(found.values(), key=lambda c: c.position)

    def places(self, offsets: Sequence[tuple[str, str, int]]) -> list[Place]:
        """Where each ``(document, version, offset)`` stands in the stored text.

        At line 0 where that version is gone; one that died a moment ago still counts.
        """
        among = "FROM documents WHERE id IN (SELECT digest(value) FROM json_each(?)) AND died_in"
        columns = "SELECT id, version, text, pages, aliases"
        sql = f"{columns} {among} IS NULL UNION ALL {columns} {among} IS NOT NULL"
        given = json.dumps([document for document, _, _ in offsets])
        found = self._read.rows(sql, (given, given))
        parsed = self._read.parsed
        with self._read.sense():
            texts = {
                (id_.hex(), version.hex()): (text, parsed(pages), tuple(parsed(aliases)))
                for id_, version, text, pages, aliases in found
            }
            return [
                _place(*texts[of], at) if (of := (d, v)) in texts else Place()
                for d, v, at in offsets
            ]

    def tuned(self) -> Tuned:
        """What `rag tune` has found for this collection.

        Raises
        ------
        CorruptIndex
            It makes no sense.
        """
        try:
            found = json.loads(self._read.meta("tuned") or "{}")
            return Tuned(dict(found.get("settings", {})), dict(found.get("provenance", {})))
        except (ValueError, TypeError, AttributeError) as e:
            why = f"its tuning makes no sense; `rag tune --reset -c {self.name}` removes it"
            raise CorruptIndex(self.path / "catalog.sqlite", why) from e


def _place(text: str, pages: Sequence[int], aliases: tuple[str, ...], at: int) -> Place:
    return Place(text.count("\n", 0, at) + 1, bisect_right(pages, at), aliases)
