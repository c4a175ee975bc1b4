"""The compiled estimate counts exactly the matches of the regular expression."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.tokens import TOKEN, estimate_tokens

# Borders of every branch: marks within the Latin range, letters that are no alphabet's, numbers
# that are no digits, digits of other scripts, combining marks, surrogates.
SPECIAL = (
    "aZ×÷ɏɐé가힣ᄀㄱ09٣²Ⅷ½_あ・ー㐀鿿一\u3040\u30ffαя\u0301\u200d"
    ".!!,~ \t\n\u3000\xa0\ufeff\ud800\udfff\x00"
)
RUNS = st.lists(st.tuples(st.sampled_from(SPECIAL), st.integers(1, 9)), max_size=30).map(
    lambda runs: "".join(c * n for c, n in runs)
)


@settings(max_examples=300)
@given(st.one_of(RUNS, st.text(st.characters(codec=None)), st.text(st.characters(codec="ascii"))))
@example("가나다라마")
@example("a×b÷c")
@example("1234.56")
@example("αあ가a")
@example("\U0001f600\U0001f600\U0001f600\U0001f600")
@example("한국어 \U0001f600 text")
def test_counts_the_matches(text: str) -> None:
    assert estimate_tokens(text) == len(TOKEN.findall(text))


def test_every_character_of_the_basic_plane_alone_and_between_others() -> None:
    for around in ("{}", "a{}", "가{}{}{}{}", "1{}1", "α{}α", "一{}", ".{}."):
        for begin in range(0, 0x10000, 4096):
            text = " ".join(around.replace("{}", chr(c)) for c in range(begin, begin + 4096))
            assert estimate_tokens(text) == len(TOKEN.findall(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \n\t", 0),
        ("Hello, world", 3),
        ("서울이다", 3),
        ("가", 1),
        ("가나", 1),
        ("가나다", 2),
        ("1234567", 3),
        ("internationalization", 4),
        ("東京です", 2),
        ("a_b", 3),
        ("!!!!", 2),
        ("?!?!", 4),
        ("привет", 2),
        ("\U0001f600", 1),
    ],
)
def test_by_value(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens
