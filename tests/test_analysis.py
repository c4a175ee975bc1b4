"""Text to terms: by value, with exact offsets, the same in passages and questions."""

from __future__ import annotations

import unicodedata
from functools import partial
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import analysis
from rag.analysis import Analyser, is_morpheme, load_analyser, shown
from rag.analysis.stopwords import STOP_WORDS
from rag.errors import ConfigError
from rag.settings import Settings

PLAIN = Analyser(korean="bigrams")
FULL = Analyser()
matcher = PLAIN.matcher
analyse = partial(PLAIN.analyse, language="en")
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
            ("3.14", ["3.14", "3", "14"]),
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
            ("utf8", ["utf8", "utf", "8"]),
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
        assert terms(" ".join(sorted(STOP_WORDS["en"]))) == []
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
        hit = [t for t in PLAIN.analyse(text) if t.text in wanted]
        assert covered == {i for t in hit for i in range(t.start, t.end)}


def test_only_hangul_han_and_kana_are_cut_into_bigrams() -> None:
    for character in "가힣ᄀㄱかカ一鿿豈\uf900\ufaff\U00020000":
        assert terms(character * 3)[1:], f"U+{ord(character):04X}"
    for character in "\ua000\uab70Яaé०":  # Yi, Cherokee, Cyrillic, Latin, Devanagari
        assert len(terms(character * 3)) == 1, f"U+{ord(character):04X}"
    assert terms("\ue000\uf8ff") == [], "private use characters are no text"


@given(st.text() | WORDS)
def test_bare_terms_are_those_of_the_analysis(text: str) -> None:
    for analyser in (PLAIN, FULL):
        assert analyser.terms(text) == [t.text for t in analyser.analyse(text)]
    assert analysis.terms(text) == PLAIN.terms(text)


@given(st.text() | WORDS)
def test_morphemes_stand_beside_the_terms_that_there_are_without(text: str) -> None:
    found = FULL.positions(text)
    assert [pair for pair in found if not is_morpheme(pair[0])] == PLAIN.positions(text)
    for term in FULL.analyse(text):
        assert shown(term.text)
        assert 0 <= term.start < term.end <= len(text)


@pytest.mark.parametrize("text", ["한국어 " * 50 + "가나다" * 40, "Long" * 40 + " snake_case_name"])
def test_bare_terms_of_long_runs(text: str) -> None:
    assert analysis.terms(text) == [t.text for t in PLAIN.analyse(text)]


class TestNumbersAndCodes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("v0.1.0", ["v0.1.0", "v0", "v", "0", "1", "0"]),
            ("CVE-2024-5998", ["cve2024-5998", "cve", "2024", "5998"]),
            ("1,234.5", ["1234.5", "1", "234", "5"]),
            ("1,234", ["1234", "1", "234"]),
            ("3.11", ["3.11", "3", "11"]),
            ("IL-6 IL6", ["il6", "il", "6"] * 2),
            ("2024-05-01", ["2024-05-01", "2024", "05", "01"]),
            ("parse_file-2", ["parse_file2", "parse_fil", "pars", "file", "2"]),
            ("one, 2. three", ["one", "2", "three"]),
            ("well-known a.b x,y 5-x 3.", ["well", "known", "b", "x", "y", "5", "x", "3"]),
            ("192.168.0.1", ["192.168.0.1", "192", "168", "0", "1"]),
            ("제3-1호", ["제", "3-1", "3", "1", "호"]),
        ],
    )
    def test_are_terms_as_a_whole_beside_their_parts(self, text: str, expected: list[str]) -> None:
        assert terms(text) == expected

    def test_a_long_row_of_numbers_is_its_numbers(self) -> None:
        assert terms(",".join("123456789" for _ in range(5))) == ["123456789"] * 5

    def test_offsets(self) -> None:
        found = [(t.text, t.start, t.end) for t in analyse("of v0.1.0")]
        assert found == [
            ("v0.1.0", 3, 9), ("v0", 3, 5), ("v", 3, 4), ("0", 4, 5), ("1", 6, 7), ("0", 8, 9),
        ]  # fmt: skip


