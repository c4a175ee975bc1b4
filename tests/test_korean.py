"""Morphemes of Korean: by value, checked by hand, and exactly where they stand."""

from __future__ import annotations

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError

import pytest

from rag.analysis import Analyser, chinese, japanese, korean
from rag.errors import ConfigError, DependencyMissing

FULL = Analyser()


def morphemes(text: str, analyser: Analyser = FULL) -> list[str]:
    return [term[1:] for term in analyser.terms(text, "ko") if term.startswith("~")]


def placed(text: str, analyser: Analyser = FULL) -> list[tuple[str, str]]:
    """Morphemes, each with the characters that it stands for."""
    found = analyser.analyse(text, "ko")
    return [(t.text[1:], text[t.start : t.end]) for t in found if t.text.startswith("~")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 조사
        ("책을 책이 책은 책에서 책으로 책까지", ["책"] * 6),
        ("학교에서 학생들이", ["학교", "학생"]),
        ("미국의 일본의 자신의", ["미국", "일본", "자신"]),
        # 어미, 활용형
        ("예뻤다", ["예쁘"]),
        ("물었던", ["묻"]),
        ("먹었습니다", ["먹"]),
        ("도와주세요", ["돕"]),
        ("걸어서", ["걷"]),
        ("추운 추웠다", ["춥", "춥"]),
        # 복합명사
        ("한국어를", ["한국", "어"]),
        ("대한민국에서는", ["대한", "민국"]),
        ("서울특별시청", ["서울", "특별", "시청"]),
        ("자연어처리", ["자연", "어", "처리"]),
        # 외래어, 고유명사
        ("인터넷뱅킹을", ["인터넷", "뱅킹"]),
        ("컴퓨터는", ["컴퓨터"]),
        ("이순신이", ["이순신"]),
        ("부산에서 제주까지", ["부산", "제주"]),
        # 대명사는 버린다
        ("그녀가 무엇을", []),
        # 숫자와 단위
        ("3개 5만", ["개", "만"]),
        # 띄어쓰기 오류
        ("검색엔진을만드는방법", ["검색", "엔진", "만들", "방법"]),
        # 사전에 없는 말, 자모
        ("ㅋㅋㅋ", []),
        ("", []),
    ],
)
def test_by_value(text: str, expected: list[str]) -> None:
    assert morphemes(text) == expected


@pytest.mark.parametrize(
    ("hanja", "read"),
    [
        ("大韓民國", "대한민국"),
        ("女子", "여자"),  # 두음 법칙
        ("理論", "이론"),
        ("老人", "노인"),
        ("鬪爭", "투쟁"),
        ("樂", "樂"),  # the dictionary does not say
        ("東京タワー", "동경タワー"),
    ],
)
def test_hanja_are_read(hanja: str, read: str) -> None:
    assert korean.reading(hanja, "mecab") == read


class TestPlaces:
    def test_are_the_characters_that_a_morpheme_stands_for(self) -> None:
        assert placed("한국어를 물었던 책") == [
            ("한국", "한국"), ("어", "어"), ("묻", "물"), ("책", "책"),
        ]  # fmt: skip

    def test_of_hanja_are_their_own(self) -> None:
        assert placed("大韓民國의 憲法") == [
            ("대한", "大韓"), ("민국", "民國"), ("의", "의"), ("헌법", "憲法"),
        ]  # fmt: skip

    def test_are_exact_in_decomposed_text(self) -> None:
        text = unicodedata.normalize("NFD", "한국어를 물었던")
        composed = [(m, unicodedata.normalize("NFC", at)) for m, at in placed(text)]
        assert composed == [("한국", "한국"), ("어", "어"), ("묻", "물")]
        assert FULL.terms(text, "ko") == FULL.terms("한국어를 물었던", "ko")

    def test_are_those_of_the_bigrams_that_begin_there(self) -> None:
        assert FULL.positions("우리 한국어를 책", "ko") == [
            ("우리", 0), ("~한국", 1), ("~어", 3), ("한국", 1), ("국어", 2), ("어를", 3),
            ("~책", 4), ("책", 4),
        ]  # fmt: skip

    def test_a_match_is_shown_in_other_forms_of_the_word(self) -> None:
        matches = FULL.matcher(FULL.terms("묻다", "ko"))
        assert matches("나는 물었고 그는 묻는다") == ((3, 4), (10, 11))

    def test_beyond_a_stretch_are_right_too(self) -> None:
        text = "가나" * 40 + "컴퓨터"
        assert placed(text)[-1] == ("컴퓨터", "컴퓨터")


class TestUserWords:
    WITH = Analyser(words=("갤럭시폴드", "갤럭시", "뷁뷁이"))

    def test_are_kept_whole_the_longest_first(self) -> None:
        assert placed("새갤럭시폴드를 뷁뷁이가 갤럭시의", self.WITH) == [
            ("새", "새"), ("갤럭시폴드", "갤럭시폴드"), ("뷁뷁이", "뷁뷁이"), ("갤럭시", "갤럭시"),
        ]  # fmt: skip

    def test_leave_all_else_alone(self) -> None:
        assert morphemes("한국어를 물었던", self.WITH) == ["한국", "어", "묻"]

    def test_are_found_decomposed(self) -> None:
        word = unicodedata.normalize("NFD", "갤럭시폴드")
        assert Analyser(words=(word,)).words == ("갤럭시폴드",)
        assert morphemes(word + "는", self.WITH) == ["갤럭시폴드"]


def test_without_a_dictionary_there_are_bigrams_alone() -> None:
    plain = Analyser(korean="bigrams")
    assert plain.terms("한국어 大韓民國", "ko") == ["한국", "국어", "大韓", "韓民", "民國"]


def test_threads_have_taggers_of_their_own() -> None:
    words = [f"{a}{b}을" for a in "검색한국책물나라" for b in "가나다라마바사아"]
    expected = [morphemes(word) for word in words]
    with ThreadPoolExecutor(4) as pool:
        again = list(
            pool.map(lambda w: [m for m, _, _ in korean.morphemes(w, "mecab")], words * 20)
        )
    assert again == expected * 20


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mecab_ko", None)
    monkeypatch.setattr(korean, "_here", korean._Here())
    with pytest.raises(ConfigError, match="mecab-ko, which cuts Korean words, is not installed"):
        korean.morphemes("책", "mecab")
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    korean._kiwi_model.cache_clear()
    with pytest.raises(DependencyMissing, match=r"kiwipiepy is not installed"):
        korean.morphemes("책", "kiwi")


@pytest.mark.parametrize(
    ("analyser", "package", "extra"),
    [
        (Analyser("kiwi"), "kiwipiepy", "kiwi"),
        (Analyser(japanese="sudachi"), "sudachipy", "ja"),
        (Analyser(chinese="jieba"), "jieba", "zh"),
    ],
)
def test_a_collection_cannot_be_made_with_what_is_not_installed(
    analyser: Analyser, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    for one in (korean, japanese, chinese):
        monkeypatch.setattr(one, "version", lambda name: "1" if "mecab" in name else missing(name))
    with pytest.raises(DependencyMissing, match=rf"{package} is not installed.*saem\[{extra}\]"):
        assert analyser.fingerprint
