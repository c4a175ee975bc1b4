from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.answer.evidence import Evidence
from rag.answer.verify import Verifier
from rag.errors import LLMTimeout
from rag.types import Chunk, Hit

TEXTS = (
    "Green tea is brewed at 80 degrees. Black tea needs water of 100 degrees. Ada Byron joined the "
    "museum in 1903. Ida Rhodes left Paris in 1906. The shop does not sell coffee. About 30,000 "
    "people visited the museum, 12 percent more than in 2019.",
    "서울은 한국의 수도이다. 부산은 항구 도시이며 인구는 340만 명이다. 이 공장은 2015년 3월 5일에 "
    "문을 열었다. 직원은 커피를 마시지 않는다. 환불은 구매 후 7일 이내에 가능하다.",
)


def hits(*texts: str) -> list[Hit]:
    return [
        Hit(n, 1.0, Chunk(f"d{n}", "v", 0, 0, len(text), text, "p", ""), {})
        for n, text in enumerate(texts, 1)
    ]


class Translations:
    """Encodes a claim and the sentence that says the same in another language alike."""

    name = fingerprint = "translations"
    dim = 2
    pairs = (("seoul", "서울"), ("refund", "환불"))

    def query(self, text: str) -> NDArray[np.float32]:
        return np.array([any(w in text.lower() for w in pair) for pair in self.pairs], np.float32)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.query(t) for t in texts])


def support(claim: str, n: int, encoder: Translations | None = None) -> str:
    found = hits(*TEXTS)
    (statement,) = Verifier().check(f"{claim} [{n}].", found, Evidence(found, encoder))
    return statement.support


@pytest.mark.parametrize(
    ("n", "claim", "expected"),
    [
        (1, "Green tea is brewed at 80 degrees", "supported"),
        (1, "Black tea needs water at 100 degrees", "supported"),
        (1, "Ada Byron joined the museum in 1903", "supported"),
        (1, "30 thousand people visited the museum", "supported"),
        (1, "The shop does not sell coffee", "supported"),
        (2, "한국의 수도는 서울이다", "supported"),
        (2, "부산의 인구는 3,400,000명이다", "supported"),
        (2, "공장은 2015년 3월에 문을 열었다", "supported"),
        (2, "직원은 커피를 마시지 않는다", "supported"),
        (2, "구매 후 7일 이내에 환불이 가능합니다", "supported"),
        # other numbers, or those of another sentence
        (1, "Green tea is brewed at 90 degrees", "unsupported"),
        (1, "Black tea needs water of 80 degrees", "unsupported"),
        (1, "Green tea is brewed at 80 percent", "unsupported"),
        (1, "Ada Byron joined the museum in 1911", "unsupported"),
        (1, "About 3,000 people visited the museum", "unsupported"),
        (2, "부산의 인구는 430만 명이다", "unsupported"),
        (2, "공장은 2016년 3월에 문을 열었다", "unsupported"),
        (2, "구매 후 14일 이내에 환불이 가능합니다", "unsupported"),
        # names swapped
        (1, "Ida Rhodes joined the museum in 1903", "partly"),
        (1, "Albert Camus joined the museum in 1903", "partly"),
        (2, "부산은 한국의 수도이다", "partly"),
        (2, "한국의 수도는 부산이다", "partly"),
        # denied, or turned round
        (1, "The shop sells coffee", "unsupported"),
        (1, "Green tea is not brewed at 80 degrees", "unsupported"),
        (1, "About 30,000 people visited the museum, 12 percent less than in 2019", "unsupported"),
        (2, "직원은 커피를 마신다", "unsupported"),
        # of other matters
        (1, "The moon is made of cheese", "unsupported"),
        (2, "고양이는 귀여운 동물이다", "unsupported"),
        # in another language, without an encoder
        (2, "Seoul is the capital of Korea", "unsupported"),
    ],
)
def test_by_value(n: int, claim: str, expected: str) -> None:
    assert support(claim, n) == expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("Seoul is the capital of Korea", "supported"),
        ("A refund is possible within 7 days", "supported"),
        ("A refund is possible within 9 days", "unsupported"),
        ("Coffee grows in Brazil", "unsupported"),
    ],
)
def test_an_encoder_bridges_languages_but_not_numbers(claim: str, expected: str) -> None:
    assert support(claim, 2, Translations()) == expected


def test_each_statement_with_the_passages_that_it_names() -> None:
    text = "Tea is hot. [1] Seoul [2][3].\n\n```\nx = 1 [1]\n```\nNo marker here. End"
    found = hits(*TEXTS)
    checked = Verifier().check(text, found, Evidence(found))
    assert [(text[s.start : s.end], s.cites) for s in checked] == [
        ("Tea is hot.", (1,)),
        ("Seoul [2][3].", (2, 3)),
        ("No marker here.", ()),
        ("End", ()),
    ]
    assert [s.support for s in checked[1:]] == ["unsupported"] * 3, "no passage 3, no marker"


def test_rare_terms_weigh_more() -> None:
    def rarity(asked: Sequence[str]) -> Mapping[str, float]:
        return {term: 9.0 if term == "dragon" else 1.0 for term in asked}

    found = hits("The dragon sleeps.")
    text = "A dragon snores loudly [1]."
    (alike,) = Verifier().check(text, found, Evidence(found))
    (rare,) = Verifier(rarity).check(text, found, Evidence(found))
    assert (alike.score, rare.score) == (round(1 / 3, 3), round(9 / 11, 3))


@pytest.mark.parametrize(
    ("verdict", "claim", "score"),
    [
        (0.95, "The beverage is prepared warm", 0.95),
        (0.1, "Green tea is brewed at 80 degrees", 0.1),
        (0.95, "Green tea is brewed at 81 degrees", 0.2),
        (None, "Green tea is brewed at 80 degrees", 1.0),
    ],
)
def test_a_judge_decides_all_but_numbers(verdict: float | None, claim: str, score: float) -> None:
    asked = []

    def judge(premise: str, said: str) -> float | None:
        asked.append((premise, said))
        return verdict

    found = hits(TEXTS[0])
    (statement,) = Verifier(judge=judge).check(f"{claim}. [1]", found, Evidence(found))
    assert statement.score == score
    assert asked[0][1] == f"{claim}."
    assert asked[0][0].startswith("Green tea is brewed at 80 degrees.")


def test_a_judge_that_failed_is_not_asked_again_and_words_decide() -> None:
    asked = []

    def judge(premise: str, said: str) -> float | None:
        asked.append(said)
        raise LLMTimeout("judge", 20.0)

    found = hits(TEXTS[0])
    text = "Green tea is brewed at 80 degrees [1]. The moon is a cheese [1]."
    first, second = Verifier(judge=judge).check(text, found, Evidence(found))
    assert (first.support, second.support) == ("supported", "unsupported")
    assert asked == ["Green tea is brewed at 80 degrees."]


def test_no_judge_is_asked_once_time_is_up() -> None:
    def judge(premise: str, said: str) -> float | None:
        raise AssertionError(said)

    found = hits(TEXTS[0])
    text = "Green tea is brewed at 80 degrees [1]."
    (said,) = Verifier(judge=judge).check(text, found, Evidence(found), until=time.monotonic())
    assert said.support == "supported"


@given(st.text("ab [1]2. 가나다?\n`", max_size=80))
def test_statements_lie_in_order_within_the_text(text: str) -> None:
    found = hits(*TEXTS)
    end = 0
    for statement in Verifier().check(text, found, Evidence(found)):
        assert end <= statement.start < statement.end <= len(text)
        assert 0 <= statement.score <= 1
        end = statement.end
