"""Questions with what is known of their answers, and the documents to find them in.

Knows no file format (`eval.formats`) and no system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from rag.types import Document


@dataclass(frozen=True, slots=True)
class Query:
    """A question and its judgements.

    Attributes
    ----------
    relevant
        Grade of each judged place; above 0 is relevant. A place is a document's ``path``, the
        page of such a path (``Dataset.pages``), or ``path@start-end`` for characters of it.
    answers
        Accepted answers, all equally right; empty where none is known.
    answerable
        False where the documents are known to hold no answer.
    labels
        What it may be grouped by: ``language``, ``kind``, ``provenance``.
    """

    id: str
    text: str
    relevant: Mapping[str, int] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    answerable: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def right(self) -> tuple[str, ...]:
        """The relevant places."""
        return tuple(place for place, grade in self.relevant.items() if grade > 0)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Queries over documents.

    Attributes
    ----------
    documents
        The corpus; empty where the questions are about a collection that exists already.
    pages
        The judgements name pages: a document's path up to ``#``; its best passage counts.
    warnings
        What of the source was left out, and why.
    """

    name: str
    queries: tuple[Query, ...]
    documents: tuple[Document, ...] = ()
    pages: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[Query, ...]:
        """The queries that have a relevant place."""
        return tuple(q for q in self.queries if q.right)

    def sample(self, limit: int | None, seed: int = 0) -> Dataset:
        """At most ``limit`` queries, chosen at random but the same for a seed, in their order."""
        if limit is None or limit >= len(self.queries):
            return self
        chosen = np.random.default_rng(seed).permutation(len(self.queries))[:limit]
        return replace(self, queries=tuple(self.queries[i] for i in sorted(chosen)))

    def halves(self, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """The queries parted at random, ``share`` of them in the first, with all documents."""
        order = np.random.default_rng(seed).permutation(len(self.queries))
        first = set(order[: round(share * len(order))].tolist())
        parts = [
            tuple(q for i, q in enumerate(self.queries) if (i in first) == wanted)
            for wanted in (True, False)
        ]
        return replace(self, queries=parts[0]), replace(self, queries=parts[1])
