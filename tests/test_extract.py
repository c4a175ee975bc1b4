from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.answer.evidence import Evidence
from rag.answer.extract import Ranked, chosen, quoted, ranked
from rag.types import Chunk, Hit


def hit(n: int, text: str, title: str = "") -> Hit:
    return Hit(n, 1.0, Chunk(f"d{n}", "v", 0, 0, len(text), text, "p", title), {})


class Capitals:
    """Sees only whether a text is about capitals, in two languages."""

    name = fingerprint = "capitals"
    dim = 2

    def __init__(self) -> None:
        self.seen: list[str] = []

    def query(self, text: str) -> NDArray[np.float32]:
        about = any(word in text.lower() for word in ("capital", "수도", "seat"))
        return np.array([about, not about], np.float32)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        return np.stack([self.query(text) for text in texts])


def best(question: str, weights: dict[str, float], *hits: Hit, encoder: object = None) -> str:
    evidence = Evidence(hits, encoder)  # type: ignore[arg-type]
    return ranked(question, evidence, weights)[0].sentence.text


def test_scores_by_value() -> None:
    found = ranked(
        "tea water", Evidence([hit(1, "Tea is hot. Water is wet.")]), {"tea": 3.0, "water": 1.0}
    )
    # own terms, 0.3 of the neighbours' (here all), 0.3 for the first passage
    assert [(r.sentence.text, pytest.approx(r.score)) for r in found] == [
        ("Tea is hot.", 0.75 + 0.3 + 0.3),
        ("Water is wet.", 0.25 + 0.3 + 0.3),
    ]
    assert found[0].near == {"tea", "hot", "water", "wet"}


def test_titles_count_and_are_not_quoted() -> None:
    one = hit(1, "Busan\n\nIts harbour is large.", "Busan")
    other = hit(2, "A harbour is large.", "Oslo")
    weights = {"busan": 1.0, "harbour": 1.0}
    assert best("Busan harbour", weights, other, one) == "Its harbour is large."


def test_a_sentence_that_asks_comes_after_one_that_tells() -> None:
    faq = hit(1, "How is black tea made? Black tea is made with water.")
    weights = {"black": 1.0, "tea": 1.0, "made": 1.0}
    assert best("How is black tea made?", weights, faq) == "Black tea is made with water."


def test_meaning_decides_where_no_term_is_shared() -> None:
    encoder = Capitals()
    texts = "Busan has a harbour. Seoul is the capital. Tea is grown in Boseong."
    assert best("한국의 수도는?", {"한국": 1.0}, hit(1, texts), encoder=encoder) == (
        "Seoul is the capital."
    )
    assert len(encoder.seen) == 3


def test_a_sentence_is_encoded_once() -> None:
    encoder = Capitals()
    evidence = Evidence([hit(1, "Seoul is the capital. Tea is hot.")], encoder)
    ranked("capital", evidence, {"capit": 1.0})
    ranked("seat", evidence, {"seat": 1.0})
    assert evidence.cosines("capital", evidence.sentences) == pytest.approx([1.0, 0.0])
    assert sorted(encoder.seen) == ["Seoul is the capital.", "Tea is hot."]


def test_the_second_only_where_it_comes_near() -> None:
    sentences = Evidence([hit(1, "Tea is hot. Tea is wet. Tea is dry.")]).sentences
    scores = (1.0, 0.8, 0.79)
    found = [
        Ranked(s, score, frozenset(), None) for s, score in zip(sentences, scores, strict=True)
    ]
    assert [s.text for s in chosen(found)] == ["Tea is hot.", "Tea is wet."]
    assert [s.text for s in chosen([found[0], found[2]])] == ["Tea is hot."]
    assert chosen([]) == ()


def test_quotations_carry_markers_and_no_brackets_like_them() -> None:
    evidence = Evidence([hit(1, "Tea is\nhot [3]."), hit(2, "물은 차다.")])
    assert quoted(evidence.sentences) == "Tea is hot (3). [1] 물은 차다. [2]"


def test_what_two_passages_say_alike_is_quoted_once() -> None:
    evidence = Evidence([hit(1, "Tea is hot."), hit(2, "Tea  is hot."), hit(3, "Hot tea is good.")])
    quotes = chosen(ranked("hot tea", evidence, {"tea": 1.0, "hot": 1.0}))
    assert [(q.n, q.text) for q in quotes] == [(1, "Tea is hot."), (3, "Hot tea is good.")]
