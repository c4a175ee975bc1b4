"""Retrievers that people know, each with its own tokenisation and defaults, to measure against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import DependencyMissing
from rag.search.fuse import Scored, ranked
from rag.types import Chunk

Score = Callable[[str], NDArray[Any]]


class Baseline:
    """Ranks ``passages``, in memory, as the library's own introduction does it.

    Raises
    ------
    DependencyMissing
        The library is not installed.
    """

    def __init__(self, name: str, passages: Sequence[Chunk]) -> None:
        self._ids = [p.id for p in passages]
        try:
            self._score = _LIBRARIES[name]([p.context for p in passages])
        except ImportError as e:
            raise DependencyMissing(name, "eval") from e

    def rank(self, query: str, top_k: int) -> Scored:
        """The best ``top_k`` passages with a score; 0 is none, and rank-bm25 has some below."""
        scores = self._score(query)
        count = min(top_k, len(scores))
        if not count:
            return []
        best = np.argpartition(-scores, count - 1)[:count]
        return ranked({self._ids[i]: float(scores[i]) for i in best if scores[i]})


def _rank_bm25(texts: Sequence[str]) -> Score:
    from rank_bm25 import BM25Okapi

    index = BM25Okapi([text.lower().split() for text in texts])
    return lambda query: np.asarray(index.get_scores(query.lower().split()))


def _bm25s(texts: Sequence[str]) -> Score:
    import bm25s

    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)

    def score(query: str) -> NDArray[Any]:
        (tokens,) = bm25s.tokenize([query], return_ids=False, show_progress=False)
        known = [t for t in tokens if t in index.vocab_dict]
        return np.asarray(index.get_scores(known)) if known else np.zeros(len(texts))

    return score


def _scikit_learn(texts: Sequence[str]) -> Score:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(texts)
    return lambda query: (matrix @ vectorizer.transform([query]).T).toarray()[:, 0]


_LIBRARIES: dict[str, Callable[[Sequence[str]], Score]] = {
    "rank-bm25": _rank_bm25,
    "bm25s": _bm25s,
    "scikit-learn": _scikit_learn,
}
NAMES = tuple(_LIBRARIES)
