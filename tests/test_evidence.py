from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answer.evidence import MAX_QUOTE, Evidence
from rag.types import Chunk, Hit


def hit(n: int, text: str, start: int = 0) -> Hit:
    return Hit(n, 1.0, Chunk(f"d{n}", "v", 0, start, start + len(text), text, "p", ""), {})


class Topics:
    """Encodes by topic words of two languages: what a multilingual encoder does, made plain."""

    name = fingerprint = "topics"
    dim = 3
    words = (("capital", "수도"), ("tea", "차"), ("",))

    def query(self, text: str) -> NDArray[np.float32]:
        v = np.array([any(w in text.lower() for w in ws) for ws in self.words], np.float32)
        return v / np.linalg.norm(v)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.query(t) for t in texts])


DOCUMENT = "Seoul is the capital. Busan has a harbour. Tea is grown in Boseong."


def test_quote_is_the_sentence_that_shares_most_terms() -> None:
    quote = Evidence([hit(1, DOCUMENT, 50)]).quote(1, "There is a harbour in Busan")
    assert quote is not None
    assert (quote.text, quote.start, quote.end) == ("Busan has a harbour.", 72, 92)


def test_quote_crosses_languages_by_the_encoder() -> None:
    quote = Evidence([hit(1, DOCUMENT)], Topics()).quote(1, "한국의 수도는 서울이다")
    assert quote is not None
    assert quote.text == "Seoul is the capital."


def test_support_wants_enough_shared_terms() -> None:
    evidence = Evidence([hit(1, DOCUMENT)])
    found = evidence.support("The capital is Seoul")
    assert found is not None
    assert found.text == "Seoul is the capital."
    assert evidence.support("The moon is made of green cheese and tea") is None
    assert evidence.support("") is None


def test_long_sentences_are_quoted_in_part() -> None:
    (sentence,) = Evidence([hit(1, "word " * 1000)]).sentences
    assert len(sentence.text) <= MAX_QUOTE
    assert ("word " * 1000)[sentence.start : sentence.end] == sentence.text


def test_passages_without_words_give_no_evidence() -> None:
    evidence = Evidence([hit(1, "--- *** ---")])
    assert evidence.quote(1, "anything") is None
    assert evidence.cosines("anything", evidence.sentences) is None


def test_headings_rules_and_code_are_no_evidence_beside_prose() -> None:
    text = (
        "## Tea and water\n\nTea needs water.\n\n```python\nwater = tea()\n```\n\n| --- | --- |\n"
    )
    sentences = Evidence([hit(1, text)]).sentences
    assert [s.text for s in sentences] == ["Tea needs water."]
    (only,) = Evidence([hit(1, "# Water only")]).sentences
    assert only.text == "# Water only"


def test_link_lists_are_no_evidence_beside_prose() -> None:
    text = "Tea needs water.\n\n- [Tea](tea.md): all about tea.\n- [Coffee](c.md)\n"
    assert [s.text for s in Evidence([hit(1, text)]).sentences] == ["Tea needs water."]


def test_items_are_quoted_without_their_bullets() -> None:
    text = "* Tea needs water.\n2. Coffee too.\n"
    assert [(s.start, s.text) for s in Evidence([hit(1, text)]).sentences] == [
        (2, "Tea needs water."),
        (22, "Coffee too."),
    ]


def test_titles_and_html_are_no_evidence_beside_prose() -> None:
    text = "Tea\n\nBrewing\n\nTea needs water.\n\n<div class='x'>Tea</div>\n"
    chunk = Chunk("d", "v", 0, 0, len(text), text, "p", "Tea", ("Tea", "# Brewing"))
    assert [s.text for s in Evidence([Hit(1, 1.0, chunk, {})]).sentences] == ["Tea needs water."]


def test_a_year_may_end_a_sentence() -> None:
    text = "It opened in 1999. The shop grew. See 3. The end of v1.200. 가게는 1999. 끝."
    sentences = Evidence([hit(1, text, 10)]).sentences
    assert [s.text for s in sentences] == [
        "It opened in 1999.",
        "The shop grew.",
        "See 3. The end of v1.200.",
        "가게는 1999.",
        "끝.",
    ]
    assert all(text[s.start - 10 : s.end - 10] == s.text for s in sentences)


def test_the_terms_above_a_passage() -> None:
    chunk = Chunk("d", "v", 0, 0, 5, "It is", "p", "Green tea", ("Water",), "A table")
    evidence = Evidence([Hit(1, 1.0, chunk, {})])
    assert evidence.above(1) == {"green", "tea", "water", "tabl"}
