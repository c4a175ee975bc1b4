from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.redact import KINDS, Redactor
from rag.errors import ConfigError

PERSONAL = [
    ("resident", "900101-1234567"),
    ("resident", "010203 - 3234567"),
    ("resident", "9001011234567"),
    ("phone", "010-1234-5678"),
    ("phone", "01012345678"),
    ("phone", "02-345-6789"),
    ("phone", "031) 345-6789"),
    ("phone", "+82 10-1234-5678"),
    ("phone", "+82-2-345-6789"),
    ("phone", "1588-1234"),
    ("phone", "+44 20 7946 0958"),
    ("email", "kim.chulsoo+work@example.co.kr"),
    ("card", "4111 1111 1111 1111"),
    ("card", "5500-0055-5555-5559"),
    ("card", "4111111111111111"),
]
PLAIN = [
    "2024-05-17",
    "991301-1234567",  # no such month
    "4111 1111 1111 1112",  # a wrong check digit
    "3.14159265358979",
    "10-20-30",
    "version 1.2.3",
    "ISBN 978-89-01-12345-6",
    "192.168.0.1",
    "2,000,000원",
    "@mention",
    "[1][2]",
]


@pytest.mark.parametrize(("kind", "text"), PERSONAL)
def test_masks_what_is_personal_and_only_that(kind: str, text: str) -> None:
    said = f"연락처는 {text} 입니다 [1]."
    masked = "".join(c if c.isspace() else "*" for c in text)
    assert Redactor(KINDS)(said) == f"연락처는 {masked} 입니다 [1]."
    assert Redactor([kind])(said) == f"연락처는 {masked} 입니다 [1]."
    others = [other for other in KINDS if other != kind]
    if kind == "email":
        assert Redactor(others)(said) == said


@pytest.mark.parametrize("text", PLAIN)
def test_leaves_what_only_looks_so(text: str) -> None:
    said = f"See {text} here."
    assert Redactor(KINDS)(said) == said


@given(
    st.lists(
        st.sampled_from([t for _, t in PERSONAL] + PLAIN + ["전화", "and", "[1]", "끝."]),
        max_size=12,
    ),
    st.lists(st.integers(1, 7), min_size=1),
)
def test_a_stream_says_what_the_whole_would(words: list[str], sizes: list[int]) -> None:
    text = " ".join(words)
    redactor, parts, at, i = Redactor(KINDS), [], 0, 0
    while at < len(text):
        size = sizes[i % len(sizes)]
        parts.append(redactor.feed(text[at : at + size]))
        at, i = at + size, i + 1
    assert "".join([*parts, redactor.end()]) == Redactor(KINDS)(text)


def test_without_kinds_nothing_is_held_or_changed() -> None:
    redactor = Redactor(())
    assert not redactor
    assert redactor.feed("010-1234") == "010-1234"
    assert redactor.end() == ""


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ConfigError, match="nothing is known of 'passport'"):
        Redactor(["email", "passport"])


def test_long_runs_take_no_time() -> None:
    for text in ("1" * 50_000, "a." * 50_000, "(0" * 50_000, "1 " * 50_000, "+1-" * 50_000):
        redactor = Redactor(KINDS)
        assert len(redactor.feed(text) + redactor.end()) == len(text)
