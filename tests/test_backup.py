"""A backup is one generation, whole; a restore is it again, or nothing."""

from __future__ import annotations

import shutil
import tarfile
import time
from pathlib import Path

import pytest

from rag.errors import BadQuery, CollectionLocked, SourceError
from rag.index import Collection, Tuned, backup
from rag.index.backup import back_up, restore
from rag.index.verify import verify
from tests.support.collections import doc_id, found, spawn
from tests.support.corpus import encode, row, vector


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "notes.tar"


@pytest.fixture
def filled(collection: Collection, target: Path) -> Collection:
    target.parent.mkdir()
    collection.upsert([row("a", "alpha beta\n\nbeta gamma"), row("b", "샘물은 맑다")])
    encode(collection)
    collection.upsert([row("c", "alpha gamma")])
    collection.delete([doc_id("b")])
    return collection


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def state(collection: Collection) -> object:
    query = ["alpha", "gamma"]
    return (
        collection.sparse(query, 9),
        collection.dense(vector("q"), 9),
        collection.documents(),
        collection.outstanding(),
        collection.tuned(),
    )


def opened(place: Path) -> Collection:
    assert verify(place).ok
    return Collection(place)


class TestRoundTrip:
    def test_everything_is_there_again(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        filled.tune(Tuned({"mode": "bm25"}, {"made": "by hand"}))
        (place / "query-log.jsonl").write_text('{"type": "search", "query": "샘"}\n', "utf-8")
        assert back_up(place, target) == target
        assert names(target.parent) == ["notes.tar"]
        before = state(filled)
        filled.upsert([row("a", "omega")])
        again = tmp_path / "home" / "again"
        restore(target, again)
        assert names(again.parent) == ["again"]
        other = opened(again)
        assert state(other) == before
        log = (again / "query-log.jsonl").read_text("utf-8")
        assert log == '{"type": "search", "query": "샘"}\n'
        other.upsert([row("d", "alpha delta")])
        other.delete([doc_id("a")])
        assert found(other, "alpha") == ["alpha gamma", "alpha delta"]
        assert {number for (number,) in other._read.rows("SELECT chunk FROM chunks")} >= {5}
        other.close()
        assert found(filled, "omega") == ["omega"]

    def test_a_folder_gets_a_file_named_after_collection_and_time(
        self, filled: Collection, place: Path, target: Path
    ) -> None:
        file = back_up(place, target.parent)
        assert names(target.parent) == [file.name]
        stamp = time.strptime(file.name, "collection-%Y%m%d-%H%M%S.tar")
        assert abs(time.mktime(stamp) - time.time()) < 3600

    def test_dead_segments_stay_behind(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        filled.compact()
        back_up(place, target)
        with tarfile.open(target) as tar:
            held = {m.name.split("/")[1] for m in tar if m.name.startswith("segments/")}
        live = filled._read.rows("SELECT segment FROM segments WHERE died_at IS NULL")
        assert held == {str(n) for (n,) in live}

    def test_a_later_backup_replaces_the_file_whole(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        back_up(place, target)
        filled.upsert([row("new", "omega")])
        (target.parent / ".notes.tar.tmp").mkdir()  # an earlier one was killed
        back_up(place, target)
        assert names(target.parent) == ["notes.tar"]
        restore(target, tmp_path / "again")
        other = opened(tmp_path / "again")
        assert found(other, "omega") == ["omega"]
        other.close()


class TestWhileOthersWrite:
    def test_it_is_one_generation(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        script = """
c = Collection(path)
for i in range(10_000):
    c.upsert([row("one", f"pair {i}"), row("two", f"pair {i}"), row(f"d{i % 5}", "alpha")])
    if i == 0:
        print("writing", flush=True)
    encode(c)
    if i % 5 == 0:
        c.tidy()
"""
        writer = spawn(place, script)
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            for i in range(5):
                back_up(place, target)
                restore(target, tmp_path / f"again{i}")
                other = opened(tmp_path / f"again{i}")
                texts = {other.text(doc_id(name)) for name in ("one", "two")}
                assert len(texts) == 1
                assert found(other, "pair") == 2 * list(texts)
                other.close()
            assert writer.poll() is None
        finally:
            writer.kill()
            writer.wait()

    def test_nothing_that_it_copies_is_purged_meanwhile(
        self,
        filled: Collection,
        place: Path,
        target: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        expected = filled.sparse(["alpha"], 9)
        copy = backup.copy_catalogue

        def then_compact(file: Path, to: Path) -> object:
            listed = copy(file, to)
            filled.upsert([row("a", "other"), row("c", "other")])
            filled.compact()
            return listed

        monkeypatch.setattr(backup, "copy_catalogue", then_compact)
        back_up(place, target)
        restore(target, tmp_path / "again")
        other = opened(tmp_path / "again")
        assert other.sparse(["alpha"], 9) == expected
        other.close()
        assert found(filled, "alpha") == []

    def test_a_second_backup_waits_its_turn_or_is_told(
        self, filled: Collection, place: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backup, "_LEASE", 0.0)
        script = """
from rag.index.lock import WriterLock
with WriterLock(path / "backup.lock").hold(): print("held", flush=True); input()
"""
        holder = spawn(place, script)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CollectionLocked):
            back_up(place, target)
        assert names(target.parent) == []
        holder.communicate("\n", timeout=30)
        back_up(place, target)


class TestInterrupted:
    def test_a_backup_that_is_killed_leaves_the_last_one(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        back_up(place, target)
        whole = target.read_bytes()
        filled.upsert([row("new", "omega")])
        script = f"""
from rag.index import backup
real = backup._add
def stop(tar, file, name):
    if name.endswith("rows.npy"):
        print("there", flush=True)
        time.sleep(60)
    return real(tar, file, name)
backup._add = stop
backup.back_up(path, Path({str(target)!r}))
"""
        killed = spawn(place, script)
        assert killed.stdout is not None
        assert killed.stdout.readline() == "there\n"
        killed.kill()
        killed.wait()
        assert target.read_bytes() == whole
        back_up(place, target)
        assert names(target.parent) == ["notes.tar"]

    @pytest.mark.parametrize("point", ["_extract", "verify", "_sync"])
    @pytest.mark.parametrize("force", [False, True])
    def test_a_restore_that_is_killed_changes_nothing(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path, point: str, force: bool
    ) -> None:
        back_up(place, target)
        again = tmp_path / "home" / "again"
        if force:
            shutil.copytree(place, again)
            was = opened(again)
            was.upsert([row("was", "omega")])
            was.close()
        script = f"""
from rag.index import backup
def stop(*a):
    print("there", flush=True)
    time.sleep(60)
backup.{point} = stop
backup.restore(Path({str(target)!r}), Path({str(again)!r}), force={force})
"""
        killed = spawn(place, script)
        assert killed.stdout is not None
        assert killed.stdout.readline() == "there\n"
        killed.kill()
        killed.wait()
        if force:
            same = opened(again)
            assert found(same, "omega") == ["omega"]
            same.close()
        else:
            assert not again.exists()
        restore(target, again, force=force)
        assert names(again.parent) == ["again"]
        other = opened(again)
        assert state(other) == state(filled)
        other.close()

    def test_one_killed_between_its_two_renames_is_undone_by_the_next(
        self, filled: Collection, place: Path, target: Path
    ) -> None:
        back_up(place, target)
        filled.close()
        place.rename(place.with_name(".collection.replaced"))
        with pytest.raises(BadQuery, match="--force"):
            restore(target, place)
        other = opened(place)
        assert found(other, "alpha") == ["alpha beta", "alpha gamma"]
        other.close()


def test_a_query_log_that_is_moved_away_meanwhile(
    filled: Collection, place: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, add = place / "query-log.jsonl", backup._add
    log.write_text("{}\n")

    def late(tar: tarfile.TarFile, file: Path, name: str) -> str:
        if file == log:
            log.unlink()
        return add(tar, file, name)

    monkeypatch.setattr(backup, "_add", late)
    back_up(place, target)
    with tarfile.open(target) as tar:
        assert log.name not in tar.getnames()


def test_a_target_in_no_folder(filled: Collection, place: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder") as e:
        back_up(place, tmp_path / "none" / "x.tar")
    assert e.value.remedy == "Make the folder first"
