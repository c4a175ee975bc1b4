"""Why a passage is not higher at a stage, in one plain sentence each. Knows no index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.analysis import shown
from rag.index.clauses import Clause
from rag.index.shares import Share
from rag.search.fuse import Scored, normal
from rag.search.weighing import FEATURES

FIRST = "nothing stands above it"
NO_TERMS = "it has none of the question's terms"
NO_VECTOR = "its vector is not there yet"
JOINED = "the rewritten queries find others better"
BOOSTED = "boosts and dates favour others"
DIVERSIFIED = "it is like a better one, or of the same document"
NOT_REACHED = "the index of the vectors does not reach it: it is approximate"


def unmet(clause: Clause) -> str:
    """Why ``clause`` excludes it."""
    named = clause.prefix + "*" if clause.kind == "prefix" else _words(t for t, _ in clause.terms)
    if clause.occur == "must":
        return f"it does not have the required '{named}'"
    return f"it has the excluded '{named}'"


def lexical(mine: Sequence[Share], first: Sequence[Share]) -> str:
    """Of two passages' shares of the same question."""
    pairs = list(zip(mine, first, strict=True))
    missing = (f.words for m, f in pairs if f.value > 0 and m.value <= 0)
    if more := list(dict.fromkeys(map(_words, missing))):
        names = ", ".join(f"'{name}'" for name in more)
        return (
            f"the first hit has {len(more)} more {'term' if len(more) == 1 else 'terms'}: {names}"
        )
    m, f = max(pairs, key=lambda pair: pair[1].value - pair[0].value)
    name = _words(f.words)
    if f.value <= m.value:
        return "the first hit scores the same"
    if f.head > m.head:
        return f"the first hit has '{name}' more often in title or headings: {f.head} to {m.head}"
    if f.body + f.head > m.body + m.head:
        return f"the first hit has '{name}' more often: {f.body + f.head} to {m.body + m.head}"
    return f"the first hit has '{name}' in fewer words, where it counts more"


def dense(mine: float, first: float) -> str:
    """Of two cosines."""
    return f"the first hit's vector is nearer to the question's: {first:.3f} to {mine:.3f}"


def costliest(
    legs: Mapping[str, Scored], weights: Mapping[str, float], mine: str, first: str
) -> str:
    """The retriever that takes most from a passage, as against the first hit, by their ids."""
    scaled = {leg: normal(scored) for leg, scored in legs.items()}
    lost = {
        leg: weights[leg] * (scores.get(first, 0.0) - scores.get(mine, 0.0))
        for leg, scores in scaled.items()
    }
    return max(lost, key=lost.__getitem__)


def weighed(
    mine: NDArray[np.float64], first: NDArray[np.float64], weights: Mapping[str, float]
) -> str:
    """Of two passages' features."""
    lost = [
        weights.get(name, 0.0) * (f - m) for name, m, f in zip(FEATURES, mine, first, strict=True)
    ]
    i = int(np.argmax(lost))
    more = "more" if first[i] > mine[i] else "less"
    return f"the first hit has {more} '{FEATURES[i]}': {first[i]:.2f} to {mine[i]:.2f}"


def preferred(model: str, mine: float, first: float) -> str:
    """Of two passages' scores by a model."""
    return f"the {model} model prefers the first hit: {first:.3f} to {mine:.3f}"


def _words(terms: Iterable[str]) -> str:
    return " ".join(map(shown, terms))
