from __future__ import annotations

import errno
from pathlib import Path

import pytest

from indexer.ledger import Entry, Ledger
from rag.errors import RagError, SourceError

FAILED = Entry("file:///b", "b", "failed", "is bad", "Mend it", 3, "", "1:2#r", "ab")
ALIAS = Entry("file:///a", "a", "alias", "says the same", keeper="file:///k", stamp="s")


def test_what_is_put_is_there_until_it_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.transaction():
        ledger.put([FAILED, ALIAS])
    ledger.close()
    again = Ledger(tmp_path)
    assert again.entries() == [ALIAS, FAILED]
    assert again.entries("failed") == [FAILED]
    assert again.entries("failed", "dropped") == [FAILED]
    assert str(again.entries("failed")[0].error) == "b:3: is bad. Mend it"
    with again.transaction():
        again.put([Entry("file:///b", "b", "dropped", "is noise")])
        again.forget(["file:///a"])
    assert [(e.path, e.state) for e in again.entries()] == [("b", "dropped")]


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)

    def change() -> None:
        with ledger.transaction():
            ledger.put([FAILED])
            raise SourceError("x", "breaks")

    with pytest.raises(SourceError):
        change()
    assert ledger.entries() == []


@pytest.mark.parametrize(
    "damage", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_one_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    ledger = Ledger(tmp_path)
    with ledger.transaction():
        ledger.put([FAILED])
    ledger.close()
    ledger.file.write_bytes(damage)
    assert Ledger(tmp_path).entries() == []
    assert Ledger(tmp_path).entries() == []


def test_one_of_another_version_is_made_anew(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.transaction():
        ledger.put([FAILED])
    ledger.db.execute("PRAGMA user_version = 99")
    ledger.close()
    assert Ledger(tmp_path).entries() == []


def test_a_full_disk_is_told_as_such_and_costs_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.transaction():
        ledger.put([FAILED])
    pages = ledger.db.execute("PRAGMA page_count").fetchone()[0]
    ledger.db.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with ledger.transaction():
            ledger.put(Entry(f"file:///{i}", "x" * 500, "dropped", "") for i in range(100))

    with pytest.raises(OSError, match=r"sources\.sqlite") as raised:
        fill()
    assert raised.value.errno == errno.ENOSPC
    assert ledger.entries() == [FAILED]


def test_one_that_cannot_be_opened_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sources.sqlite").mkdir()
    with pytest.raises(RagError, match=r"cannot be used .*See that nothing else holds"):
        Ledger(tmp_path)
    assert (tmp_path / "sources.sqlite").is_dir()


def test_pages_that_were_named_are_known_by_what_named_them(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.transaction():
        ledger.name("one", ["a", "b"])
        ledger.name("one", ["b", "c"])
        ledger.name("two", ["a"])
        ledger.unname(["b"])
    assert (ledger.named("one"), ledger.named("two"), ledger.named("x")) == (
        {"a", "c"},
        {"a"},
        set(),
    )
