"""Which passages meet a condition, remembered: documents do not change, so only new ones are asked.

Knows no segments.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.catalog import Catalog

_CONDITIONS = 64
Rows = NDArray[np.int64]


class Meeting:
    """Answers for the newest ``_CONDITIONS`` of them; safe to share between threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._keeping = threading.Lock()
        self._known: dict[tuple[Any, ...], tuple[int, Rows]] = {}
        self._spoken: tuple[int, frozenset[str]] = 0, frozenset()

    def rows(self, condition: str, parameters: Sequence[Any]) -> Rows:
        """Row numbers, ascending, of the passages of all ``documents d`` that meet it."""
        key = (condition, *parameters)
        asked, rows = self._known.get(key, (0, np.empty(0, np.int64)))
        with self._catalog.reading():
            newest = self._newest()
            if newest > asked:
                new = f"d.doc > ? AND {condition} ORDER BY d.doc"
                rows = np.concatenate([rows, self._catalog.passages(new, [asked, *parameters])])
        with self._keeping:
            if len(self._known) >= _CONDITIONS and key not in self._known:
                self._known.pop(next(iter(self._known)))
            self._known[key] = max(newest, asked), rows
        return rows

    def languages(self) -> list[str]:
        """The languages of all documents that there were since the first time this was asked."""
        asked, known = self._spoken
        sql = "SELECT DISTINCT language FROM documents WHERE doc > ?"
        with self._catalog.reading():
            newest = self._newest()
            known = known | {language for (language,) in self._catalog.rows(sql, (asked,))}
        self._spoken = max(newest, asked), known
        return sorted(known)

    def _newest(self) -> int:
        return int(self._catalog.rows("SELECT coalesce(max(doc), 0) FROM documents")[0][0])