class TestLanguages:
    @pytest.mark.parametrize(
        ("language", "text", "expected"),
        [
            ("de", "Die Häuser sind groß", ["haus", "gross"]),
            ("fr", "Les maisons sont belles", ["maison", "bel"]),
            ("es", "Las casas son bonitas", ["cas", "bonit"]),
            ("it", "Le case sono belle", ["cas", "bell"]),
            ("nl", "De huizen zijn mooi", ["huis", "mooi"]),
            ("sv", "Husen är vackra", ["hus", "vackr"]),
            ("ru", "Книги и дома", ["книг", "дом"]),
            ("pl", "Domy są piękne", ["domi", "są", "piękn"]),
        ],
    )
    def test_words_are_stemmed_and_stop_words_dropped_by_each_ones_rules(
        self, language: str, text: str, expected: list[str]
    ) -> None:
        assert PLAIN.terms(text, language) == expected

    def test_the_language_is_the_texts_own_unless_told(self) -> None:
        text = "Die Häuser sind groß, und das Wetter ist heute schön."
        assert PLAIN.terms(text) == PLAIN.terms(text, "de") != PLAIN.terms(text, "en")
        assert matcher(PLAIN.terms("Haus", "de"))(text) == ((4, 10),)

    def test_a_question_has_the_stems_of_each_language(self) -> None:
        assert FULL.asked("houses häuser 책") == (["hous", "häuser", "~책", "책"], [])
        common, choices = FULL.asked("houses häuser 책", ["de", "fr"])
        assert common == ["hous", "~책", "책"]
        assert choices == [("häuser", "haus", "häus")]

    def test_a_questions_own_stop_words_are_not_asked_in_other_languages(self) -> None:
        assert FULL.asked("the die", ["de"]) == (["die"], [])
        assert FULL.asked("Did he die when the war began?", ["ar", "de"])[0] == [
            "die",
            "war",
            "began",
        ]
        assert FULL.asked("die Häuser, die man zum Wohnen will", ["de"]) == (
            ["man", "will"],
            [("häuser", "haus"), ("wohnen", "wohn")],
        )
        assert FULL.asked("the_end", ["de"]) == (["the_end", "end"], [])

    @pytest.mark.parametrize(
        ("question", "languages", "own"),
        [
            ("Die Häuser am Fluss sind alt und schön", ["de", "fr"], "de"),
            ("Die Häuser am Fluss sind alt und schön", ["fr"], "en"),
            ("When did she die in the war?", ["de"], "en"),
            ("the old houses by the river", ["de"], "en"),
            ("연차는 언제 쓰나요", ["de"], "en"),
            ("Les maisons du village sont vieilles", ["de", "fr"], "fr"),
        ],
    )
    def test_of_a_question_among_a_collections(
        self, question: str, languages: list[str], own: str
    ) -> None:
        assert analysis.asked_in(question, languages) == own
        assert analysis.asked_in(question, []) == "en"


class TestAnalyser:
    def test_is_a_value(self) -> None:
        one = Analyser(words=("나라", "가람"))
        assert one == Analyser(words=("가람", "나라"))
        assert ForkingPickler.loads(ForkingPickler.dumps(one)) == one
        assert load_analyser(Settings(korean="bigrams", words=("가람",))) == Analyser(
            "bigrams", words=("가람",)
        )

    def test_its_fingerprint_tells_what_changes_terms(self) -> None:
        different = [FULL, PLAIN, Analyser(words=("가람",)), Analyser(words=("가람", "나라"))]
        assert len({analyser.fingerprint for analyser in different}) == len(different)
        assert Analyser().fingerprint == FULL.fingerprint

    @pytest.mark.parametrize("word", ["", "가 나", "K팝", "漢字", "kubernetes"])
    def test_a_word_that_is_no_korean_one_is_refused(self, word: str) -> None:
        with pytest.raises(ConfigError, match=f"words: '{word}' is no Korean word"):
            Analyser(words=("가람", word))

    def test_weights_share_a_korean_word_between_its_families(self) -> None:
        weights = [FULL.weight(term, 0.7) for term in ("~검색", "검색", "search", "検索", "3.11")]
        assert weights == [0.7, pytest.approx(0.3), 1, 1, 1]
        assert PLAIN.weight("검색", 0.7) == 1
        assert Analyser(japanese="sudachi").weight("検索", 0.7) == pytest.approx(0.3)
