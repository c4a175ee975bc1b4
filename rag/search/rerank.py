"""Puts the best passages in order once more, by a weighted sum of what is at hand.

Needs no model. The weights come with this module, from the settings, or from `rag tune`, which
learns them. Knows passages, terms and scores only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rag import analysis
from rag.analysis import detect
from rag.errors import ConfigError
from rag.search.fuse import Scored
from rag.types import Chunk

FEATURES = ("fused", "bm25", "dense", "coverage", "title", "pairs", "window")
"""What is known of a passage, each 0 to 1.

``fused``, ``bm25``, ``dense``: the scores so far, min-max normalised over their lists.
``coverage``, ``title``: share of the question's terms, weighted by rarity, that the passage, or its
title and headings, has. ``pairs``: share of the question's neighbouring terms that follow each
other in the passage, too. ``window``: how close together the question's terms stand, at best.
"""
DEFAULT: Mapping[str, float] = MappingProxyType(
    {"fused": 0.5, "bm25": 0.3, "dense": 1.0, "coverage": 0.7, "pairs": 1.0}
)
"""Learned on 600 questions each of KorQuAD and SQuAD (``eval/LOG.md``)."""
_NEAR = 2
_LARGEST = 1000


def weights(text: str) -> dict[str, float]:
    """Weights as settings write them: ``fused=1, title=0.2``; the default ones for no text.

    Raises
    ------
    ConfigError
        A feature is unknown or a weight is no number.
    """
    if not text.strip():
        return dict(DEFAULT)
    found = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            if name not in FEATURES:
                raise ValueError
            found[name] = float(number)
            if not abs(found[name]) <= _LARGEST:  # nor NaN
                raise ValueError
        except ValueError as e:
            raise ConfigError(
                f"rerank_weights: '{part.strip()}' is no weight",
                remedy=f"Write feature=number, {-_LARGEST} to {_LARGEST}, the features being "
                + ", ".join(FEATURES),
            ) from e
    return found


def features(
    terms: Sequence[str],
    rarity: Mapping[str, float],
    chunks: Sequence[Chunk],
    stages: Mapping[str, Scored],
) -> NDArray[np.float64]:
    """Features ``(n, len(FEATURES)) float64`` of ``chunks`` for a question's ``terms``.

    Parameters
    ----------
    rarity
        BM25's weight of each term.
    stages
        The lists so far: ``fused``, and ``bm25`` and ``dense`` where there are such.
    """
    scaled = {name: normal(scored) for name, scored in stages.items()}
    rows = []
    for chunk in chunks:
        language = detect(chunk.text)
        found = analysis.terms(chunk.context, language)
        title = set(analysis.terms(" ".join((chunk.title, *chunk.heading)), language))
        places = _places(found, frozenset(terms))
        rows.append(
            (
                *(scaled.get(name, {}).get(chunk.id, 0.0) for name in FEATURES[:3]),
                _share(rarity, places.keys()),
                _share(rarity, rarity.keys() & title),
                _pairs(terms, places),
                _window(places),
            )
        )
    return np.array(rows, np.float64).reshape(len(chunks), len(FEATURES))


def linear(order: Scored, head: NDArray[np.float64], weight: Mapping[str, float]) -> Scored:
    """``order`` with its first passages, whose features are ``head``, sorted by weighted sum.

    The others follow in their order, below the first.
    """
    scores = head @ np.array([weight.get(name, 0.0) for name in FEATURES])
    count = len(head)
    best = sorted(zip((id_ for id_, _ in order), scores.tolist(), strict=False),
                  key=lambda x: (-x[1], x[0]))  # fmt: skip
    rest = order[count:]
    if not (best and rest):
        return best or rest
    shift = min(best[-1][1] - rest[0][1], 0.0)
    return best + [(id_, score + shift) for id_, score in rest]


def normal(scored: Scored) -> dict[str, float]:
    """Scores from 0, the last one's, to 1, the first one's."""
    if not scored:
        return {}
    high, low = scored[0][1], scored[-1][1]
    width = (high - low) or 1.0
    return {id_: (score - low) / width if high > low else 1.0 for id_, score in scored}


def _share(rarity: Mapping[str, float], present: Iterable[str]) -> float:
    total = sum(rarity.values())
    return sum(rarity[t] for t in present) / total if total else 0.0


def _places(found: Sequence[str], wanted: frozenset[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, term in enumerate(found):
        if term in wanted:
            places.setdefault(term, []).append(at)
    return places


def _pairs(terms: Sequence[str], places: Mapping[str, list[int]]) -> float:
    pairs = {(a, b) for a, b in pairwise(terms) if a != b}
    near = 0
    for a, b in pairs:
        after = places.get(b, [])
        for at in places.get(a, ()):
            i = bisect_left(after, at + 1)
            if i < len(after) and after[i] - at <= _NEAR:
                near += 1
                break
    return near / len(pairs) if pairs else 0.0


def _window(places: Mapping[str, list[int]]) -> float:
    """Number of the terms found, by the length of the shortest run that has them all."""
    if len(places) < 2:
        return float(len(places))
    events = sorted((at, term) for term, ats in places.items() for at in ats)
    last: dict[str, int] = {}
    shortest = np.inf
    for at, term in events:
        last[term] = at
        if len(last) == len(places):
            shortest = min(shortest, at - min(last.values()) + 1)
    return float(len(places) / shortest)
