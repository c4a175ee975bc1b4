"""Results of searches, remembered until anything that they depend on changes.

Knows not how results come about. What it gives back is what the same search would find now:

- A collection's generation changes with every commit of any process: documents written or deleted,
  vectors published, another encoder serving, a tuning kept, segments merged. ``key`` reads it from
  the catalogue each time, so a commit is seen by the next search.
- All settings count, and the encoder; the day too, as documents grow old.
- The principal's groups are part of the filter; the access epoch stands for what else access
  depends on.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.types import Filter, Mode, SearchResult, digest, encodable

if TYPE_CHECKING:
    from rag.index import Collection
    from rag.search.searcher import Searcher

_HITS = 32
"""A result takes one place for as many hits, begun."""


@dataclass(frozen=True, slots=True)
class Key:
    """All that the result of a search depends on; ``settings`` is their digest.

    Of the collection the object counts, not its name: one that is made anew under the same name
    begins to count its generations anew.
    """

    collection: weakref.ref[Collection]
    generation: int
    epoch: str
    day: str
    encoder: str | None
    settings: str
    query: str
    top_k: int
    mode: Mode
    filter: Filter | None


def key(
    searcher: Searcher,
    query: str,
    top_k: int | None = None,
    mode: Mode | None = None,
    filter: Filter | None = None,  # noqa: A002 - the field's word
    *,
    epoch: str = "",
) -> Key:
    """The key of a search, to be made before it: what is committed meanwhile is newer than that.

    ``epoch`` changes whenever principals' rights do in ways that the filter's groups do not show.
    """
    settings = searcher.settings
    return Key(
        collection=weakref.ref(searcher.collection),
        generation=searcher.collection.generation,
        epoch=epoch,
        day=datetime.now(UTC).date().isoformat(),
        encoder=searcher.encoder.fingerprint if searcher.encoder else None,
        settings=digest(repr(settings)),
        query=encodable(query).strip(),
        top_k=settings.top_k if top_k is None else top_k,
        mode=mode or settings.mode,
        filter=filter,
    )


class ResultCache:
    """The results that were asked for last; safe to share between threads and collections.

    Parameters
    ----------
    size
        Results that it holds, at most; one of many hits takes the place of several. With 0 it
        holds none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._known: OrderedDict[Key, SearchResult] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> SearchResult | None:
        """The result that was put for ``key``, if it is still held."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: Key, result: SearchResult) -> None:
        """Hold ``result``, unless the encoder failed, which may pass.

        A result that lacks something else for the moment, as a reranking that ran out of time,
        must not be put.
        """
        if (key.encoder and result.mode != key.mode) or _places(result) > self._size:
            return
        with self._lock:
            if known := self._known.pop(key, None):
                self._used -= _places(known)
            self._known[key] = result
            self._used += _places(result)
            while self._used > self._size:
                _, oldest = self._known.popitem(last=False)
                self._used -= _places(oldest)

    def __len__(self) -> int:
        return len(self._known)


def _places(result: SearchResult) -> int:
    return max(1, -(-len(result.hits) // _HITS))
