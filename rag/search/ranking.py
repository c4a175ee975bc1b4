"""What a search ranked, and how: passages' ids and scores, stage by stage. Knows no passage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.index.matching import Matched
from rag.search.fuse import Scored
from rag.types import Mode


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages' ids for one query, best first, and how they came to be.

    ``order`` has all that were ranked, of which ``top_k`` were asked for. ``stages`` are the lists
    of each retriever (``bm25``, ``tfidf``, ``dense``), ``fused`` and ``reranked``, as far as there
    were such; ``milliseconds`` says what each step took. ``terms`` are the question's in order,
    without what it excludes; in place of those that no passage has, the nearest that one has.
    ``matched`` says what was looked for besides.
    """

    query: str
    mode: Mode
    order: Scored
    top_k: int
    terms: list[str]
    matched: Matched
    stages: Mapping[str, Scored]
    milliseconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()

    @property
    def corrected(self) -> Mapping[str, tuple[str, ...]]:
        """Terms that no passage has, and those that were looked for in their place."""
        return self.matched.corrected
