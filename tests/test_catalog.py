"""The catalogue: what it refuses, and its transactions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rag.errors import CorruptIndex, IncompatibleIndex
from rag.index import Collection
from rag.index.catalog import FORMAT, Catalog
from tests.support.corpus import row


def fresh(folder: Path) -> Path:
    """A collection with one document, closed; its catalogue's file, checkpointed."""
    opened = Collection(folder, create=True)
    opened.upsert([row("a.md", "some text " * 2000)])
    opened._write.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    return folder / "catalog.sqlite"


def use(folder: Path) -> None:
    """Whatever reads every page."""
    opened = Collection(folder)
    try:
        opened.documents()
        opened.sparse(["text"], 3)
        opened.fetch([opened.sparse(["text"], 1)[0][0]])
        opened.upsert([row("a.md", "other text")])
    finally:
        opened.close()


class TestRefusals:
    def test_not_a_database(self, tmp_path: Path) -> None:
        file = fresh(tmp_path / "c")
        file.write_bytes(b"this is no database\n" * 500)
        with pytest.raises(CorruptIndex, match="not a database") as e:
            Collection(tmp_path / "c")
        assert e.value.file == file

    def test_an_empty_file(self, tmp_path: Path) -> None:
        fresh(tmp_path / "c").write_bytes(b"")
        with pytest.raises(CorruptIndex):
            Collection(tmp_path / "c")

    def test_half_a_file(self, tmp_path: Path) -> None:
        file = fresh(tmp_path / "c")
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2 // 4096 * 4096])
        with pytest.raises(CorruptIndex) as e:
            use(tmp_path / "c")
        assert e.value.file == file

    @pytest.mark.parametrize("noise", [b"\xff", b"\x00"])
    def test_overwritten_pages(self, tmp_path: Path, noise: bytes) -> None:
        file = fresh(tmp_path / "c")
        data = file.read_bytes()
        file.write_bytes(data[:4096] + noise * (len(data) - 4096))
        with pytest.raises(CorruptIndex) as e:
            use(tmp_path / "c")
        assert e.value.file == file

    def test_text_that_is_no_utf_8_any_more(self, tmp_path: Path) -> None:
        file = fresh(tmp_path / "c")
        file.write_bytes(file.read_bytes().replace(b"some text", b"some\xff\xfetxt"))
        with pytest.raises(CorruptIndex) as e:
            use(tmp_path / "c")
        assert e.value.file == file

    def test_another_programs_database(self, tmp_path: Path) -> None:
        file = tmp_path / "catalog.sqlite"
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE other (a)")
        db.close()
        with pytest.raises(CorruptIndex, match="meta"):
            Catalog(file, create=False)

    def test_gone(self, tmp_path: Path) -> None:
        with pytest.raises(CorruptIndex, match="missing"):
            Catalog(tmp_path / "catalog.sqlite", create=False)

    @pytest.mark.parametrize("found", [FORMAT + 1, FORMAT - 1, "?"])
    def test_another_format(self, tmp_path: Path, found: object) -> None:
        file = fresh(tmp_path / "c")
        with sqlite3.connect(file) as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(found),))
        with pytest.raises(IncompatibleIndex) as e:
            Collection(tmp_path / "c")
        assert (e.value.what, e.value.found, e.value.supported) == (
            "format", str(found), str(FORMAT),
        )  # fmt: skip

    def test_the_format_before_the_spaces(self, tmp_path: Path) -> None:
        db = sqlite3.connect(tmp_path / "catalog.sqlite")
        db.executescript(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
            "INSERT INTO meta VALUES ('format', '1'), ('generation', '7');"
            "CREATE TABLE documents (doc INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL);"
        )
        db.close()
        with pytest.raises(
            IncompatibleIndex, match=rf"format is 1, this is {FORMAT}.* index "
        ) as e:
            Collection(tmp_path)
        assert e.value.found == "1"

    def test_a_creation_that_was_cut_short_is_finished(self, tmp_path: Path) -> None:
        db = sqlite3.connect(tmp_path / "catalog.sqlite")
        db.execute("PRAGMA journal_mode=WAL")
        db.close()
        assert (tmp_path / "catalog.sqlite").stat().st_size > 0
        opened = Collection(tmp_path, create=True)
        opened.upsert([row("a.md", "alpha")])
        assert opened.count() == 1
        opened.close()

    def test_a_closed_catalogue_says_so(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path / "catalog.sqlite", create=True)
        catalog.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            catalog.rows("SELECT 1")


