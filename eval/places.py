"""The judged places that passages stand for. Knows no measure."""

from __future__ import annotations

import re

from eval.dataset import Dataset, Query
from rag.index import Collection
from rag.search.fuse import Scored

_SPAN = re.compile(r"(.+)@(\d+)-(\d+)")


class Places:
    """Turns ranked passages of ``collection`` into ranked places of ``dataset``.

    Where a query's judgements name spans, a passage stands for those of which it has half, or in
    which it lies half; one that meets none stands for itself. Elsewhere it stands for its document,
    or that document's page.
    """

    def __init__(self, collection: Collection, dataset: Dataset) -> None:
        self._collection = collection
        self._pages = dataset.pages
        self._known: dict[str, tuple[str, int, int]] = {}
        paths = (d.path for d in collection.documents())
        self._paths = {self._place(path) for path in paths}

    def of(self, query: Query, ranked: Scored) -> tuple[tuple[str, float], ...]:
        """Places and scores, best first; each place once, by its best passage."""
        self._learn([id_ for id_, _ in ranked if id_ not in self._known])
        spans = self.spans(query)
        best: dict[str, float] = {}
        for id_, score in ranked:
            if id_ not in self._known:
                continue
            path, start, end = self._known[id_]
            hit = [name for name, span in spans if covers((path, start, end), span)]
            own = self._place(path)
            if spans and own not in query.relevant:
                own = f"{path}@{start}-{end}"
            for place in hit or [own]:
                best.setdefault(place, score)
        return tuple(best.items())

    def exists(self, place: str) -> bool:
        """Whether the collection has the document that ``place`` is of."""
        span = _SPAN.fullmatch(place)
        return place in self._paths or (span is not None and span[1] in self._paths)

    def spans(self, query: Query) -> list[tuple[str, tuple[str, int, int]]]:
        """The query's judged spans, each by name: path, start and end."""
        found = (
            (name, _SPAN.fullmatch(name)) for name in query.relevant if name not in self._paths
        )
        return [(name, (m[1], int(m[2]), int(m[3]))) for name, m in found if m]

    def _place(self, path: str) -> str:
        return path.partition("#")[0] if self._pages else path

    def _learn(self, ids: list[str]) -> None:
        for id_, chunk in self._collection.fetch(ids).items():
            self._known[id_] = (chunk.path, chunk.start, chunk.end)


def covers(hit: tuple[str, int, int], span: tuple[str, int, int]) -> bool:
    """Whether the passage ``hit`` has half of ``span``, or lies half in it."""
    shared = min(hit[2], span[2]) - max(hit[1], span[1])
    shorter = min(hit[2] - hit[1], span[2] - span[1])
    return hit[0] == span[0] and shared > 0 and 2 * shared >= shorter
