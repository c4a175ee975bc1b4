"""What is read around a hit: neighbours of its document, joined where they meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.index import Collection
from rag.search.neighbours import expand
from rag.types import Hit
from tests.support.corpus import row

TEXT = "\n\n".join(f"문단 {i} paragraph" for i in range(8))


def hits(collection: Collection, *places: tuple[str, int]) -> list[Hit]:
    by_path = {d.path: collection.passages(d.id) for d in collection.documents()}
    return [Hit(n, 1 / n, by_path[path][at], {}) for n, (path, at) in enumerate(places, 1)]


def read(collection: Collection, hit: Hit) -> str:
    assert hit.chunk.outer is not None
    start, end = hit.chunk.outer
    return collection.text(hit.chunk.document)[start:end]


def paragraphs(first: int, last: int) -> str:
    return "\n\n".join(f"문단 {i} paragraph" for i in range(first, last + 1))


@pytest.fixture
def filled(collection: Collection) -> Collection:
    collection.upsert([row("a", TEXT), row("b", TEXT + " of b"), row("one", "alone")])
    return collection


def test_neighbours_on_both_sides_are_read(filled: Collection) -> None:
    before = hits(filled, ("a", 3))
    (found,) = expand(before, 1, filled.around)
    assert read(filled, found) == paragraphs(2, 4)
    assert replace(found, chunk=replace(found.chunk, outer=None)) == before[0]


@pytest.mark.parametrize(("at", "first", "last"), [(0, 0, 2), (7, 5, 7), (1, 0, 3)])
def test_a_document_s_ends_are_not_crossed(
    filled: Collection, at: int, first: int, last: int
) -> None:
    (found,) = expand(hits(filled, ("a", at)), 2, filled.around)
    assert read(filled, found) == paragraphs(first, last)


def test_what_meets_is_read_as_one(filled: Collection) -> None:
    found = expand(hits(filled, ("a", 5), ("b", 2), ("a", 2)), 1, filled.around)
    assert read(filled, found[0]) == read(filled, found[2]) == paragraphs(1, 6)
    assert read(filled, found[1]) == paragraphs(1, 3)


def test_what_does_not_meet_stays_apart(filled: Collection) -> None:
    found = expand(hits(filled, ("a", 6), ("a", 1)), 1, filled.around)
    assert [read(filled, hit) for hit in found] == [paragraphs(5, 7), paragraphs(0, 2)]


def test_a_parent_stays(filled: Collection) -> None:
    (hit,) = hits(filled, ("a", 3))
    within = replace(hit, chunk=replace(hit.chunk, outer=(0, 99)))
    assert expand([within], 1, filled.around) == (within,)


def test_a_passage_that_is_alone_or_gone_is_as_it_was(filled: Collection) -> None:
    (alone,) = hits(filled, ("one", 0))
    gone = replace(alone, chunk=replace(alone.chunk, text="never there"))
    assert expand([alone, gone], 2, filled.around) == (alone, gone)
    assert expand([], 2, filled.around) == ()
