"""`verify` finds what is wrong, says with which file, and changes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from rag.index import Collection
from rag.index.catalog import FORMAT
from rag.index.merger import Merger
from rag.index.verify import Verified, verify
from tests.support.collections import doc_id, spawn
from tests.support.corpus import ANALYSE, encode, row


@pytest.fixture(autouse=True)
def _no_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Merger, "wake", lambda self: None)


@pytest.fixture
def sound(collection: Collection, place: Path) -> Path:
    """A closed collection of three segments of postings and two of vectors."""
    collection.upsert(
        [row("a", "alpha beta\n\nbeta gamma"), row("b", "샘물은 맑다\n\nspring water")]
    )
    encode(collection)
    collection.upsert([row("c", "gamma delta " * 30)])
    encode(collection)
    collection.upsert([row("d", "delta")])
    collection.delete([doc_id("d")])
    collection.close()
    return place


def check(place: Path, sample: int = 100) -> Verified:
    return verify(place, ANALYSE, sample)


def serious(place: Path, sample: int = 100) -> list[tuple[str, str]]:
    """File, within the collection, and what is wrong with it."""
    problems = check(place, sample).problems
    return [(str(p.file.relative_to(place)), p.what) for p in problems if p.serious]


def segments(place: Path, kind: str) -> list[int]:
    sql = "SELECT segment FROM segments WHERE kind = ? ORDER BY segment"
    with sqlite3.connect(place / "catalog.sqlite") as db:
        return [n for (n,) in db.execute(sql, (kind,))]


def change(place: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(place / "catalog.sqlite") as db:
        assert db.execute(sql, values).rowcount > 0
    db.close()


class TestSound:
    def test_nothing_is_wrong_and_everything_was_looked_at(self, sound: Path) -> None:
        assert check(sound) == Verified(3, 5, 5, 5, [])
        assert check(sound, sample=2).sampled == 2
        assert verify(sound) == Verified(3, 5, 5, 0, [])

    def test_an_empty_collection_is_sound(self, collection: Collection, place: Path) -> None:
        assert check(place) == Verified(0, 0, 0, 0, [])

    def test_it_changes_nothing(self, sound: Path) -> None:
        def state() -> dict[str, bytes]:
            files = (f for f in sound.rglob("*") if f.is_file())
            names = {f.relative_to(sound).as_posix(): f.read_bytes() for f in files}
            return {n: b for n, b in names.items() if not n.endswith((".lock", "-shm", "-wal"))}

        before = state()
        (sound / "segments" / "77").mkdir()
        assert check(sound).ok
        assert state() == before
        assert (sound / "segments" / "77").is_dir()

    def test_it_is_right_while_another_process_writes(
        self, collection: Collection, place: Path
    ) -> None:
        script = """
c = Collection(path)
for i in range(10_000):
    c.upsert([row(f"d{i % 7}", f"alpha w{i}"), row(f"e{i}", "beta")])
    if i == 0:
        print("writing", flush=True)
    encode(c)
    if i % 10 == 0:
        c.tidy()
