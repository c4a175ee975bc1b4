from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.analysis import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("서울은 수도이다. 부산은 항구다.", ["서울은 수도이다.", "부산은 항구다."]),
        ("좋아요.그래요.", ["좋아요.", "그래요."]),
        ("See e.g. this, v0.1. and 3.14 too. Yes.", ["See e.g. this, v0.1. and 3.14 too.", "Yes."]),
        ("Wrapped\nline. Next", ["Wrapped\nline.", "Next"]),
        ("One\n\nTwo", ["One", "Two"]),
        ("- a b\n- c d\n  e\n1. f", ["a b", "c d\n  e", "f"]),
        ("# Head\nText", ["# Head", "Text"]),
        ("Text\n# Head", ["Text", "# Head"]),
        ("> quoted. More", ["quoted.", "More"]),
        ("", []),
        ("  \n \n", []),
    ],
)
def test_by_value(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == expected


@given(st.text(alphabet=st.sampled_from("ab 가다.!?\n-*1#`|>"), max_size=60))
def test_in_order_without_overlap_or_blank_ends(text: str) -> None:
    last = 0
    for start, end in sentences(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        last = end
