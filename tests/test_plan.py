"""The plan of a sync: from what is listed, known and noted to what is to be done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indexer.ledger import Entry
from indexer.plan import Plan, plan
from indexer.sources import Fetched, Item, Listing, Skipped
from rag.errors import SourceError
from rag.index import Known, Stat


class Here:
    """A source that lists what it was given."""

    def __init__(
        self, *items: Item, root: str = "x:/", failed: Sequence[str] = (), others: int = 0
    ) -> None:
        errors = [SourceError(path, "is closed") for path in failed]
        skipped = [Skipped("pipe", "is a pipe")]
        self.listing = Listing(root, items, skipped, errors, others, failed)

    def list(self) -> Listing:
        return self.listing

    def fetch(self, item: Item, known: str) -> Fetched | None:
        raise NotImplementedError


def item(name: str, stamp: str = "1") -> Item:
    return Item(f"x:/{name}", name, stamp)


def known(name: str, stamp: str = "1#r", path: str = "") -> Known:
    return Known(name, "v", f"x:/{name}", path or name, "", "en", Stat(stamp, "s"), 1)


def entry(name: str, stamp: str = "1#r", keeper: str = "") -> Entry:
    return Entry(
        f"x:/{name}", name, "alias" if keeper else "failed", "", keeper=keeper, stamp=stamp
    )


def made(
    *sources: Here, documents: Sequence[Known] = (), notes: Sequence[Entry] = ()
) -> tuple[Plan, list[str]]:
    found = plan(
        [(f"source {i}", s) for i, s in enumerate(sources)],
        {d.uri: d for d in documents},
        {n.uri: n for n in notes},
        "{}#r".format,
    )
    return found, [i.path for _, i in found.todo]


def test_new_changed_renamed_and_differently_made_ones_are_looked_into() -> None:
    source = Here(item("new"), item("changed", "2"), item("same"), item("moved"), item("old"))
    found, todo = made(
        source,
        documents=[known("changed"), known("same"), known("moved", path="elsewhere"),
                   known("old", "1#q")],
    )  # fmt: skip
    assert todo == ["changed", "moved", "old", "new"], "what is known first: it may say the same"
    assert (found.unchanged, found.gone, found.lost) == (1, {}, [])
    assert found.skipped == [Skipped("pipe", "is a pipe")]


def test_an_item_without_a_stamp_is_always_looked_into() -> None:
    assert made(Here(item("a", "")), documents=[known("a", "#r")])[1] == ["a"]


def test_what_failed_is_tried_again_only_when_it_changes() -> None:
    source = Here(item("bad"), item("mended", "2"))
    assert made(source, notes=[entry("bad"), entry("mended")])[1] == ["mended"]


def test_what_has_failed_counts_by_that_though_an_older_version_is_indexed() -> None:
    assert made(Here(item("a", "2")), documents=[known("a")], notes=[entry("a", "2#r")])[1] == []


def test_gone_documents_and_notes_but_not_below_what_could_not_be_listed() -> None:
    source = Here(item("a"), failed=["x:/closed"])
    found, _ = made(
        source,
        documents=[known("a"), known("b"), known("closed/c"),
                   Known("d", "v", "y:/d", "d", "", "en", Stat(), 1)],
        notes=[entry("e"), entry("closed/f")],
    )  # fmt: skip
    assert list(found.gone) == ["x:/b"]
    assert found.lost == ["x:/e"]
    assert [e.path for e in found.failed] == ["x:/closed"]


@pytest.mark.parametrize("keeper", ["gone", "changed", "unheard of"])
def test_an_alias_is_looked_into_when_its_keeper_is_not_what_it_was(keeper: str) -> None:
    source = Here(item("alias"), item("changed", "2"), item("kept"))
    found, todo = made(
        source,
        documents=[known("gone"), known("changed"), known("kept")],
        notes=[entry("alias", keeper=f"x:/{keeper}")],
    )
    assert todo == ["changed", "alias"], "after what it may still be an alias of"
    assert found.unchanged == 1


def test_an_alias_of_what_stays_needs_no_look() -> None:
    source = Here(item("alias"), item("kept"))
    assert (
        made(source, documents=[known("kept")], notes=[entry("alias", keeper="x:/kept")])[1] == []
    )


def test_an_item_of_two_sources_belongs_to_the_outer_one() -> None:
    inner, outer = Item("x:/a/b", "b", "1"), Item("x:/a/b", "a/b", "1")
    found, todo = made(Here(inner, root="x:/a"), Here(outer, root="x:"))
    assert todo == ["a/b"]
    assert len(found.items) == 1
