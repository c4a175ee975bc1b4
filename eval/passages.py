"""Which passages questions are made of: an even draw, and those that belong together."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from rag import analysis
from rag.analysis import detect
from rag.index import Collection
from rag.types import Chunk, digest

RARE = 0.5
"""A term is rare if it weighs at least this share of what a term weighs that is nowhere."""
_NOWHERE = "\0"
_RELATED = 10


class Passages:
    """Passages by language, one of each document in turn, in an order that ``seed`` decides."""

    def __init__(self, collection: Collection, seed: int) -> None:
        self._collection = collection
        self._seed = str(seed)
        self._fresh = self._drawn()
        self._waiting: dict[str, deque[Chunk]] = defaultdict(deque)
        self._again: dict[str, deque[Chunk]] = defaultdict(deque)

    def next(self, language: str) -> Chunk | None:
        """The next passage in that language, ``None`` where there is no more."""
        waiting = self._waiting[language]
        while not waiting and (passage := next(self._fresh, None)):
            self._waiting[detect(passage.text)].append(passage)
        queue = waiting or self._again[language]
        return queue.popleft() if queue else None

    def again(self, language: str, passage: Chunk) -> None:
        """Have ``passage`` drawn once more, after the others."""
        self._again[language].append(passage)

    def _drawn(self) -> Iterator[Chunk]:
        order = sorted(self._collection.documents(), key=lambda d: digest(self._seed, d.path, d.id))
        turn = 0
        while order := [d for d in order if d.chunks > turn]:
            for document in order:
                yield from self._shuffled(document.id)[turn : turn + 1]
            turn += 1

    def _shuffled(self, document: str) -> list[Chunk]:
        found = self._collection.passages(document)
        return sorted(found, key=lambda c: digest(self._seed, c.path, str(c.position)))


def terms(text: str) -> set[str]:
    return set(analysis.terms(text))


def threshold(collection: Collection) -> float:
    """The weight from which a term is rare in the collection."""
    return RARE * collection.idf([_NOWHERE])[_NOWHERE]


def related(collection: Collection, passage: Chunk, language: str) -> Iterator[Chunk]:
    """Other passages in that language that share a rare term with ``passage``, nearest first."""
    weights = collection.idf(terms(passage.text))
    least = threshold(collection)
    rare = sorted((t for t in weights if weights[t] >= least), key=lambda t: (-weights[t], t))
    found = [id_ for id_, _ in collection.sparse(rare, _RELATED)]
    chunks = collection.fetch(found)
    for other in (chunks[id_] for id_ in found if id_ in chunks):
        same = other.document == passage.document and other.position == passage.position
        if not same and detect(other.text) == language and terms(other.text).intersection(rare):
            yield other
