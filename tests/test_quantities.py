from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.quantities import Quantity, quantities


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30,000 people", {(30000, "person")}),
        ("3만 명", {(30000, "person")}),
        ("thirty thousand people", {(30000, "person")}),
        ("3만 5천원", {(35000, "won")}),
        ("1억 2천만 달러", {(120e6, "dollar")}),
        ("$120 million", {(120e6, "dollar")}),
        ("12만3456원", {(123456, "won")}),
        ("two hundred and five", {(205, "")}),
        ("2024년 3월 5일", {(2024, "year"), (3, "month"), (5, "day")}),
        ("March 5, 2024", {(2024, "year"), (3, "month"), (5, "day")}),
        ("5 March 2024", {(2024, "year"), (3, "month"), (5, "day")}),
        ("2024-03-05", {(2024, "year"), (3, "month"), (5, "day")}),
        ("May 2020", {(5, "month"), (2020, "year")}),
        ("it may be", set()),
        ("one of them", set()),
        ("30 percent", {(30, "%")}),
        ("30퍼센트와 30%", {(30, "%")}),
        ("-5 degrees, 80도", {(-5, "degree"), (80, "degree")}),
        ("in the 20th century", {(20, "century")}),
        ("20세기", {(20, "century")}),
        ("사과 세 개와 아이 네 명", {(3, ""), (4, "person")}),
        ("3.5km", {(3.5, "km")}),
        ("IL-6", {(6, "")}),
        ("일이삼", set()),
    ],
)
def test_by_value(text: str, found: set[tuple[float, str]]) -> None:
    assert set(quantities(text)) == found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((80, "degree"), (80, ""), True),
        ((80, "degree"), (80, "percent"), False),
        ((80, ""), (81, ""), False),
        ((2024, "year"), (2024, ""), True),
    ],
)
def test_units_agree_unless_both_are_known(
    one: tuple[float, str], other: tuple[float, str], same: bool
) -> None:
    assert Quantity(*one).same(Quantity(*other)) is same
    assert Quantity(*other).same(Quantity(*one)) is same


@given(st.integers(0, 10**15))
def test_a_whole_number_is_read_however_it_is_grouped(value: int) -> None:
    assert quantities(f"{value:,}") == quantities(str(value)) == [Quantity(float(value))]


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert all(isinstance(q, Quantity) for q in quantities(text))
