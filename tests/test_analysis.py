"""Text to terms: by value, with exact offsets, the same in passages and questions."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import analysis
from rag.analysis import analyse, detect, matcher
from rag.analysis.latin import STOP_WORDS

WORDS = st.text(alphabet="abcDEFxyz09_é한국어の漢字ー ,.-'\n\U00020000\u1112\u1161\u11ab")


def terms(text: str) -> list[str]:
    return [t.text for t in analyse(text)]


class TestTerms:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", []),
            (" \n.,;", []),
            ("The cats are running", ["cat", "run"]),
            ("naïve CAFÉ", ["naïv", "café"]),
            ("Straße", ["strass"]),
            ("ﬁle ＡＢＣ", ["file", "abc"]),
            ("3.14", ["3", "14"]),
            ("한국어", ["한국", "국어"]),
            ("책", ["책"]),
            ("한국어 검색", ["한국", "국어", "검색"]),
            ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
            ("Python으로 작성", ["python", "으로", "작성"]),
            ("2024년 report", ["2024", "년", "report"]),
            ("___", []),
        ],
    )
    def test_by_value(self, text: str, expected: list[str]) -> None:
        assert terms(text) == expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("max_query_chars", ["max_query_char", "max", "queri", "char"]),
            ("parseConfigFile", ["parseconfigfil", "pars", "config", "file"]),
            ("getHTTPResponse", ["gethttprespons", "get", "http", "respons"]),
            ("HTTPServer", ["httpserver", "http", "server"]),
            ("__init__", ["init"]),
            ("the_end", ["the_end", "end"]),
            ("PDFs", ["pdfs"]),
            ("utf8", ["utf8"]),
            ("top_10", ["top_10", "top", "10"]),
            ("la_Été", ["la_été", "la", "été"]),
            ("an_Dé", ["an_dé", "dé"]),
        ],
    )
    def test_parts_of_names_stand_beside_the_name(self, name: str, expected: list[str]) -> None:
        assert terms(name) == expected

    def test_parts_have_their_own_offsets(self) -> None:
        found = [(t.text, t.start, t.end) for t in analyse("a parseFile")]
        assert found == [("parsefil", 2, 11), ("pars", 2, 7), ("file", 7, 11)]

    def test_stop_words_go_but_words_with_their_stems_stay(self) -> None:
        assert terms(" ".join(sorted(STOP_WORDS))) == []
        assert terms("willing wills Ares") == ["will", "will", "are"]

    def test_composed_and_decomposed_text_are_one(self) -> None:
        for text in ("한국어 검색", "café", "ガラス"):
            assert terms(unicodedata.normalize("NFD", text)) == terms(text)

    def test_decomposed_syllables_keep_their_offsets(self) -> None:
        text = unicodedata.normalize("NFD", "한국어")
        assert [unicodedata.normalize("NFC", text[t.start : t.end]) for t in analyse(text)] == [
            "한국",
            "국어",
        ]


class TestOffsets:
    @given(WORDS)
    def test_a_terms_characters_give_the_term_again(self, text: str) -> None:
        for term in analyse(text):
            assert 0 <= term.start < term.end <= len(text)
            assert term.text in terms(text[term.start : term.end])

    @given(WORDS, WORDS)
    def test_a_word_gives_the_same_terms_alone_and_in_a_passage(self, a: str, b: str) -> None:
        alone = analyse(a)
        inside = analyse(f"{b} {a}\n{b}")
        at = len(b) + 1
        found = [(t.text, t.start - at, t.end - at) for t in inside if at <= t.start < at + len(a)]
        assert found == [(t.text, t.start, t.end) for t in alone]

    @given(st.text())
    def test_any_text_can_be_analysed(self, text: str) -> None:
        for term in analyse(text):
            assert term.text
            assert 0 <= term.start < term.end <= len(text)


class TestMatches:
    def test_spans_by_value(self) -> None:
        text = "Running cats run."
        assert matcher(["run"])(text) == ((0, 7), (13, 16))

    def test_bigrams_that_overlap_become_one_span(self) -> None:
        assert matcher(terms("한국어"))("우리 한국어를 배운다") == ((3, 6),)

    def test_touching_runs_become_one_span(self) -> None:
        assert matcher(terms("python으로"))("Python으로") == ((0, 8),)

    def test_a_part_matches_inside_its_name(self) -> None:
        assert matcher(["file"])("call parseFile now") == ((10, 14),)
        assert matcher(["file", "parsefil"])("call parseFile now") == ((5, 14),)

    def test_nothing_matches_nothing(self) -> None:
        assert matcher([])("some text") == ()
        assert matcher(["some"])("") == ()

    @given(WORDS, WORDS)
    def test_spans_are_in_order_apart_and_cover_the_matching_terms(self, text: str, q: str) -> None:
        wanted = set(terms(q))
        spans = matcher(wanted)(text)
        assert all(a[1] < b[0] for a, b in pairwise(spans))
        covered = {i for start, end in spans for i in range(start, end)}
        hit = [t for t in analyse(text) if t.text in wanted]
        assert covered == {i for t in hit for i in range(t.start, t.end)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "und"),
        ("123 +-!", "und"),
        ("A quick brown fox", "en"),
        ("Быстрая лиса", "en"),
        ("빠른 갈색 여우", "ko"),
        ("FastAPI로 서버를 만드는 방법", "ko"),
        ("The Korean word 책 means book, and 물 means water, they say", "en"),
        ("すばやい狐", "ja"),
        ("東京タワーへ行く", "ja"),
        ("敏捷的棕色狐狸", "zh"),
        ("大韓民國의 헌법과 법률", "ko"),
    ],
)
def test_the_language_is_told_by_script(text: str, language: str) -> None:
    assert detect(text) == language


def test_only_hangul_han_and_kana_are_cut_into_bigrams() -> None:
    for character in "가힣ᄀㄱかカ一鿿豈\uf900\ufaff\U00020000":
        assert terms(character * 3)[1:], f"U+{ord(character):04X}"
    for character in "\ua000\uab70Яaé०":  # Yi, Cherokee, Cyrillic, Latin, Devanagari
        assert len(terms(character * 3)) == 1, f"U+{ord(character):04X}"
    assert terms("\ue000\uf8ff") == [], "private use characters are no text"


@given(st.text() | WORDS)
def test_bare_terms_are_those_of_the_analysis(text: str) -> None:
    assert analysis.terms(text) == terms(text)


@pytest.mark.parametrize("text", ["한국어 " * 50 + "가나다" * 40, "Long" * 40 + " snake_case_name"])
def test_bare_terms_of_long_runs(text: str) -> None:
    assert analysis.terms(text) == terms(text)