class TestTransactions:
    def test_a_change_makes_one_generation_and_none_makes_none(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path / "catalog.sqlite", create=True)
        assert catalog.generation == 0
        with catalog.transaction():
            catalog.set_meta("a", "1")
            catalog.set_meta("b", "2")
        assert catalog.generation == 1
        with catalog.transaction():
            catalog.rows("SELECT * FROM meta")
        assert catalog.generation == 1
        catalog.close()

    def test_a_failure_leaves_nothing(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path / "catalog.sqlite", create=True)

        def change() -> None:
            with catalog.transaction():
                catalog.set_meta("a", "1")
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            change()
        assert (catalog.meta("a"), catalog.generation) == (None, 0)
        with catalog.transaction():
            catalog.set_meta("a", "2")
        assert (catalog.meta("a"), catalog.generation) == ("2", 1)
        catalog.close()

    def test_one_view_for_several_queries(self, tmp_path: Path) -> None:
        a = Catalog(tmp_path / "catalog.sqlite", create=True)
        b = Catalog(tmp_path / "catalog.sqlite", create=False)
        with a.reading():
            assert a.meta("x") is None
            with b.transaction():
                b.set_meta("x", "1")
            assert (a.meta("x"), b.meta("x")) == (None, "1")
        assert a.meta("x") == "1"
        a.close()
        b.close()


class TestNumbers:
    def test_none_is_ever_given_out_twice(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path / "catalog.sqlite", create=True)
        with catalog.transaction():
            assert (catalog.hand_out("passages", 3), catalog.hand_out("passages", 0)) == (1, 4)

        def fail() -> None:
            with catalog.transaction():
                assert catalog.hand_out("passages", 5) == 4
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            fail()
        catalog.close()
        catalog = Catalog(tmp_path / "catalog.sqlite", create=False)
        with catalog.transaction():
            assert (catalog.hand_out("passages", 1), catalog.hand_out("documents", 2)) == (4, 1)
        catalog.close()

    def test_purged_passages_leave_theirs_unused(self, tmp_path: Path) -> None:
        collection = Collection(tmp_path / "c", create=True)
        collection.upsert([row("a", "alpha\n\nbeta"), row("b", "gamma")])
        collection.delete([row("b", "").document.id])
        catalog = collection._write
        with catalog.transaction():
            catalog.purge([2])
        assert catalog.rows("SELECT doc FROM documents") == [(1,)]
        assert catalog.rows("SELECT chunk FROM chunks ORDER BY chunk") == [(1,), (2,)]
        collection.upsert([row("b", "gamma")])
        assert catalog.rows("SELECT doc, first, passages FROM documents ORDER BY doc") == [
            (1, 1, 2),
            (3, 4, 1),
        ]
        collection.close()


def test_what_died_since_a_generation(tmp_path: Path) -> None:
    collection = Collection(tmp_path / "c", create=True)
    a, b = row("a", "alpha\n\nbeta"), row("b", "gamma")
    collection.upsert([a, b])
    first = collection.generation
    collection.upsert([row("a", "new")])
    second = collection.generation
    collection.delete([b.document.id])
    catalog = collection._read
    assert catalog.dead().tolist() == [1, 2, 3]
    assert catalog.dead(first).tolist() == [1, 2, 3]
    assert catalog.dead(second).tolist() == [3]
    assert catalog.dead(collection.generation).tolist() == []
    assert catalog.passages("d.died_in IS NULL").tolist() == [4]
    collection.close()


def test_large_collections_are_read_by_their_indexes(tmp_path: Path) -> None:
    """No query of every search or write walks through all documents."""
    catalog = Catalog(tmp_path / "catalog.sqlite", create=True)
    for sql in (
        "UPDATE documents SET died_in = 1 WHERE id = ? AND died_in IS NULL",
        "SELECT text FROM documents WHERE id = ? AND died_in IS NULL",
        "SELECT d.first FROM documents d WHERE d.died_in > ?",
        "SELECT id FROM documents WHERE id IN (SELECT digest(value) FROM json_each(?)) "
        "AND died_in IS NULL",
        "SELECT max(doc) FROM documents WHERE ? IS NULL",
    ):
        plan = [step for *_, step in catalog.rows(f"EXPLAIN QUERY PLAN {sql}", (None,))]
        assert not [step for step in plan if step == "SCAN documents"], sql
        assert not [step for step in plan if step == "SCAN d"], sql
    catalog.close()
