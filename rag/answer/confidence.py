"""How likely the hits hold an answer, from what retrieval shows and from the sentences found.

`confidence` knows retrieval alone and tells other matters from one's own. `standing` adds what the
best sentences show, and is the calibrated probability by which an answer is given, given with a
warning, or refused (settings ``vague_confidence`` and ``min_confidence``). Knows no language model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rag import analysis
from rag.answer.evidence import Evidence
from rag.answer.extract import Ranked
from rag.answer.signs import signs
from rag.answer.tongue import script
from rag.errors import RagError
from rag.search import Searcher, crosslingual
from rag.search.languages import NOWHERE
from rag.types import SearchResult

_SIGNS = (-0.128, 2.332, -3.781, -1.324, 0.488, -0.725, -2.119, -2.206, -2.048, -0.906, -0.373,
          -1.433, 0.776, 1.773, 4.841, -0.471, 1.426)  # fmt: skip
_BIAS = -1.533
_LEXICAL = (1.47, 2.423, -4.219, -1.223, 1.874, -0.751, -2.068, -2.164, -2.173, -0.91, -0.497,
            -1.509, 0.85)  # fmt: skip
_LEXICAL_BIAS = -0.355
"""Logistic regressions on `rag.answer.signs`, with and without an encoder, learnt from 3,958
questions of SQuAD 2.0 dev, half of them without an answer (``eval/LOG.md``)."""
_ELSEWHERE, _HERE = 0.15, 0.3
"""Confidence of retrieval by which a question is on other matters, or on the collection's own."""
_STATED = 0.2
"""A sentence with all of the question's terms answers it with this probability at least: in a small
collection there is no average passage to tell likeness by."""
_FAR, _CLOSE = 0.08, 0.42
"""The same for a question in another script, whose words no passage has."""


def confidence(searcher: Searcher, result: SearchResult) -> float:
    """0 to 1: the mean of coverage and similarity, or coverage alone without an encoder.

    Coverage is the share of the question's terms, weighted by rarity, that the best hit has.
    Similarity is the best cosine, as a share of the way from the average passage's cosine to 1.
    """
    asked = searcher.parse(result.query).text
    return _retrieved(searcher, result, asked, _average(searcher, asked))


def _retrieved(
    searcher: Searcher, result: SearchResult, asked: str, average: float | None
) -> float:
    """``confidence``, given the question's text and its cosine to the average passage."""
    language = analysis.detect(result.hits[0].chunk.text) if result.hits else "en"
    weights = searcher.collection.idf(analysis.terms(asked, language))
    total = sum(weights.values())
    covered = 0.0
    for hit in result.hits:
        terms = weights.keys() & analysis.terms(hit.chunk.context, language)
        covered = max(covered, sum(weights[t] for t in terms))
    coverage = covered / total if total else 0.0
    cosines = [hit.scores["dense"] for hit in result.hits if "dense" in hit.scores]
    if average is None or not cosines:
        return coverage
    similarity = (max(cosines) - average) / max(1 - average, 1e-9)
    return (coverage + min(max(similarity, 0.0), 1.0)) / 2


def standing(
    searcher: Searcher,
    result: SearchResult,
    evidence: Evidence,
    found: Sequence[Ranked],
    weights: Mapping[str, float],
) -> float:
    """0 to 1: the probability that the best sentences answer the question.

    Calibrated on SQuAD 2.0 dev, where half the questions have an answer; lowered where retrieval
    says that the question is on other matters. Where question and best sentence are in different
    scripts, words say nothing, and retrieval alone decides.

    Parameters
    ----------
    found, weights
        As `rag.answer.extract.ranked` gives and takes them; 0 without sentences.
    """
    if not found:
        return 0.0
    asked = searcher.parse(result.query).text
    average = _average(searcher, asked)
    retrieval = _retrieved(searcher, result, asked, average)
    if script(asked) != script(found[0].sentence.text):
        return _share(retrieval, _FAR, _CLOSE)
    rarest = searcher.collection.idf([NOWHERE])[NOWHERE]
    seen = signs(asked, evidence, found, weights, rarest, average)
    similar = len(seen) == len(_SIGNS)
    learnt = _SIGNS if similar else _LEXICAL
    logit = float(seen @ np.array(learnt)) + (_BIAS if similar else _LEXICAL_BIAS)
    probability = 1 / (1 + float(np.exp(-logit)))
    best = found[0].sentence
    if not weights.keys() - (best.terms | evidence.above(best.n)):
        probability = max(probability, _STATED)
    return _share(retrieval, _ELSEWHERE, _HERE) * probability


def _average(searcher: Searcher, asked: str) -> float | None:
    """The cosine of the question to the average passage, if the searcher compares by meaning."""
    if searcher.encoder is None:
        return None
    try:
        vector = searcher.encoder.query(asked)
    except RagError:
        return None
    means = crosslingual.expected(searcher.collection, vector, searcher.space).values()
    return sum(means) / len(means) if means else None


def _share(value: float, low: float, high: float) -> float:
    """How far ``value`` is on the way from ``low`` to ``high``, 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
