"""The language is what the counts of each script's characters say, whichever way they are found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.analysis import detect

TEXT = st.text(st.sampled_from("abéя가힣ㄱあカ一鿿豈 1.・゛ー\U0001f600"), max_size=40)


def counted(text: str) -> str:
    """By the docstring: a script wins with an eighth of the letters; else the model is asked."""
    names = [unicodedata.name(c, "") for c in text]
    letters = sum(unicodedata.category(c).startswith("L") for c in text)
    hangul = sum(name.startswith("HANGUL") for name in names)
    kana = sum("\u3040" <= c <= "\u30ff" for c in text)
    han = sum(name.startswith("CJK") for name in names)
    if not letters:
        return "und"
    if max(hangul, kana + han) * 8 < letters:
        return "asked"
    if hangul >= kana and hangul * 4 >= han:
        return "ko"
    return "ja" if kana * 10 >= han else "zh"


@given(TEXT)
@example("a" * 8 + "가")
@example("a" * 7 + "가")
@example("가" + "あ")
@example("一" * 10 + "あ")
@example("一" * 11 + "あ")
@example("・")
def test_is_what_counting_says(text: str) -> None:
    expected, found = counted(text), detect(text)
    assert found == expected or (expected == "asked" and found not in ("ko", "ja", "zh", "und"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (" \n12,", "und"),
        ("1 ・ 2", "und"),
        ("\U0001f600", "und"),
        ("def f(x): return x", "en"),
        ("naïve café", "en"),
        ("x" * 1000 + " 한국어", "en"),
        ("pip install saem 하면 설치된다", "ko"),
        ("ㅋㅋㅋ", "ko"),
        ("RAG の検索", "ja"),
        ("RAG 检索", "zh"),
        ("大韓民國의 憲法은 國民의 權利를 정한다", "ko"),
        ("韩国语 한국", "ko"),
        ("这个词在韩国语里的意思是 한국", "zh"),
        ("ｶﾀｶﾅ", "ja"),
        ("install", "en"),
        ("docker compose up", "en"),
        ("The Häuser of the town", "en"),
        ("Die Häuser sind groß, und das Wetter ist heute schön.", "de"),
        ("Les maisons sont belles et nous allons au marché ce matin.", "fr"),
        ("Las casas son bonitas y mañana vamos al mercado.", "es"),
        ("Le case sono belle e domani andiamo al mercato della città.", "it"),
        ("As casas são bonitas e amanhã vamos à feira com os meninos.", "pt"),
        ("De huizen zijn mooi en morgen gaan wij naar de markt.", "nl"),
        ("Husen är vackra och i morgon går vi till torget.", "sv"),
        ("Дома красивые, а завтра мы пойдём на рынок.", "ru"),
        ("Domy są piękne, a jutro pójdziemy na targ.", "pl"),
        ("Τα σπίτια είναι όμορφα", "el"),
    ],
)
def test_by_value(text: str, language: str) -> None:
    assert detect(text) == language
