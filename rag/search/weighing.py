"""What is known of each candidate for a question, whichever retriever found it, as features.

Every candidate has a score of every retriever: exact ones are looked up, not only those that made
its list. Where a retriever cannot speak of a passage (it is in another language, or has no vector
yet), what it would be likely to say is told from the other side. Knows no weights.
"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rag.analysis import Analyser, detect, is_morpheme
from rag.index import Collection
from rag.index.matching import Matched
from rag.index.traits import Followers, Traits
from rag.search import crosslingual
from rag.search.boosts import day, decay
from rag.search.fuse import Scored, normal
from rag.settings import Settings

FEATURES = (
    "bm25", "dense", "coverage", "title", "window", "pairs", "fused", "bm25_rank", "dense_rank",
    "freshness",
)  # fmt: skip
"""What is known of a passage, each 0 to 1 or nearly.

``bm25``: its score, by the greatest that any passage could have. ``dense``: its cosine, from that
of the mean passage, 0, to the greatest possible, 1. ``coverage``, ``title``: share of the
question's terms, weighted by rarity, that the passage, or its title and headings, has. ``window``:
the largest such share within 16 words. ``pairs``: share of the question's neighbouring terms that
stand as near to each other in the passage. ``fused``: the score of another fusion before, min-max
normalised. ``bm25_rank``, ``dense_rank``: 10 / (9 + rank) in these lists, 0 outside.
``freshness``: 1 halved for every ``recency_days`` of age, if these are set.
"""
Row = NDArray[np.float64]
_LEXICAL = [FEATURES.index(name) for name in ("bm25", "coverage", "title", "window", "pairs")]
_DENSE = FEATURES.index("dense")
_FARTHEST = 4
"""Places between neighbours of a question, at most."""
_RANKS = 10
_FEW = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the retrievers had it.

    ``spoken`` are the languages that its words were looked up in, ``vector`` is its own, if it has
    one, and ``languages`` say of passages which group of languages they are of, where there are
    several.
    """

    text: str
    matched: Matched
    spoken: tuple[str, ...] = ()
    vector: NDArray[np.float32] | None = None
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def own(self) -> str:
        """Its language; English if no passage is in it."""
        language = detect(self.text)
        there = any(language in group for group in self.languages.values())
        return language if there else "en"

    @property
    def foreign(self) -> frozenset[str]:
        """Passages that its own words cannot be expected in."""
        own = self.own if self.languages else ""
        return frozenset(id_ for id_, group in self.languages.items() if own not in group)


def features(
    collection: Collection,
    analyser: Analyser,
    question: Question,
    ids: Sequence[str],
    stages: Mapping[str, Scored],
    parameters: Mapping[str, float],
    space: str | None,
    freshness: Mapping[str, float],
) -> dict[str, Row]:
    """What is known of each of the passages ``ids``, in the order of ``FEATURES``.

    Parameters
    ----------
    stages
        The lists so far: ``bm25``, ``dense`` and ``fused``, where there are such.
    parameters, space
        BM25's, and the encoder whose vectors are asked.
    freshness
        Of each passage, where it is known.
    """
    following = followers(analyser, question.text, question.spoken, question.matched)
    traits = collection.traits(question.matched, following, ids, **parameters)
    cosines: Mapping[str, float] = {}
    least, languages = 0.0, question.languages
    if (vector := question.vector) is not None:
        if languages:
            rest = [id_ for id_ in ids if id_ not in languages]
            languages = {**languages, **crosslingual.groups(collection, vector, rest, space)}
        cosines, least = crosslingual.cosines(collection, vector, ids, languages, space)
    found = rows(ids, traits, cosines, least, stages, freshness)
    foreign = replace(question, languages=languages).foreign
    known = {id_ for id_, _ in stages.get("dense", ())}
    mask = np.array([id_ in foreign for id_ in ids], np.bool_)
    own = np.array([id_ in known for id_ in ids], np.bool_) & ~mask
    return dict(zip(ids, completed(found, mask, own), strict=True))


def freshness(collection: Collection, settings: Settings, ids: Sequence[str]) -> dict[str, float]:
    """How fresh each passage's document is, where settings say how fast they age."""
    if not settings.recency_days:
        return {}
    about = collection.about(ids)
    dates = {id_: day(a.metadata.get(settings.recency_field, "")) for id_, a in about.items()}
    return decay(dates, settings.recency_days)


