"""What models write, read although it has hardly the form that was asked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.lenient import LINE, cited, items, json_object, line, plain, referred


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1. Where?\n2) Who?", ["Where?", "Who?"]),
        ("Here is the list:\n- Where?\n* Who?\n• When?", ["Where?", "Who?", "When?"]),
        ("**Step 1:** Find it.\n**Step 2:** Read it.", ["Find it.", "Read it."]),
        ("Question 1: Where?\nsub-question 2: Who?", ["Where?", "Who?"]),
        ("1단계: 찾는다.\n2단계. 읽는다.", ["찾는다.", "읽는다."]),
        ("질문 1: 어디인가요?\n하위 질문 2) 누구인가요?", ["어디인가요?", "누구인가요?"]),
        ("It is simple.\nWhere was it?\nWho was it？", ["Where was it?", "Who was it？"]),
        ("1.5 km is far\n1. Where?", ["Where?"]),
        ("1. Where?\n2. Where?\n3. !", ["Where?"]),
        ("Nothing of use.", []),
        ("", []),
    ],
)
def test_items(text: str, found: list[str]) -> None:
    assert items(text, 9) == found


def test_items_are_few_and_short() -> None:
    many = "\n".join(f"{n}. {'why ' * 500}{n}?" for n in range(50))
    assert [len(entry) for entry in items(many, 3)] == [LINE - 1]  # all begin alike
    assert len(items("\n".join(f"{n}. Why {n}?" for n in range(50)), 3)) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure: ```json\n{"a": {"b": [1]}}\n``` and {"c": 2}', {"a": {"b": [1]}}),
        ('{not this} {"a": 1}', {"a": 1}),
        ('{"a": 1', None),
        ("[1, 2]", None),
        ('{"a": ' + "9" * 5000 + "}", None),
        ('{"a":' * 5000, None),
        ("", None),
    ],
)
def test_json_object(text: str, found: object) -> None:
    assert json_object(text) == found


VALUES = st.integers() | st.text(max_size=20) | st.lists(st.booleans(), max_size=5)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=5), st.text())
def test_any_object_is_found_whatever_follows(value: dict[str, object], after: str) -> None:
    assert json_object(json.dumps(value) + after) == value


def test_references_are_replaced_by_answers_without_their_numbers() -> None:
    answers = ["Garam [1].", "노을강 [2][3]"]
    assert referred("Does #2 flow through #1?", answers) == "Does 노을강 flow through Garam?"
    assert referred("#3, #0 and #12 of #a", answers) == "#3, #0 and #12 of #a"
    assert len(referred("#1 " * 100, ["x" * 1000])) == 2 * LINE


def test_cited() -> None:
    assert cited("Tea [1][ 2 ], 3 pots [10, 4], a[x] [] [5") == [1, 2, 10, 4]


def test_plain_and_line() -> None:
    assert plain("Black tea [1], [2, 3] needs boiling water [4].") == (
        "Black tea, needs boiling water."
    )
    assert line(" a\n\tb  c ", 4) == "a b"
