"""One writer, crashes and damage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from rag.errors import (
    CollectionLocked,
    CorruptIndex,
)
from rag.index import Collection, Row
from tests.support.collections import (
    elsewhere,
    found,
    listed,
    on_disk,
    spawn,
)
from tests.support.corpus import encode, row, vector


class TestOneWriter:
    def test_a_second_process_is_told_at_once_who_writes(
        self, collection: Collection, place: Path
    ) -> None:
        holder = spawn(place, 'with Collection(path).writing(): print("held", flush=True); input()')
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        start = time.monotonic()
        with pytest.raises(CollectionLocked, match=f"by process {holder.pid}") as e:
            collection.upsert([row("a", "alpha")], wait=0)
        assert time.monotonic() - start < 0.5
        assert e.value.owner == f"process {holder.pid}"
        assert collection.count() == 0, "reading goes on"
        holder.kill()
        holder.wait()
        collection.upsert([row("a", "alpha")], wait=5)
        assert collection.count() == 1

    def test_another_thread_waits_or_is_told(self, collection: Collection, place: Path) -> None:
        outcome: list[str] = []

        def write() -> None:
            try:
                collection.upsert([row("a", "alpha")], wait=0)
            except CollectionLocked as e:
                outcome.append(e.owner)

        with collection.writing():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
            collection.upsert([row("b", "beta")], wait=0)
        assert outcome == ["this process"]
        write()
        assert collection.count() == 2

    def test_a_second_open_collection_counts_as_another(
        self, collection: Collection, place: Path
    ) -> None:
        other = Collection(place)
        with collection.writing(), pytest.raises(CollectionLocked, match=str(os.getpid())):
            other.delete(["x"], wait=0)
        assert other.delete(["x"], wait=0) == 0
        other.close()

    def test_an_error_releases_it(self, collection: Collection, place: Path) -> None:
        broken = row("a", "alpha")
        with pytest.raises(AttributeError):
            collection.upsert([Row(broken.document, "en", broken.chunks, [[None]])])  # type: ignore[list-item]
        assert collection.count() == 0
        elsewhere(place, 'Collection(path).upsert([row("a", "beta")], wait=0)')
        assert found(collection, "beta") == ["beta"]


KILLED = {
    "before a file is written": "segment.write = stop",
    "between two files": """
import numpy as np
real = np.save
def save(f, a, **o):
    real(f, a, **o)
    f.flush()
    stop()
np.save = save
""",
    "between files and commit": """
real = segment.write
segment.write = lambda *a: [real(*a), stop()]
""",
    "between commit and merge": "compact.tidy = stop",
}


class TestCrash:
    @pytest.mark.parametrize("point", KILLED)
    def test_a_killed_writer_leaves_the_last_commit_whole(
        self, collection: Collection, place: Path, point: str
    ) -> None:
        collection.upsert([row("a", "alpha old"), row("b", "beta")])
        encode(collection)
        generation = collection.generation
        script = f"""
def stop(*a, **o):
    print("there", flush=True)
    time.sleep(60)
{KILLED[point]}
Collection(path).upsert([row("a", "alpha new"), row("c", "alpha gamma")])
"""
        writer = spawn(place, script)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "there\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()

        other = Collection(place)
        committed = point == "between commit and merge"
        for c in (collection, other):
            expected = ["alpha new", "beta", "alpha gamma"] if committed else ["alpha old", "beta"]
            assert found(c, "alpha", "beta") == expected
            assert c.generation == generation + committed
            assert len(c.dense(vector("q"), 9)) == (1 if committed else 2)
        collection.upsert([row("d", "alpha delta")])
        assert found(other, "alpha", "beta") == [*expected, "alpha delta"]
        assert on_disk(place) == listed(collection)
        assert collection._read.rows("PRAGMA integrity_check") == [("ok",)]
        other.close()

    def test_a_merge_that_is_killed_changes_nothing(
        self, collection: Collection, place: Path
    ) -> None:
        for i in range(4):
            collection.upsert([row(f"d{i}", f"alpha {i}")])
        before = collection.sparse(["alpha"], 9)
        script = """
compact.FAN_OUT = 2
real = segment.write
def stop(*a):
    real(*a)
    print("there", flush=True)
    time.sleep(60)
segment.write = stop
c = Collection(path)
compact.tidy(c._write, path / "segments")
"""
        writer = spawn(place, script)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "there\n"
        writer.kill()
        writer.wait()
        other = Collection(place)
        assert other.sparse(["alpha"], 9) == before
        other.upsert([row("e", "epsilon")])
        assert on_disk(place) == listed(other)
        assert found(other, "alpha") == [f"alpha {i}" for i in range(4)]
        other.close()

    def test_a_failure_is_undone_and_the_next_write_works(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        collection.upsert([row("a", "alpha old")])
        with monkeypatch.context() as m:
            m.setattr(collection, "_reuse_vectors", lambda first: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                collection.upsert([row("a", "alpha new")])
        assert found(collection, "alpha") == ["alpha old"]
        collection.upsert([row("a", "alpha newer")])
        assert found(collection, "alpha") == ["alpha newer"]

    def test_a_strange_file_among_the_segments_does_no_harm(
        self, collection: Collection, place: Path
    ) -> None:
        (place / "segments" / ".DS_Store").write_bytes(b"")
        collection.upsert([row("a", "alpha")])
        assert found(collection, "alpha") == ["alpha"]


class TestCorruption:
    @pytest.mark.parametrize("damage", ["flip", "delete", "place"])
    @pytest.mark.parametrize("kind", ["postings", "vectors"])
    def test_a_damaged_segment_is_refused_at_the_first_search(
        self, collection: Collection, place: Path, kind: str, damage: str
    ) -> None:
        collection.upsert([row("a", "alpha")])
        encode(collection)
        sql = "SELECT segment, manifest FROM segments WHERE kind = ?"
        ((number, manifest),) = collection._read.rows(sql, (kind,))
        file = place / "segments" / str(number) / sorted(json.loads(manifest))[0]
        if damage == "flip":
            data = bytearray(file.read_bytes())
            data[-1] ^= 1
            file.write_bytes(data)
        elif damage == "delete":
            file.unlink()
        else:
            shutil.rmtree(file.parent)
        for search in (lambda c: c.sparse(["alpha"], 1), lambda c: c.dense(vector("q"), 1)):
            opened = Collection(place)
            with pytest.raises(CorruptIndex) as e:
                search(opened)
            assert e.value.file.parent == file.parent
            opened.close()
