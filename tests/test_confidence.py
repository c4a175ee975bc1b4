from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.analysis import terms
from rag.answer.confidence import confidence
from rag.answer.evidence import Evidence
from rag.answer.extract import ranked
from rag.answer.grounds import grounds
from rag.answer.signs import LEXICAL, SIMILAR, signs
from rag.errors import LLMUnavailable
from rag.search import Searcher
from rag.types import Chunk, Hit, SearchResult
from rag.workspace import Workspace

TEXT = (
    "Tea was brought to Oslo in 1903. The largest shop sells coffee. "
    "The harbour ranks above Bergen."
)


class Fixed:
    """Gives each sentence the cosine to any question that it is told to."""

    name = fingerprint = "fixed"
    dim = 2
    cosines = (0.9, 0.6, 0.7)

    def query(self, text: str) -> NDArray[np.float32]:
        return np.array([1.0, 0.0], np.float32)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([(c, math.sqrt(1 - c * c)) for c in self.cosines], np.float32)


def seen(question: str, encoder: Fixed | None = None) -> dict[str, float]:
    chunk = Chunk("d", "v", 0, 0, len(TEXT), TEXT, "p", "Norway")
    evidence = Evidence([Hit(1, 1.0, chunk, {})], encoder)
    weights = dict.fromkeys(terms(question), 2.0)
    found = ranked(question, evidence, weights)
    values = signs(question, evidence, found, weights, 4.0, 0.5 if encoder else None)
    return dict(zip((*LEXICAL, *SIMILAR), values.tolist(), strict=False))


def test_signs_by_value() -> None:
    found = seen("When was tea not brought to Lima before 1910?")
    assert found == {
        "titled": 2 / 5,  # tea, brought; not "lima", "1910", and "not" is no term; "before" is
        "near": 2 / 5,
        "passage": 2 / 5,
        "rarest": 0.5,
        "terms": 5 / 12,
        "denied": 1,
        "denied_alone": 1,
        "turned": 0,
        "undone": 0,
        "extreme": 0,
        "names": 1,
        "numbers": 1,
        "rank": 1,
    }


def test_signs_of_words_turned_round() -> None:
    assert seen("What does the smallest shop sell?")["turned"] == 1
    assert seen("What does the oldest shop sell?")["extreme"] == 1
    assert seen("What does the harbour rank below?")["turned"] == 1
    assert seen("What does the largest shop sell?")["extreme"] == 0


def test_signs_of_meaning() -> None:
    found = seen("When was tea brought?", Fixed())
    cosines = np.array([0.8, 0.2, 0.4])  # as shares of the way from 0.5 to 1
    assert found["similarity"] == pytest.approx(0.8, abs=1e-5)
    assert found["best_similarity"] == pytest.approx(0.8, abs=1e-5)
    assert found["margin"] == pytest.approx(0.4, abs=1e-5)
    spread = (0.8 - cosines.mean()) / (cosines.std() + 0.01)
    assert found["spread"] == pytest.approx(spread, abs=1e-4)


@pytest.mark.parametrize("lexical", [True, False])
def test_what_the_documents_say_stands_and_other_matters_do_not(
    saem: Workspace, lexical: bool
) -> None:
    searcher = saem.searcher()
    if lexical:
        searcher = Searcher(searcher.collection, None, searcher.settings)

    def sure(question: str) -> float:
        return grounds(searcher, searcher.search(question)).confidence

    own = sure("What does black tea need?")
    denied = sure("What does black tea not need?")
    elsewhere = sure("Who won the football cup of 1998 in Paris?")
    assert 1 > own > 0.5 > max(denied, elsewhere)
    assert min(denied, elsewhere) >= 0
    assert sure("홍차는 끓는 물이 필요한가요?") > 0.5


def test_the_best_sentence_first(saem: Workspace) -> None:
    searcher = saem.searcher()
    found = grounds(searcher, searcher.search("What does black tea need?"))
    assert found.quotes[0].text == "Black tea needs boiling water."


def test_nothing_found_is_no_ground(saem: Workspace) -> None:
    found = grounds(saem.searcher(), SearchResult("tea", "hybrid", (), 0.0))
    assert (found.quotes, found.confidence) == ((), 0.0)


def test_a_question_in_another_script_is_judged_by_retrieval(saem: Workspace) -> None:
    searcher = saem.searcher()
    result = searcher.search("middleware")
    english = tuple(h for h in result.hits if h.chunk.path == "en/cors.md")
    asked = replace(result, query="미들웨어", hits=english)
    expected = (confidence(searcher, asked) - 0.08) / (0.42 - 0.08)
    assert 0 < expected < 1
    assert grounds(searcher, asked).confidence == pytest.approx(expected)


def test_an_encoder_that_fails_leaves_words_to_decide(
    saem: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = saem.searcher()
    result = searcher.search("What does black tea need?", mode="bm25")
    alone = grounds(Searcher(searcher.collection, None, searcher.settings), result)

    def fail(*_: object) -> None:
        raise LLMUnavailable("encoder", "is down")

    monkeypatch.setattr(searcher.encoder, "passages", fail)
    monkeypatch.setattr(searcher.encoder, "query", fail)
    assert grounds(searcher, result) == alone


def test_a_sentence_with_all_the_questions_terms_is_not_refused(
    saem: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.answer.confidence._BIAS", -50.0)
    searcher = saem.searcher()
    stated = grounds(searcher, searcher.search("How hot is boiling water for black tea?"))
    whole = grounds(searcher, searcher.search("Does black tea need boiling water?"))
    assert stated.confidence < 0.01
    assert whole.confidence == pytest.approx(0.2)
