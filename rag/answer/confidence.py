"""How likely the hits hold an answer, from what retrieval itself shows.

Below ``min_confidence`` no answer is attempted. The default was measured with the default encoder
(``eval/LOG.md``): questions that a collection can answer lie above it in 95 to 99 of 100 cases; of
questions on other matters, 70 to 95 of 100 lie below.
"""

from __future__ import annotations

from rag import analysis
from rag.search import Searcher, crosslingual
from rag.types import SearchResult


def confidence(searcher: Searcher, result: SearchResult) -> float:
    """0 to 1: the mean of coverage and similarity, or coverage alone without an encoder.

    Coverage is the share of the question's terms, weighted by rarity, that the best hit has.
    Similarity is the best cosine, as a share of the way from the average passage's cosine to 1.
    """
    asked = searcher.parse(result.query).text
    language = analysis.detect(result.hits[0].chunk.text) if result.hits else "en"
    weights = searcher.collection.idf(analysis.terms(asked, language))
    total = sum(weights.values())
    covered = 0.0
    for hit in result.hits:
        terms = weights.keys() & analysis.terms(hit.chunk.context, language)
        covered = max(covered, sum(weights[t] for t in terms))
    coverage = covered / total if total else 0.0
    cosines = [hit.scores["dense"] for hit in result.hits if "dense" in hit.scores]
    if not (searcher.encoder and cosines):
        return coverage
    vector = searcher.encoder.query(asked)
    means = crosslingual.expected(searcher.collection, vector, searcher.space).values()
    if not means:
        return coverage
    average = sum(means) / len(means)
    similarity = (max(cosines) - average) / max(1 - average, 1e-9)
    return (coverage + min(max(similarity, 0.0), 1.0)) / 2