def bounds(
    collection: Collection,
    question: Question,
    parameters: Mapping[str, float],
    space: str | None,
) -> dict[str, tuple[float, float]]:
    """The least and the greatest score that each retriever could give: of cosines, the mean
    passage's counts as the least.
    """
    most = collection.traits(question.matched, {}, [], **parameters).most
    found = {"bm25": (0.0, most)}
    if question.vector is not None:
        shifts = crosslingual.expected(collection, question.vector, space)
        found["dense"] = (sum(shifts.values()) / len(shifts) if shifts else 0.0), 1.0
    return found


def followers(analyser: Analyser, text: str, languages: Names[str], matched: Matched) -> Followers:
    """Which of the question's terms follow each other, and how far behind.

    Stop words count as places. Morphemes follow morphemes, bigrams bigrams. A term that no passage
    has is where the nearest that one has is.
    """
    words = frozenset(matched.words)
    places: set[tuple[int, str]] = set()
    for language in ("en", *languages):
        for term, at in analyser.positions(text, language):
            known = matched.corrected.get(term, (term,))
            places.update((at, near) for near in known if near in words)
    found: dict[str, tuple[str, int]] = {}
    before: dict[bool, list[tuple[int, str]]] = {True: [], False: []}
    for at, term in sorted(places, reverse=True):
        kind = before[is_morpheme(term)]
        after = next(((p, t) for p, t in reversed(kind) if p > at and t != term), None)
        if after and after[0] - at <= _FARTHEST:
            found[term] = after[1], after[0] - at
        kind.append((at, term))
    return found


def rows(
    ids: Sequence[str],
    traits: Traits,
    cosines: Mapping[str, float],
    least: float,
    stages: Mapping[str, Scored],
    freshness: Mapping[str, float],
) -> Row:
    """Features ``(n, len(FEATURES)) float64``; of a passage without ``cosines``, NaN for dense.

    ``least`` is the cosine that counts 0.
    """
    width = max(1 - least, 1e-9)
    fused = normal(stages.get("fused", []))
    columns = {
        "bm25": traits.score / (traits.most or 1.0),
        "dense": [(cosines[id_] - least) / width if id_ in cosines else np.nan for id_ in ids],
        "coverage": traits.coverage,
        "title": traits.heading,
        "window": traits.window,
        "pairs": traits.pairs,
        "fused": [fused.get(id_, 0.0) for id_ in ids],
        "freshness": [freshness.get(id_, 0.0) for id_ in ids],
    }
    for leg in ("bm25", "dense"):
        ranks = {id_: rank for rank, (id_, _) in enumerate(stages.get(leg, []))}
        found = (_RANKS / (_RANKS + ranks[id_]) if id_ in ranks else 0.0 for id_ in ids)
        columns[f"{leg}_rank"] = list(found)
    return np.array([columns[name] for name in FEATURES], np.float64).T.reshape(-1, len(FEATURES))


def completed(found: Row, foreign: NDArray[np.bool_], own: NDArray[np.bool_]) -> Row:
    """``found`` with what the retrievers could not say.

    A ``foreign`` passage, in a language that the question's words are not of, has what passages as
    near to the question in its ``own`` language have on average, if that is more. One without a
    vector is as near as others with such a lexical score.
    """
    out = found.copy()
    dense = out[:, _DENSE]
    unknown = np.isnan(dense)
    lexical = out[:, _LEXICAL[0]]
    dense[unknown] = likely(lexical[~unknown], dense[~unknown], lexical[unknown])
    if own.any():
        for at in _LEXICAL:
            told = likely(dense[own], out[own, at], dense[foreign])
            out[foreign, at] = np.maximum(out[foreign, at], told)
    return out


def likely(x: Row, y: Row, at: Row) -> Row:
    """``y`` at other values of ``x``, by least squares, within what was seen; 0 if nothing was."""
    if not len(x):
        return np.zeros(len(at))
    spread = x - x.mean()
    slope = 0.0
    if len(x) >= _FEW and (square := float(spread @ spread)) > 0:
        slope = max(float(spread @ y) / square, 0.0)
    told = y.mean() + slope * (at - x.mean())
    return np.asarray(np.clip(told, y.min(), y.max()), np.float64)
