"""What the passages found say to a question before any model is asked. Knows no language model."""

from __future__ import annotations

from dataclasses import dataclass

from rag.analysis import terms
from rag.answer.confidence import standing
from rag.answer.evidence import Evidence, Sentence
from rag.answer.extract import SOURCES, chosen, ranked
from rag.search import Searcher
from rag.types import SearchResult


@dataclass(frozen=True, slots=True)
class Grounds:
    """The best sentences, best first, and how likely they answer the question, 0 to 1."""

    quotes: tuple[Sentence, ...]
    confidence: float


def grounds(searcher: Searcher, result: SearchResult) -> Grounds:
    """Those of ``result``; none, with confidence 0, where its passages have no sentence."""
    evidence = Evidence(result.hits[:SOURCES], searcher.encoder)
    asked = searcher.parse(result.query).text
    weights = searcher.collection.idf(terms(asked, evidence.language))
    found = ranked(asked, evidence, weights)
    return Grounds(chosen(found), standing(searcher, result, evidence, found, weights))
