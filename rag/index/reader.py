"""What a collection says to those who ask: searches, passages, documents, state.

Follows the generations that a writer publishes, in this process or another.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import IncompatibleIndex
from rag.index import segment
from rag.index.catalog import Catalog
from rag.index.clauses import Clause, Query
from rag.index.generations import Generation, Rows, held
from rag.index.keys import Digests
from rag.index.matching import Matched
from rag.index.means import Sums
from rag.index.meeting import Meeting
from rag.index.passages import Passages
from rag.index.rows import Encoded, Status
from rag.index.scorers import Kind
from rag.index.shares import Share
from rag.index.snapshot import Selection
from rag.index.spaces import Space, choose
from rag.index.traits import Followers, Traits
from rag.index.where import where
from rag.types import Device, Filter

Scored = list[tuple[str, float]]
"""Passage ids and scores, best first; ties by id."""
_FEW = 50
_FILTERS = 64


class Reader(Passages):
    """The reading side of the collection in ``path``; safe to share between threads."""

    def __init__(self, path: Path, catalog: Catalog, device: Device = "auto") -> None:
        super().__init__(path, catalog, device)
        self._keeping = threading.Lock()
        self._meeting = Meeting(catalog)
        self._sums = Sums()
        self._centroids: dict[str | None, tuple[int, dict[tuple[str, ...], Any]]] = {}

    def sparse(
        self,
        asked: Matched | Sequence[str],
        k: int,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        *,
        scorer: Kind = "bm25",
        **parameters: float,
    ) -> Scored:
        """The ``k`` passages that score best for a question, or bare terms, as ``Scorer`` says."""
        now, snapshot, space = self._searchable(None)
        matched = asked if isinstance(asked, Matched) else Matched(Counter(asked))
        selection = self._selection(now, space, filter, matched.bindings)
        return self._named(*snapshot.sparse(matched, k, selection, scorer, **parameters))

    def match(
        self,
        query: Query,
        filter: Filter | None = None,  # noqa: A002
        *,
        tolerant: bool = True,
    ) -> Matched:
        """What ``query`` asks here; ``tolerant``: similar terms for those that no passage has.

        Passages that ``filter`` hides lend no terms, which would tell of them.
        """
        now, snapshot, space = self._searchable(None)
        selection = self._selection(now, space, filter)
        return snapshot.match(query, selection, tolerant=tolerant)

    def unmet(self, matched: Matched, id_: str) -> tuple[Clause, ...]:
        """The bindings of ``matched`` that passage ``id_`` does not meet."""
        row = self._rows_of([id_]).get(id_, -1)
        snapshot = self._searchable(None)[1]
        return tuple(c for c in matched.bindings if row not in snapshot.allowed([c]))

    def shares(self, matched: Matched, id_: str, scorer: Kind, **parameters: float) -> list[Share]:
        """What each term and phrase adds to the score of passage ``id_``."""
        row = self._rows_of([id_]).get(id_, -1)
        return self._searchable(None)[1].shares(matched, row, scorer, **parameters)

    def traits(
        self,
        matched: Matched,
        followers: Followers,
        ids: Sequence[str],
        **parameters: float,
    ) -> Traits:
        """What each of the passages ``ids`` has of a question, whether or not a search found it.

        ``followers`` say how its terms follow each other; ``parameters`` are BM25's.
        """
        rows = self._rows_of(ids)
        numbers = np.array([rows.get(id_, -1) for id_ in ids], np.int64)
        return self._searchable(None)[1].traits(matched, followers, numbers, **parameters)

    def dense(
        self,
        vector: NDArray[np.float32],
        k: int,
        filter: Filter | None = None,  # noqa: A002
        *,
        encoder: str | None = None,
        bindings: tuple[Clause, ...] = (),
    ) -> Scored:
        """The ``k`` encoded passages nearest to ``vector``, ``(dim,) float32``, by cosine."""
        now, snapshot, space = self._searchable(encoder)
        now.fit(space, len(vector))
        selection = self._selection(now, space, filter, bindings)
        return self._named(*snapshot.dense(vector, k, selection))

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """BM25's weight of each term: how rare it is here; the highest for an unknown one."""
        return self._searchable(None)[1].idf(frozenset(terms))

    def centroids(
        self, *, encoder: str | None = None
    ) -> dict[tuple[str, ...], NDArray[np.float32]]:
        """Mean vector, ``(dim,) float32``, of the encoded passages of each language.

        Languages with fewer than ``_FEW`` vectors share one entry: the mean of all passages.
        """
        now, _, space = self._searchable(encoder)
        known = self._centroids.get(encoder)
        if known is None or known[0] != now.number:
            known = self._centroids[encoder] = now.number, self._means(now, space)
        return known[1]

    def _means(
        self, now: Generation, space: Space | None
    ) -> dict[tuple[str, ...], NDArray[np.float32]]:
        means: dict[tuple[str, ...], NDArray[np.float32]] = {}
        few, sums, counts = [], [], []
        parts = now.vectors(space)
        for language in self._meeting.languages() if parts else ():
            rows = self._meeting.rows(*where(Filter({"language": (language,)}), dead=True))
            total, count = self._sums.of(parts, language, rows)
            if count >= _FEW:
                means[language,] = (total / count).astype(np.float32)
            elif held(now.postings, rows).any():
                few.append(language)
            sums.append(total)
            counts.append(count)
        if few and sum(counts):
            means[tuple(few)] = (np.sum(sums, axis=0) / sum(counts)).astype(np.float32)
        return means

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002
        """Live passages."""
        if not filter:
            return self._current().passages
        condition, parameters = where(filter)
        sql = f"SELECT coalesce(sum(d.passages), 0) FROM documents d WHERE {condition}"
        return int(self._read.rows(sql, parameters)[0][0])

    def outstanding(self, *, encoder: str | None = None) -> int:
        """Live passages that have no vector yet."""
        now = self._current()
        return now.outstanding(choose(now.spaces, encoder))

    def unencoded(
        self, limit: int, after: int = 0, *, encoder: str | None = None
    ) -> list[tuple[int, str]]:
        """Row number, ascending from ``after``, and context of live passages without a vector."""
        now = self._current()
        rows = now.lacking(choose(now.spaces, encoder))
        start = int(np.searchsorted(rows, after, "right"))
        found = self._read.chunks(rows[start : start + limit].tolist(), time.time())
        return sorted((number, chunk.context) for number, chunk in found.items())

    def spaces(self) -> tuple[Space, ...]:
        """The encoders that the collection has vectors of, the oldest first."""
        return self._current().spaces

    def status(self) -> Status:
        """What it holds, and what is outstanding."""
        now = self._current()
        documents = self._read.rows("SELECT count(*) FROM documents WHERE died_in IS NULL")
        serving = choose(now.spaces, None)
        return Status(
            name=self.name,
            documents=int(documents[0][0]),
            passages=now.passages,
            outstanding=now.outstanding(serving),
            bytes=segment.size(self.path),
            generation=now.number,
            analyser=self._read.meta("analyser") or "",
            encoder=serving.fingerprint if serving else "",
            spaces=tuple(
                Encoded(s.fingerprint, s.name, s.state, now.outstanding(s)) for s in now.spaces
            ),
            tuned=self.tuned(),
        )

    def check(self, what: Literal["analyser", "encoder"], fingerprint: str) -> None:
        """Raise ``IncompatibleIndex`` if the collection is bound to another."""
        if what == "analyser":
            found = self._read.meta(what)
        else:
            serving = choose(self._current().spaces, None)
            found = serving.fingerprint if serving else None
        if found not in (None, fingerprint):
            raise IncompatibleIndex(what, found, fingerprint)

    def _selection(
        self,
        now: Generation,
        space: Space | None,
        filter: Filter | None,  # noqa: A002
        bindings: tuple[Clause, ...] = (),
    ) -> Selection:
        if bindings:
            return self._selection(now, space, filter) & self._bound(now, space, bindings)
        snapshot = now.snapshot(space)
        if not filter:
            return snapshot.everything
        # The dead too: the snapshot leaves out its own, and may be older than this query.
        condition, parameters = where(filter, dead=True)
        key = (space, condition, *parameters)
        if (found := now.selections.get(key)) is None:
            found = snapshot.select(self._meeting.rows(condition, parameters))
            self._keep(now, key, found)
        return found

    def _bound(
        self, now: Generation, space: Space | None, bindings: tuple[Clause, ...]
    ) -> Selection:
        """The passages that meet ``bindings``; terms are looked up beside the serving space."""
        if (found := now.selections.get((space, bindings))) is None:
            rows = now.snapshot(choose(now.spaces, None)).allowed(bindings)
            found = now.snapshot(space).select(rows)
            self._keep(now, (space, bindings), found)
        return found

    def _keep(self, now: Generation, key: tuple[Any, ...], selection: Selection) -> None:
        with self._keeping:
            if len(now.selections) >= _FILTERS:
                now.selections.pop(next(iter(now.selections)))
            now.selections[key] = selection

    def _named(self, rows: Rows, ids: Digests, scores: NDArray[np.float32]) -> Scored:
        together, digits = ids.tobytes().hex(), 2 * ids.shape[1]
        names = [together[i : i + digits] for i in range(0, len(together), digits)]
        self._seen.append((ids, rows))
        return list(zip(names, scores.tolist(), strict=True))
