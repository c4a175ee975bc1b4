"""The language is what the counts of each script's characters say, whichever way they are found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.analysis import detect

TEXT = st.text(st.sampled_from("abéя가힣ㄱあカ一鿿豈 1.・゛ー\U0001f600"), max_size=40)


def counted(text: str) -> str:
    """By the docstring: a script wins with an eighth of the letters."""
    names = [unicodedata.name(c, "") for c in text]
    letters = sum(unicodedata.category(c).startswith("L") for c in text)
    hangul = sum(name.startswith("HANGUL") for name in names)
    kana = sum("\u3040" <= c <= "\u30ff" for c in text)
    han = sum(name.startswith("CJK") for name in names)
    if not letters:
        return "und"
    if max(hangul, kana + han) * 8 < letters:
        return "en"
    if hangul >= kana + han:
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
    assert detect(text) == counted(text)


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
    ],
)
def test_by_value(text: str, language: str) -> None:
    assert detect(text) == language