"""
        writer = spawn(place, script)
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            for _ in range(8):
                found = check(place, sample=20)
                assert [p for p in found.problems if p.serious] == []
            assert found.documents > 0
            assert writer.poll() is None
        finally:
            writer.kill()
            writer.wait()


class TestFiles:
    def test_every_file_of_a_segment_that_is_damaged_or_gone(self, sound: Path) -> None:
        files = sorted((sound / "segments").glob("[0-9]*/*"))
        assert len(files) > 20
        for file in files:
            whole = file.read_bytes()
            name = str(file.relative_to(sound))
            file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            assert serious(sound) == [(name, "it is damaged")]
            file.unlink()
            assert serious(sound) == [(name, "it is missing")]
            file.write_bytes(whole)
        assert check(sound).ok

    def test_a_segment_that_is_gone(self, sound: Path) -> None:
        number = segments(sound, "postings")[0]
        shutil.rmtree(sound / "segments" / str(number))
        found = check(sound)
        assert [(p.file.name, p.what) for p in found.problems] == [
            (str(number), "the segment is missing")
        ]
        assert "rag restore" in found.problems[0].remedy

    def test_what_is_left_over_is_told_but_harmless(self, sound: Path) -> None:
        (sound / "segments" / "99").mkdir()
        number = segments(sound, "vectors")[0]
        (sound / "segments" / str(number) / "more.npy").write_bytes(b"")
        found = check(sound)
        assert found.ok
        assert {p.file.name for p in found.problems} == {"99", "more.npy"}
        again = Collection(sound)
        with again.writing():
            assert {p.file.name for p in check(sound).problems} == {"more.npy"}, "in progress"
        again.upsert([row("x", "")])
        assert {p.file.name for p in check(sound).problems} == {"more.npy"}
        again.close()

    def test_a_catalogue_that_is_none(self, sound: Path) -> None:
        file = sound / "catalog.sqlite"
        whole = file.read_bytes()
        file.write_bytes(b"x" * len(whole))
        assert serious(sound) == [("catalog.sqlite", "file is not a database")]
        file.write_bytes(whole[: len(whole) // 2])
        assert {name for name, _ in serious(sound)} == {"catalog.sqlite"}
        file.unlink()
        assert serious(sound) == [("catalog.sqlite", "it is missing")]

    def test_another_format(self, sound: Path) -> None:
        change(sound, "UPDATE meta SET value = '1' WHERE key = 'format'")
        (problem,) = check(sound).problems
        assert problem.what == f"its format is 1, this is {FORMAT}"
        assert "index into a new collection" in problem.remedy


class TestAgreement:
    @pytest.mark.parametrize(
        ("sql", "what"),
        [
            ("UPDATE documents SET text = text || '!' WHERE path = 'a'",
             "the text of document 'a' is not what was indexed"),
            ("UPDATE chunks SET stop = 9999 WHERE chunk = 2",
             "passage 1 of 'a' is not what its text says"),
            ("UPDATE chunks SET start = -1 WHERE chunk = 1",
             "passage 0 of 'a' is not what its text says"),
            ("UPDATE chunks SET content = zeroblob(16) WHERE chunk = 3",
             "passage 0 of 'b' is not what its text says"),
            ("UPDATE documents SET passages = 3 WHERE path = 'b'",
             "document 'b' lacks some of its passages"),
        ],
    )  # fmt: skip
    def test_a_catalogue_that_contradicts_itself(self, sound: Path, sql: str, what: str) -> None:
        change(sound, sql)
        assert ("catalog.sqlite", what) in serious(sound, sample=0)

    def test_an_id_that_differs_from_the_segments(self, sound: Path) -> None:
        change(sound, "UPDATE chunks SET id = zeroblob(16) WHERE chunk = 1")
        postings, vectors = segments(sound, "postings")[0], segments(sound, "vectors")[0]
        found = serious(sound, sample=0)
        for number in (postings, vectors):
            assert (f"segments/{number}/ids.npy", "1 ids differ from the catalogue's") in found

    def test_passages_that_no_segment_has_or_two(self, sound: Path) -> None:
        first, second, _ = segments(sound, "postings")
        change(sound, "DELETE FROM segments WHERE segment = ?", second)
        (found,) = serious(sound, sample=0)
        assert found[1].startswith("1 passages are in no segment, the first is ")
        shutil.rmtree(sound / "segments" / str(second))
        shutil.copytree(sound / "segments" / str(first), sound / "segments" / str(second))
        change(sound, """INSERT INTO segments (segment, kind, rows, manifest)
                         SELECT ?, kind, rows, manifest FROM segments WHERE segment = ?""",
               second, first)  # fmt: skip
        whats = [what for _, what in serious(sound, sample=0)]
        assert any(w.startswith("4 passages are in several segments of postings") for w in whats)

    def test_passages_that_the_catalogue_does_not_know(self, sound: Path) -> None:
        change(sound, "DELETE FROM chunks WHERE chunk > 4")
        found = serious(sound, sample=0)
        number = segments(sound, "postings")[1]
        what = "1 passages are unknown to the catalogue, the first is row 5"
        assert (f"segments/{number}/rows.npy", what) in found
        assert ("catalog.sqlite", "document 'c' lacks some of its passages") in found

    def test_postings_of_another_text(self, sound: Path) -> None:
        """Every checksum and id is right, but the postings were made of something else."""
        other = sound.with_name("other")
        made = Collection(other, create=True)
        made.upsert([row("a", "alpha beta\n\nbeta omega"), row("b", "샘물은 맑다\n\nspring water")])
        made.close()
        number = segments(sound, "postings")[0]
        manifest = {}
        with sqlite3.connect(other / "catalog.sqlite") as db:
            ((text,),) = db.execute("SELECT manifest FROM segments")
        manifest = json.loads(text)
        with sqlite3.connect(sound / "catalog.sqlite") as db:
            ((text,),) = db.execute("SELECT manifest FROM segments WHERE segment = ?", (number,))
        mine = json.loads(text)
        target = sound / "segments" / str(number)
        for name in manifest:
            if name not in ("rows.npy", "ids.npy"):
                shutil.copy(other / "segments" / "1" / name, target / name)
                mine[name] = manifest[name]
        change(
            sound, "UPDATE segments SET manifest = ? WHERE segment = ?", json.dumps(mine), number
        )
        assert serious(sound, sample=0) == []
        (found,) = serious(sound)
        assert found[0] == f"segments/{number}"
        assert found[1].startswith("1 of 4 passages analysed again have other terms")
