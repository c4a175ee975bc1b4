"""What a search ranked, and how: passages' ids and scores, stage by stage. Knows no passage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rag.index.matching import Matched
from rag.search.fuse import Scored
from rag.search.rewrite import Rewrite
from rag.search.weighing import Question
from rag.types import Mode


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages' ids for one query, best first, and how they came to be.

    ``order`` has all that were ranked, of which ``top_k`` were asked for. ``stages`` are the lists
    of each retriever (``bm25``, ``tfidf``, ``dense``), ``fused`` and ``reranked``, as far as there
    were such; ``milliseconds`` says what each step took. ``terms`` are the question's in order,
    without what it excludes; in place of those that no passage has, the nearest that one has.
    ``matched`` says what was looked for besides. ``features`` are what was known of each passage
    that a weighted sum has put in order, as `rag.search.weighing` names it. ``question`` is what
    was searched for, ``rewrites`` how it came to be; ``lasting`` is false where something failed
    that may do better next time.
    """

    query: str
    mode: Mode
    order: Scored
    top_k: int
    terms: list[str]
    matched: Matched
    stages: Mapping[str, Scored]
    milliseconds: Mapping[str, float]
    question: Question
    warnings: tuple[str, ...] = ()
    features: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    rewrites: tuple[Rewrite, ...] = ()
    lasting: bool = True

    @property
    def corrected(self) -> Mapping[str, tuple[str, ...]]:
        """Terms that no passage has, and those that were looked for in their place."""
        return self.matched.corrected
