"""Filters by value, as the catalogue applies them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import BadQuery
from rag.index import Collection
from rag.index.where import glob
from rag.types import Filter
from tests.support.corpus import document, row

EVIL = [
    "' OR 1=1 --",
    "x'; DROP TABLE documents; --",
    '") OR ("1"="1',
    "?",
    "$.a",
    "d.died_at",
    "%",
    "*",
    "",
    "한국'",
    "a\x00b",
]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    opened = Collection(tmp_path_factory.mktemp("c") / "docs", create=True)
    opened.upsert(
        [
            row("a.md", "alpha", title="Alpha", metadata={"team": "red", "year": "2024"}),
            row("docs/b.md", "beta", title="Beta", metadata={"team": "blue"}, groups=("staff",)),
            row(
                "docs/deep/c.txt",
                "gamma",
                metadata={"team": "red", "tags": "green tea, 차, pot"},
                groups=("hr", "law"),
            ),
            row("문서/한글.md", "델타", language="ko", title="제목", metadata={"팀": "빨강"}),
            row("docs/x[1].md", "evil", metadata={e: e for e in EVIL}, groups=("' OR 1=1 --",)),
        ]
    )
    yield opened
    opened.close()


def paths(collection: Collection, **conditions: object) -> list[str]:
    return [d.path for d in collection.documents(Filter(**conditions))]  # type: ignore[arg-type]


ALL = ["a.md", "docs/b.md", "docs/deep/c.txt", "docs/x[1].md", "문서/한글.md"]


class TestFields:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, ALL),
            ({"team": ("red",)}, ["a.md", "docs/deep/c.txt"]),
            ({"team": ("red", "blue")}, ["a.md", "docs/b.md", "docs/deep/c.txt"]),
            ({"team": ("red",), "year": ("2024",)}, ["a.md"]),
            ({"team": ("blue",), "year": ("2024",)}, []),
            ({"team": ("RED",)}, []),
            ({"tags": ("차",)}, ["docs/deep/c.txt"]),
            ({"tags": ("pot", "kettle")}, ["docs/deep/c.txt"]),
            ({"tags": ("green tea, 차, pot",)}, ["docs/deep/c.txt"]),
            ({"tags": ("tea", "green", "po", ", ")}, []),
            ({"colour": ("red",)}, []),
            ({"팀": ("빨강",)}, ["문서/한글.md"]),
            ({"title": ("Alpha", "제목")}, ["a.md", "문서/한글.md"]),
            ({"language": ("ko",)}, ["문서/한글.md"]),
            ({"document": (document("docs/b.md", "").id,)}, ["docs/b.md"]),
            ({"document": ("no such",)}, []),
        ],
    )
    def test_by_value(
        self, collection: Collection, fields: dict[str, tuple[str, ...]], expected: list[str]
    ) -> None:
        assert paths(collection, fields=fields) == expected
        assert collection.count(Filter(fields=fields)) == len(expected)

    def test_a_field_without_values_is_refused(self, collection: Collection) -> None:
        with pytest.raises(BadQuery, match="'team' has no values"):
            paths(collection, fields={"team": ()})


class TestGroups:
    @pytest.mark.parametrize(
        ("groups", "expected"),
        [
            (None, ALL),
            ((), ["a.md", "문서/한글.md"]),
            (("staff",), ["a.md", "docs/b.md", "문서/한글.md"]),
            (("law", "other"), ["a.md", "docs/deep/c.txt", "문서/한글.md"]),
            (("staff", "hr"), ["a.md", "docs/b.md", "docs/deep/c.txt", "문서/한글.md"]),
            (("sta",), ["a.md", "문서/한글.md"]),
            (("Staff",), ["a.md", "문서/한글.md"]),
            (("staff%", "[]", '"staff"'), ["a.md", "문서/한글.md"]),
            (("staff\x00x",), ["a.md", "문서/한글.md"]),
        ],
    )
    def test_a_document_needs_one_in_common(
        self, collection: Collection, groups: tuple[str, ...] | None, expected: list[str]
    ) -> None:
        assert paths(collection, groups=groups) == expected

    def test_all_conditions_hold_together(self, collection: Collection) -> None:
        conditions = {"fields": {"team": ("red", "blue")}, "path": "docs/**"}
        assert paths(collection, **conditions, groups=("hr",)) == ["docs/deep/c.txt"]


class TestPaths:
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("*", ["a.md"]),
            ("**", ALL),
            ("*.md", ["a.md"]),
            ("**/*.md", ["a.md", "docs/b.md", "docs/x[1].md", "문서/한글.md"]),
            ("docs/*", ["docs/b.md", "docs/x[1].md"]),
            ("docs/**", ["docs/b.md", "docs/deep/c.txt", "docs/x[1].md"]),
            ("docs/**/c.txt", ["docs/deep/c.txt"]),
            ("docs/**/b.md", ["docs/b.md"]),
            ("docs/?.md", ["docs/b.md"]),
            ("?.md", ["a.md"]),
            ("docs?b.md", []),
            ("docs/x[1].md", ["docs/x[1].md"]),
            ("문서/?글.*", ["문서/한글.md"]),
            ("A.md", []),
            ("a.m", []),
            (".*", []),
            ("", []),
        ],
    )
    def test_globs_by_value(
        self, collection: Collection, pattern: str, expected: list[str]
    ) -> None:
        assert paths(collection, path=pattern) == expected

    @settings(max_examples=400)
    @given(st.text("aab/***?", max_size=10), st.text("ab/", max_size=10))
    def test_a_glob_is_its_definition(self, pattern: str, path: str) -> None:
        assert glob(pattern, path) == definition(pattern, path)

    @pytest.mark.parametrize("pattern", ["*?" * 30 + "z", "**?" * 30 + "z", "**/" * 40 + "z"])
    def test_a_malicious_glob_takes_no_time(self, pattern: str) -> None:
        start = time.perf_counter()
        assert not glob(pattern, "some/rather/long/path/of/a/document/in/a/folder/" * 3 + "x")
        assert time.perf_counter() - start < 0.5


def definition(pattern: str, path: str, before: str = "/") -> bool:
    """What a glob means, one character at a time; ``before`` is what the pattern stands after."""
    if pattern.startswith("**/") and before == "/":
        starts = [0, *(i + 1 for i, c in enumerate(path) if c == "/")]
        return any(definition(pattern[3:], path[i:]) for i in starts)
    if pattern.startswith("**"):
        return any(definition(pattern[2:], path[i:], "*") for i in range(len(path) + 1))
    if pattern.startswith("*"):
        part = len(path.split("/")[0])
        return any(definition(pattern[1:], path[i:], "*") for i in range(part + 1))
    if not pattern or not path:
        return pattern == path
    same = path[0] != "/" if pattern[0] == "?" else path[0] == pattern[0]
    return same and definition(pattern[1:], path[1:], pattern[0])


class TestInjection:
    @pytest.mark.parametrize("evil", EVIL)
    def test_names_and_values_are_only_compared(self, collection: Collection, evil: str) -> None:
        found = paths(collection, fields={evil: (evil,)})
        assert found == ["docs/x[1].md"]
        assert paths(collection, fields={evil: ("other",)}) == []
        assert paths(collection, fields={"team": (evil,)}) == []
        assert paths(collection, fields={"title": (evil,)}) == ([] if evil else ALL[2:4])
        assert paths(collection, fields={"document": (evil,)}) == []
        assert paths(collection) == ALL

    @pytest.mark.parametrize("evil", EVIL)
    def test_paths_and_groups_too(self, collection: Collection, evil: str) -> None:
        assert paths(collection, path=evil) == (["a.md"] if evil == "*" else [])
        mine = ["docs/x[1].md"] if evil == "' OR 1=1 --" else []
        assert paths(collection, groups=(evil,)) == ["a.md", *mine, "문서/한글.md"]
