"""One writer at a time, and one that dies at a chosen point.

At points by chance: `test_kill`; disks that fail: `test_faults`; damage: `test_corruption`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

from rag.errors import CollectionLocked, CorruptIndex
from rag.index import Collection, Row
from tests.support.collections import elsewhere, found, listed, on_disk, spawn
from tests.support.corpus import encode, row, vector


class TestOneWriter:
    def test_a_second_process_is_told_at_once_who_writes(
        self, collection: Collection, place: Path
    ) -> None:
        holder = spawn(place, 'with Collection(path).writing(): print("held", flush=True); input()')
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CollectionLocked, match=f"by process {holder.pid}") as e:
            collection.upsert([row("a", "alpha")], wait=0)
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
np.save = lambda *a, **o: [real(*a, **o), stop()]
""",
    "between files and commit": """
real = segment.write
segment.write = lambda *a: [real(*a), stop()]
""",
    "within the commit": """
real = compact.publish
compact.publish = lambda *a, **o: [real(*a, **o), stop()]
""",
    "between commit and merge": "Merger.wake = stop",
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
from rag.index.merger import Merger
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

    def test_a_failure_is_undone_and_the_next_write_works(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        collection.upsert([row("a", "alpha old")])
        encode(collection)
        with monkeypatch.context() as m:
            m.setattr(collection, "_reuse", lambda *_: 1 / 0)
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


class TestMissing:
    @pytest.mark.parametrize("whole", [False, True], ids=["a file", "the folder"])
    @pytest.mark.parametrize("kind", ["postings", "vectors"])
    def test_a_segment_without_its_files_is_refused_at_the_first_search(
        self, collection: Collection, place: Path, kind: str, whole: bool
    ) -> None:
        collection.upsert([row("a", "alpha")])
        encode(collection)
        sql = "SELECT segment, manifest FROM segments WHERE kind = ?"
        ((number, manifest),) = collection._read.rows(sql, (kind,))
        file = place / "segments" / str(number) / sorted(json.loads(manifest))[0]
        if whole:
            shutil.rmtree(file.parent)
        else:
            file.unlink()
        for search in (lambda c: c.sparse(["alpha"], 1), lambda c: c.dense(vector("q"), 1)):
            opened = Collection(place)
            with pytest.raises(CorruptIndex) as e:
                search(opened)
            assert e.value.file.parent == file.parent
            opened.close()
