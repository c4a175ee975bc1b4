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


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_filter(["formula=a=b"]) == Filter({"formula": ("a=b",)})


@pytest.mark.parametrize(
    "bad", [["language"], ["=ko"], ["language="], {"a": []}, {"a": None}, {"a": {"b": 1}},
            {"path": ["a", "b"]}],
)  # fmt: skip
def test_other_shapes_are_refused(bad: Any) -> None:
    with pytest.raises(BadQuery):
        parse_filter(bad)
