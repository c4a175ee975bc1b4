from __future__ import annotations

from typing import Any

import pytest

from rag.conditions import All, Among, Compare, Not
from rag.errors import BadQuery
from rag.search import parse_filter
from rag.types import Filter

KO = Among("language", ("ko",))
RECENT = Compare("year", ">=", "2024")


@pytest.mark.parametrize("nothing", [None, {}, [], "", " "])
def test_nothing_is_no_filter(nothing: Any) -> None:
    assert parse_filter(nothing) is None


def test_mapping_and_strings_mean_the_same() -> None:
    expected = Filter({"language": ("ko",), "year": ("2024", "2025")}, "guide/**")
    assert parse_filter({"language": "ko", "year": [2024, "2025"], "path": "guide/**"}) == expected
    assert parse_filter(["language=ko", "year=2024", "path=guide/**", "year=2025"]) == expected


def test_values_of_other_types_are_written_as_front_matter_has_them() -> None:
    assert parse_filter({"draft": True, "year": 2024}) == Filter(
        {"draft": ("true",), "year": ("2024",)}
    )


def test_too_large_a_filter_is_refused() -> None:
    with pytest.raises(BadQuery, match="at most"):
        parse_filter({f"f{i}": "x" for i in range(101)})
    with pytest.raises(BadQuery, match="at most"):
        parse_filter({"f": ["x"] * 101})


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_filter(["formula=a=b"]) == Filter({"formula": ("a=b",)})


def test_a_text_is_an_expression() -> None:
    found = parse_filter("lang:ko AND year>=2024 AND path:guide/**")
    assert found == Filter(where=All((KO, RECENT, Among("path", ("guide/**",)))))
    assert parse_filter("year=2024") == Filter(where=Compare("year", "=", "2024"))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["lang:ko", "year>=2024"], Filter(where=All((KO, RECENT)))),
        (["lang:ko AND year>=2024"], Filter(where=All((KO, RECENT)))),
        (["team=red", "NOT lang:ko"], Filter({"team": ("red",)}, where=Not(KO))),
        (["year>=2024", "path=a/**", "team=red"], Filter({"team": ("red",)}, "a/**", where=RECENT)),
        (["year!=2024"], Filter(where=Not(Compare("year", "=", "2024")))),
        (["year<=2024"], Filter(where=Compare("year", "<=", "2024"))),
        (["team=red AND year>=2024"],
         Filter(where=All((Compare("team", "=", "red", literal=True), RECENT)))),
        (["title=Green tea", "due by=May"], Filter({"title": ("Green tea",), "due by": ("May",)})),
        (['title="A AND B"'], Filter(where=Compare("title", "=", "A AND B", literal=True))),
        (["lang=ko"], Filter({"lang": ("ko",)})),
        (["a:b=c"], Filter(where=Among("a", ("b=c",)))),
    ],
)  # fmt: skip
def test_expressions_and_pairs_in_a_list(texts: list[str], expected: Filter) -> None:
    assert parse_filter(texts) == expected


def test_expressions_of_a_list_have_one_limit() -> None:
    half = " OR ".join(["a:b"] * 25)
    assert parse_filter([half, half]) is not None
    with pytest.raises(BadQuery, match="at most 50 tests"):
        parse_filter([half, half, "a:b"])


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert parse_filter("a:x\ud800") == Filter(where=Among("a", ("x?",)))
    assert parse_filter(["a=x\ud800", "b:\udc00"]) == Filter(
        {"a": ("x?",)}, where=Among("b", ("?",))
    )


def test_a_filter_is_a_key_whatever_the_order_of_its_fields() -> None:
    one = Filter({"a": ("x",), "b": ("y",)}, "p", ("g",), RECENT)
    other = Filter({"b": ("y",), "a": ("x",)}, "p", ("g",), RECENT)
    assert {one: 1}[other] == 1
    assert one != Filter({"a": ("x",), "b": ("y",)}, "p", ("g",))
    assert Filter(where=RECENT)
    assert not Filter()


@pytest.mark.parametrize(
    "bad", [["language"], ["=ko"], ["language="], {"a": []}, {"a": None}, {"a": {"b": 1}},
            {"path": ["a", "b"]}, ["path=a", "path=b"], ["lang:ko AND"], "language"],
)  # fmt: skip
def test_other_shapes_are_refused(bad: Any) -> None:
    with pytest.raises(BadQuery):
        parse_filter(bad)
