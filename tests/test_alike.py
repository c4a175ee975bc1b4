from __future__ import annotations

import pytest

from rag.answer.alike import normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Red Bridge [1].", "red bridge"),
        ("1,931 [1][2]", "1931.0"),
        ("80 degrees", "80.00 degrees."),
        ("서울입니다 [1].", "서울"),
        ("서울 특별시는", "서울특별시"),
        ("80도입니다.", "80도"),
        ("3.5는", "3.50"),
        ("47년 뒤입니다 [1, 2].", "47년 뒤"),
        ("\u22125 degrees", "-5.0 degrees"),
        ("Ａｎｎａ", "anna"),
    ],
)
def test_written_differently_and_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("red bridge", "blue bridge"),
        ("80", "8.0"),
        ("1234567", "1234568"),
        ("-5", "5"),
        ("1 2", "12"),
        ("47년", "48년"),
        ("not red", "red"),
        ("서울", "부산"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_date_is_no_sum() -> None:
    assert normalised("2024-01-05") == "2024 1 5"
