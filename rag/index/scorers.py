"""The formulas: what a term is worth in a passage. Knows numbers only, no postings and no text.

Every scorer has the one form that the compiled search adds up: a posting that counts ``x`` in a
passage of length ``l`` is worth ``weight * x / (a * x + c + s * l)``, and a constant comes to all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rag.errors import BadQuery

Kind = Literal["bm25", "okapi", "bm25+", "bm25l", "atire", "tfidf", "sublinear", "impact"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_LEAST = 1e-9


@dataclass(frozen=True)
class Statistics:
    """What is known of all living passages: their number, and how many terms they have.

    ``dfs`` gives how many have each term that any has, in no order.
    """

    n: int
    body: int
    head: int
    dfs: Callable[[], NDArray[np.int64]]

    def mean_length(self, head_weight: float) -> float:
        return (self.body + head_weight * self.head) / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Form:
    """A scorer over a collection: ``(a, c, s)``, how frequencies count, and what bounds hold for.

    ``norms``: passages have, in place of lengths, the lengths of their vectors; what bounds hold
    for is then empty, for none outlasts a change.
    """

    constants: tuple[float, float, float]
    counting: tuple[str, float]
    bounding: tuple[Any, ...]
    head_weight: float = 1.0
    mean_length: float = 1.0
    norms: bool = False

    def count(self, book: NDArray[Any]) -> NDArray[np.float32]:
        """What each row of a book of frequencies counts."""
        how, head_weight = self.counting
        if how == "impact":
            return np.asarray(book[:, 0], np.float32)
        x = book[:, 0] + head_weight * book[:, 1]
        if how == "sublinear":
            x = 1 + np.log(np.maximum(x, _LEAST))
        return np.asarray(x, np.float32)


@dataclass(frozen=True, slots=True)
class Scorer:
    """How a question is scored.

    Attributes
    ----------
    kind
        ``bm25``: Robertson and Zaragoza (2009), eq. 3.15, with Lucene's never negative
        ``idf = ln(1 + (N - df + 0.5) / (df + 0.5))`` and, as Lucene, without the factor
        ``k1 + 1``. ``okapi``: rank-bm25's ``BM25Okapi``. ``bm25+``, ``bm25l``: Lv and Zhai (2011),
        as bm25s has them (rank-bm25's ``BM25L`` multiplies by the frequency once more).
        ``atire``: Trotman et al. (2014). ``tfidf``, ``sublinear``: the cosine of scikit-learn's
        ``TfidfVectorizer``, without and with ``sublinear_tf``.
        ``impact``: the dot product of learned weights.
    k1, b
        BM25's parameters.
    delta, epsilon
        Of ``bm25+`` and ``bm25l``, and of ``okapi``; ``None``: rank-bm25's default.
    head_weight
        How often a term in title or headings counts, as against one in the text: BM25F, Robertson,
        Zaragoza and Taylor (2004), with one ``b``. Weighted sums of two BM25s lost against it
        (``eval/LOG.md``).
    """

    kind: Kind = "bm25"
    k1: float = 1.2
    b: float = 0.75
    delta: float | None = None
    epsilon: float = 0.25
    head_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadQuery(f"a scorer is one of {', '.join(KINDS)}, not '{self.kind}'")

    @property
    def _delta(self) -> float:
        usual = {"bm25+": 1.0, "bm25l": 0.5}.get(self.kind, 0.0)
        return usual if self.delta is None else self.delta

    def form(self, of: Statistics) -> Form:
        if self.kind == "impact":
            return Form((0, 1, 0), ("impact", 1), ("impact",))
        if self.kind in ("tfidf", "sublinear"):
            how = (self.kind, 1.0)
            return Form((0, 0, 1), how, (), norms=True)
        mean = of.mean_length(self.head_weight)
        k1 = self.k1 + (self._delta if self.kind == "bm25l" else 0)
        constant, slope = max(k1 * (1 - self.b), _LEAST), k1 * self.b / max(mean, _LEAST)
        bounding = ("bm25", k1, self.b, self.head_weight)
        counting = ("count", self.head_weight)
        return Form((1, constant, slope), counting, bounding, self.head_weight, mean)

    def weights(
        self, dfs: Sequence[int], times: Iterable[float], of: Statistics
    ) -> tuple[list[float], float]:
        """The weight of each term that ``dfs`` passages have and that the question has ``times``;
        and what is added to every score.
        """
        if self.kind == "impact":
            return list(times), 0.0
        idfs = self.idfs(dfs, of)
        weights = [idf * t for idf, t in zip(idfs, times, strict=True)]
        if self.kind in ("tfidf", "sublinear"):
            if self.kind == "sublinear":
                logs = (1 + math.log(t) if t > 1 else t for t in times)
                weights = [idf * t for idf, t in zip(idfs, logs, strict=True)]
            length = math.sqrt(sum(w * w for w in weights)) or 1.0
            return [w * idf / length for w, idf in zip(weights, idfs, strict=True)], 0.0
        if self.kind == "bm25":
            return weights, 0.0
        k1, delta = self.k1, self._delta
        if self.kind == "bm25+":
            return [w * (k1 + 1) for w in weights], delta * sum(weights)
        if self.kind == "bm25l":
            # (k1 + 1) (c + delta) / (k1 + c + delta), less what it is at c = 0, with c = x / B
            share = (k1 + 1) / ((k1 + delta) or 1.0)
            return [w * share * k1 for w in weights], share * delta * sum(weights)
        return [w * (k1 + 1) for w in weights], 0.0

    def idfs(self, dfs: Sequence[int], of: Statistics) -> list[float]:
        """How much terms that so many passages have tell; 0 for one that none has."""
        n = of.n
        if self.kind in ("tfidf", "sublinear"):
            return [math.log((1 + n) / (1 + df)) + 1 if df else 0.0 for df in dfs]
        if self.kind == "bm25+":
            return [math.log((n + 1) / df) if df else 0.0 for df in dfs]
        if self.kind == "bm25l":
            return [math.log((n + 1) / (df + 0.5)) if df else 0.0 for df in dfs]
        if self.kind == "atire":
            return [math.log(n / df) if df else 0.0 for df in dfs]
        if self.kind == "okapi":
            floor = self.epsilon * self._mean_idf(of)
            idfs = [math.log((n - df + 0.5) / (df + 0.5)) if df else 0.0 for df in dfs]
            return [floor if idf < 0 else idf for idf in idfs]
        return [math.log1p((n - df + 0.5) / (df + 0.5)) for df in dfs]

    @staticmethod
    def _mean_idf(of: Statistics) -> float:
        dfs = of.dfs()
        return float(np.log((of.n - dfs + 0.5) / (dfs + 0.5)).mean()) if len(dfs) else 0.0
