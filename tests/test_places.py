"""Which judged place a passage stands for."""

from __future__ import annotations

import pytest

from eval.dataset import Dataset, Query
from eval.places import Places, covers
from rag.index import Collection
from tests.support.corpus import row

TEXT = "first paragraph\n\nsecond paragraph\n\nthird paragraph"


def ranked(collection: Collection) -> list[tuple[str, float]]:
    """All passages by path and position, best first."""
    found = [p for d in collection.documents() for p in collection.passages(d.id)]
    return [(p.id, 1.0 - i / 10) for i, p in enumerate(found)]


def places(found: tuple[tuple[str, float], ...]) -> list[str]:
    return [place for place, _ in found]


def test_a_document_counts_once_by_its_best_passage(collection: Collection) -> None:
    collection.upsert([row("a", TEXT), row("b", "other")])
    found = Places(collection, Dataset("x", ())).of(Query("q", "?"), ranked(collection))
    assert found == (("a", 1.0), ("b", 0.7))


def test_pages_are_paths_up_to_the_sign(collection: Collection) -> None:
    collection.upsert([row("p#0", "one"), row("p#1", "two"), row("q#0", "three")])
    found = Places(collection, Dataset("x", (), pages=True))
    assert places(found.of(Query("q", "?"), ranked(collection))) == ["p", "q"]
    assert found.exists("p")
    assert not found.exists("p#0")


def test_spans_are_met_by_the_passages_that_have_half_of_them(collection: Collection) -> None:
    collection.upsert([row("a", TEXT)])
    query = Query("q", "?", {"a@17-33": 1, "a@30-50": 1})
    found = Places(collection, Dataset("x", (query,)))
    ours = ["a@0-15", "a@17-33", "a@30-50"]
    assert places(found.of(query, ranked(collection))) == ours
    assert found.exists("a@17-33")
    assert not found.exists("b@17-33")


def test_wrong_passages_of_one_document_count_one_by_one(collection: Collection) -> None:
    collection.upsert([row("a", "\n\n".join(f"paragraph {i:02}" for i in range(20)))])
    query = Query("q", "?", {"a@182-194": 1})
    found = places(Places(collection, Dataset("x", (query,))).of(query, ranked(collection)))
    assert found.index("a@182-194") == 13
    assert len(found) == 20


def test_a_path_that_looks_like_a_span_is_a_path(collection: Collection) -> None:
    collection.upsert([row("mail@1-2", "one")])
    query = Query("q", "?", {"mail@1-2": 1})
    found = Places(collection, Dataset("x", (query,)))
    assert places(found.of(query, ranked(collection))) == ["mail@1-2"]


@pytest.mark.parametrize(
    ("hit", "span", "expected"),
    [
        (("a", 0, 10), ("a", 5, 15), True),
        (("a", 0, 10), ("a", 6, 16), False),
        (("a", 0, 100), ("a", 50, 52), True),
        (("a", 50, 52), ("a", 0, 100), True),
        (("b", 0, 10), ("a", 0, 10), False),
        (("a", 0, 10), ("a", 10, 20), False),
    ],
)
def test_half_of_the_shorter(
    hit: tuple[str, int, int], span: tuple[str, int, int], expected: bool
) -> None:
    assert covers(hit, span) is expected


def test_passages_that_are_gone_are_passed_over(collection: Collection) -> None:
    collection.upsert([row("a", "one")])
    found = Places(collection, Dataset("x", ()))
    assert found.of(Query("q", "?"), [("gone", 2.0), *ranked(collection)]) == (("a", 1.0),)
