from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.textmatch import contains, exact_match, f1, normalise, without_markers


@pytest.mark.parametrize(
    ("text", "language", "normal"),
    [
        ("The Treaty, of  a State-of-the-art!", "en", "treaty of stateoftheart"),
        ("An 'A' in theory", "en", "in theory"),
        ("Tea needs water [1][2].", "en", "tea needs water"),
        ("《훈민정음》(訓民正音)은 'A'다.", "ko", "훈민정음 訓民正音 은 a 다"),
        ("〈서울〉, 3.5%의 The 집", "ko", "서울 35의 the 집"),
        ("‘따옴표’  둘", "ko", "따옴표 둘"),
        ("“다른 따옴표”", "ko", "“다른 따옴표”"),
        ("東京 Tower.", "ja", "東京 tower"),
    ],
)
def test_normalised_as_the_official_scripts_do(text: str, language: str, normal: str) -> None:
    assert normalise(text, language) == normal


def test_markers_are_no_part_of_an_answer() -> None:
    assert without_markers("Hot [1][12]. Cold [2] .") == "Hot. Cold ."
    assert without_markers("a [link] and x[i]") == "a [link] and x[i]"


@pytest.mark.parametrize(
    ("prediction", "answers", "language", "em", "best"),
    [
        ("The Eiffel Tower [1].", ["eiffel tower"], "en", 1.0, 1.0),
        # 1 of 4 words said, all of the answer's
        ("It is in Paris", ["Paris"], "en", 0.0, 2 * 0.25 * 1 / 1.25),
        ("Paris Paris", ["Paris"], "en", 0.0, 2 / 3),
        ("Rome", ["Paris", "Rome"], "en", 1.0, 1.0),
        ("Oslo", ["Paris"], "en", 0.0, 0.0),
        ("the", ["a"], "en", 1.0, 1.0),
        ("", ["Paris"], "en", 0.0, 0.0),
        ("Paris", [], "en", 0.0, 0.0),
        # KorQuAD: F1 over characters, so a particle costs little; 2 of 3
        ("서울은", ["서울"], "ko", 0.0, 2 * 2 / 5),
        # its blanks count for exact match alone
        ("서울 특별시", ["서울특별시"], "ko", 0.0, 1.0),
        ("《서울》 [2]", ["서울"], "ko", 1.0, 1.0),
    ],
)
def test_exact_match_and_f1(
    prediction: str, answers: list[str], language: str, em: float, best: float
) -> None:
    assert exact_match(prediction, answers, language) == em
    assert f1(prediction, answers, language) == pytest.approx(best)


@pytest.mark.parametrize(
    ("prediction", "answers", "language", "found"),
    [
        ("It was built in the year 1889 [1].", ["1889"], "en", 1.0),
        ("It was built in 18890.", ["1889"], "en", 0.0),
        ("A party was held.", ["art"], "en", 0.0),
        ("By Gustave Eiffel's firm", ["Eiffel"], "en", 1.0),
        ("By Gustave Eiffels firm", ["Eiffel"], "en", 0.0),
        ("An Anglo–French firm", ["French"], "en", 1.0),
        ("A well known one", ["well-known"], "en", 1.0),
        ("It costs 1,000 dollars", ["1000"], "en", 1.0),
        ("By the Gustave Eiffel firm", ["the  Eiffel firm", "Gustave Eiffel"], "en", 1.0),
        ("Anything", ["the"], "en", 0.0),
        ("Anything", [], "en", 0.0),
        ("수도는 서울입니다 [1].", ["서울"], "ko", 1.0),
        ("10월3일에 시작했다.", ["10월 3일"], "ko", 1.0),
        ("10월 13일에 시작했다.", ["3일"], "ko", 0.0),
        ("LGU는 회사이다.", ["LG"], "ko", 0.0),
        ("LG는 회사이다.", ["LG"], "ko", 1.0),
        ("부산입니다.", ["서울"], "ko", 0.0),
        ("부산입니다.", ["《》"], "ko", 0.0),
        ("値は C++ です", ["C++"], "ja", 1.0),
    ],
)
def test_contains(prediction: str, answers: list[str], language: str, found: float) -> None:
    assert contains(prediction, answers, language) == found


words = st.lists(st.sampled_from(["red", "green", "tea", "서울", "은", "1889"]), max_size=6)


@given(words, words, st.sampled_from(["en", "ko"]))
def test_f1_is_the_harmonic_mean(said: list[str], answer: list[str], language: str) -> None:
    units = [list("".join(w)) if language == "ko" else w for w in (said, answer)]
    common = sum((Counter(units[0]) & Counter(units[1])).values())
    expected = float(not units[0] and not units[1])
    if common:
        precision, recall = common / len(units[0]), common / len(units[1])
        expected = 2 * precision * recall / (precision + recall)
    found = f1(" ".join(said), [" ".join(answer)], language)
    assert found == pytest.approx(expected)


@given(words.filter(bool), words, words, st.sampled_from(["en", "ko"]))
def test_a_text_contains_its_parts(
    part: list[str], before: list[str], after: list[str], language: str
) -> None:
    whole = " ".join([*before, *part, *after])
    assert contains(whole, [" ".join(part)], language) == 1.0
    assert exact_match(whole, [" ".join(part)], language) == float(not before and not after)
