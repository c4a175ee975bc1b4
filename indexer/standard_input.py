"""Standard input as a source: one document. Knows no formats; what it is, its content says."""

from __future__ import annotations

import operator
import sys
from functools import partial

from indexer.sources import Fetched, Item, Listing
from rag.errors import SourceError

_MAX_BYTES = 100_000_000


class StandardInput:
    """What is piped in, under ``name``; read once, when it is first asked for."""

    def __init__(self, name: str = "standard-input") -> None:
        self._item = Item(f"stdin:{name}", name)
        self._data: bytes | None = None

    def list(self) -> Listing:
        """The one document."""
        uri = self._item.uri
        return Listing(uri, [self._item], matches=partial(operator.eq, uri))

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """All of it.

        Raises
        ------
        SourceError
            It cannot be read, or is larger than 100 MB.
        """
        if self._data is None:
            self._data = self._read()
        return Fetched(self._data)

    def _read(self) -> bytes:
        try:
            data = sys.stdin.buffer.read(_MAX_BYTES + 1)
        except (AttributeError, OSError, ValueError) as e:  # there is none, or it is closed
            remedy = "Pipe a document in, as in `rag index - < notes.md`"
            raise SourceError(self._item.path, f"cannot be read ({e})", remedy=remedy) from None
        if len(data) > _MAX_BYTES:
            why = f"is larger than {_MAX_BYTES / 1e6:g} MB"
            raise SourceError(self._item.path, why, remedy="Index it as a file, in parts")
        return data
