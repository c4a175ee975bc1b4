"""Facets by value: documents counted once, of what was ranked alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import BadQuery
from rag.index import Collection
from rag.search import Searcher, parse_filter
from rag.search.facets import Facet, facets
from rag.settings import Settings
from rag.types import Filter
from tests.support.corpus import row

PAGES = {
    "guide/a.md": ("ko", {"tags": "tea, pot", "year": "2024"}, ()),
    "guide/deep/b.md": ("en", {"tags": "tea, tea", "year": "2023"}, ()),
    "news/c.md": ("en", {"tags": "pot", "year": "2024"}, ()),
    "news/d.md": ("en", {"tags": "차"}, ("staff",)),
    "top.md": ("und", {}, ()),
    "guide/other.md": ("en", {"tags": "stone"}, ()),
}


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    opened = Collection(tmp_path / "docs", create=True)
    opened.upsert(
        [
            row(path, "granite" if "other" in path else "green tea\n\nblack tea\n\nmilk tea",
                language=language, title=path, metadata=metadata, groups=groups)
            for path, (language, metadata, groups) in PAGES.items()
        ]
    )  # fmt: skip
    yield opened
    opened.close()


def counted(
    collection: Collection, fields: list[str], filter_: Filter | None = None, **more: int
) -> dict[str, list[tuple[str, int]]]:
    searcher = Searcher(collection, None, Settings(encoder="none"))
    order = searcher.rank("tea", 100, "bm25", filter_).order
    found = facets(collection, [id_ for id_, _ in order], fields, **more)
    return {field: [(f.value, f.count) for f in each] for field, each in found.items()}


def test_documents_count_once_for_each_value(collection: Collection) -> None:
    assert counted(collection, ["language", "path", "tags", "year", "colour"]) == {
        "language": [("en", 3), ("ko", 1), ("und", 1)],
        "path": [("guide", 2), ("news", 2)],
        "tags": [("pot", 2), ("tea", 2), ("차", 1)],
        "year": [("2024", 2), ("2023", 1)],
        "colour": [],
    }


def test_access_and_filter_hold(collection: Collection) -> None:
    everyone = Filter(groups=())
    assert counted(collection, ["tags"], everyone) == {"tags": [("pot", 2), ("tea", 2)]}
    recent = parse_filter("year>=2024 AND NOT path:news/**")
    assert counted(collection, ["tags", "language"], recent) == {
        "tags": [("pot", 1), ("tea", 1)],
        "language": [("ko", 1)],
    }


def test_the_most_frequent_are_kept(collection: Collection) -> None:
    assert counted(collection, ["tags", "language"], top=1) == {
        "tags": [("pot", 2)],
        "language": [("en", 3)],
    }


def test_they_are_what_counting_the_hits_finds(collection: Collection) -> None:
    searcher = Searcher(collection, None, Settings(encoder="none"))
    order = searcher.rank("tea", 5, "bm25").order
    paths = {c.path for c in collection.fetch([i for i, _ in order]).values()}
    counts = Counter(PAGES[path][0] for path in paths)
    found = facets(collection, [i for i, _ in order], ["language"])["language"]
    assert {f.value: f.count for f in found} == counts


def test_nothing_ranked_counts_nothing(collection: Collection) -> None:
    assert facets(collection, [], ["language"]) == {"language": ()}
    assert facets(collection, ["0" * 32, "no id"], ["language"]) == {"language": ()}


def test_they_take_one_statement(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    order = collection.sparse(["tea"], 100)
    asked = []
    rows = collection._read.rows
    monkeypatch.setattr(
        collection._read, "rows", lambda sql, given=(): asked.append(sql) or rows(sql, given)
    )
    found = facets(collection, [i for i, _ in order], ["language", "tags", "path"])
    assert found["language"][0] == Facet("en", 3)
    assert sum("documents" in sql for sql in asked) == 1


@pytest.mark.parametrize(
    ("fields", "top"), [(["a"], 0), (["a"], 101), ([f"f{i}" for i in range(21)], 5),
                        (["document"], 5)],
)  # fmt: skip
def test_too_many_are_refused(collection: Collection, fields: list[str], top: int) -> None:
    with pytest.raises(BadQuery, match="at most 20 fields"):
        facets(collection, [], fields, top)
