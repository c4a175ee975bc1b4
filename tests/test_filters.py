from __future__ import annotations

from typing import Any

import pytest

from rag.errors import BadQuery
from rag.search import parse_filter
from rag.types import Filter


@pytest.mark.parametrize("nothing", [None, {}, []])
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


@pytest.mark.parametrize(
    "bad", [["language"], ["=ko"], ["language="], {"a": []}, {"a": None}, {"a": {"b": 1}},
            {"path": ["a", "b"]}],
)  # fmt: skip
def test_other_shapes_are_refused(bad: Any) -> None:
    with pytest.raises(BadQuery):
        parse_filter(bad)
