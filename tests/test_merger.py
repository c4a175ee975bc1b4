"""Merging in the background keeps nobody waiting and loses nothing that happens meanwhile."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.errors import CollectionLocked
from rag.index import Collection, compact, merger, segment, tiers, upkeep
from rag.index.turn import Turn
from rag.index.verify import verify
from tests.support.collections import doc_id, elsewhere, found, listed, on_disk, spawn
from tests.support.corpus import encode, row, vector
from tests.test_merge import live, rounded

PATIENCE = 60.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


class Gate:
    """Keeps a merge between its files and its publishing until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._write = segment.write
        monkeypatch.setattr(segment, "write", self.write)

    def write(self, folder: Path, arrays: Mapping[str, Any]) -> Mapping[str, str]:
        manifest = self._write(folder, arrays)
        if compact.MERGING in folder.name:
            self.reached.set()
            assert self.opened.wait(PATIENCE)
        return manifest


class TestBackground:
    def test_small_commits_are_merged_without_being_asked(self, collection: Collection) -> None:
        for i in range(2 * tiers.FAN_OUT):
            collection.upsert([row(f"d{i}", f"alpha w{i}")])
            encode(collection)
        until(lambda: len(live(collection, "postings")) <= tiers.FAN_OUT)
        until(lambda: len(live(collection, "vectors")) <= tiers.FAN_OUT)
        assert len(found(collection, "alpha")) == 16
        assert len(collection.dense(vector("q"), 99)) == 16
        assert collection.outstanding() == 0

    def test_writers_and_searches_go_on_while_it_writes_and_no_dead_passage_returns(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = Gate(monkeypatch)
        for i in range(tiers.FAN_OUT):
            collection.upsert([row(f"d{i}", f"alpha w{i}")])
        assert gate.reached.wait(PATIENCE)
        collection.delete([doc_id("d0")])
        collection.upsert([row("d1", "alpha anew"), row("new", "alpha beta")])
        elsewhere(place, 'Collection(path).delete([row("d2", "").document.id])')
        expected = ["alpha anew", *(f"alpha w{i}" for i in range(3, 8)), "alpha beta"]
        assert found(collection, "alpha") == expected
        assert any(compact.MERGING in name for name in on_disk(place)), "no sweep took it away"
        before = rounded(collection.sparse(["alpha", "w5"], 9))
        gate.opened.set()
        until(lambda: len(live(collection, "postings")) == 2)
        assert live(collection, "postings") == [2, 8], "what died meanwhile is still in it"
        assert found(collection, "alpha") == expected
        assert rounded(collection.sparse(["alpha", "w5"], 9)) == before
        other = Collection(place)
        assert found(other, "alpha") == expected
        other.close()

    def test_closing_gives_up_a_merge_under_way(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merger, "RATE", 1)  # bytes a second: it would take hours
        for i in range(tiers.FAN_OUT):
            collection.upsert([row(f"d{i}", f"alpha w{i}")])
        until(lambda: collection._merger._lock._depth > 0)
        collection.close()
        assert collection._merger._thread is not None
        assert not collection._merger._thread.is_alive()
        monkeypatch.undo()
        other = Collection(place)
        assert len(live(other, "postings")) == tiers.FAN_OUT
        other.tidy()
        assert live(other, "postings") == [tiers.FAN_OUT]
        assert on_disk(place) == listed(other)
        assert len(found(other, "alpha")) == tiers.FAN_OUT
        other.close()

    def test_its_thread_ends_when_there_is_nothing_to_do_and_starts_again(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merger, "_LINGER", 0.01)
        for i in range(3):
            collection.upsert([row(f"d{i}", "alpha")])
            until(lambda: collection._merger._thread is None)

    def test_after_the_grace_it_purges_segments_and_documents(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "GRACE", 0.01)
        monkeypatch.setattr(upkeep, "_SELDOM", 0.01)
        collection.upsert([row(f"d{i}", "alpha") for i in range(2)])
        collection.delete([doc_id("d0"), doc_id("d1")])
        collection.upsert([row("new", "alpha")])
        until(lambda: collection._read.rows("SELECT path FROM documents") == [("new",)])
        until(lambda: on_disk(place) == listed(collection) == {"2"})
        assert collection._read.rows("SELECT count(*) FROM chunks") == [(1,)]
        assert found(collection, "alpha") == ["alpha"]

    def test_a_failure_is_logged_and_costs_no_commit(
        self,
        collection: Collection,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as m:
            m.setattr(compact, "join", full)
            for i in range(tiers.FAN_OUT):
                collection.upsert([row(f"d{i}", "alpha")])
            until(lambda: "No space left" in caplog.text)
            with pytest.raises(OSError, match="No space left"):
                collection.tidy()
        assert len(found(collection, "alpha")) == tiers.FAN_OUT
        collection.tidy()
        assert live(collection, "postings") == [tiers.FAN_OUT]


class TestTurn:
    def test_who_takes_it_again_and_again_lets_others_in_between(self) -> None:
        turn, order = Turn(), []

        def other() -> None:
            with turn:
                order.append("other")

        thread = threading.Thread(target=other)
        with turn:
            order.append("first")
            thread.start()
            until(turn._door.locked)
        with turn:
            order.append("again")
        thread.join()
        assert order == ["first", "other", "again"]

    def test_an_error_gives_it_back(self) -> None:
        turn = Turn()
        with pytest.raises(ZeroDivisionError), turn:
            _ = 1 / 0
        with turn:
            assert turn._room.locked()


class TestDenseIndex:
    def test_large_segments_of_vectors_get_one_which_goes_with_them(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(upkeep, "_FEW", 300)
        monkeypatch.setattr(merger.Merger, "wake", lambda self: None)
        collection._merger.upkeep.kind = "ivf"
        of = "SELECT of, manifest FROM segments WHERE kind = 'ann' AND died_at IS NULL"
        for i in range(2):
            rows = [row(f"d{n}", f"alpha w{n}") for n in range(200 * i, 200 * (i + 1))]
            collection.upsert(rows)
            encode(collection)
        collection.tidy()
        assert collection._read.rows(of) == [], "two small ones"
        collection.compact()
        collection.tidy()
        live = "SELECT segment FROM segments WHERE kind = 'vectors' AND died_at IS NULL"
        ((whole,),) = collection._read.rows(live)
        ((number, manifest),) = collection._read.rows(of)
        assert number == whole
        assert {name.partition(".")[0] for name in json.loads(manifest)} == {"ivf"}
        assert len(collection.dense(vector("q"), 9)) == 9
        assert verify(place).ok
        collection.delete([doc_id(f"d{n}") for n in range(0, 400, 2)])
        collection.compact()
        assert collection._read.rows(of) == [], "too small again"
        assert on_disk(place) == listed(collection)


class TestLoading:
    def test_a_load_is_merged_at_its_end(self, collection: Collection) -> None:
        with collection.loading():
            for i in range(2 * tiers.FAN_OUT):
                collection.upsert([row(f"d{i}", "alpha")])
            collection.tidy()
            assert len(live(collection, "postings")) == 2 * tiers.FAN_OUT
        collection.tidy()
        assert live(collection, "postings") == [2 * tiers.FAN_OUT]


class TestOneMerger:
    def test_another_process_that_merges_is_left_to_it(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merger, "_WAIT", 0.0)
        monkeypatch.setattr(merger.Merger, "wake", lambda self: None)
        for i in range(tiers.FAN_OUT):
            collection.upsert([row(f"d{i}", "alpha")])
        script = """
from rag.index.lock import WriterLock
with WriterLock(path / "merge.lock").hold(): print("held", flush=True); input()
"""
        holder = spawn(place, script)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        collection.tidy()
        assert len(live(collection, "postings")) == tiers.FAN_OUT
        with pytest.raises(CollectionLocked, match=f"process {holder.pid}"):
            collection.compact()
        holder.communicate("\n", timeout=PATIENCE)
        collection.tidy()
        assert live(collection, "postings") == [tiers.FAN_OUT]

    @pytest.mark.parametrize("point", ["between files and publishing", "within the files"])
    def test_one_that_is_killed_leaves_nothing_that_counts(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch, point: str
    ) -> None:
        monkeypatch.setattr(merger.Merger, "wake", lambda self: None)
        for i in range(tiers.FAN_OUT):
            collection.upsert([row(f"d{i}", f"alpha {i}")])
        before = rounded(collection.sparse(["alpha"], 9))
        where = "compact.replace" if point == "between files and publishing" else "segment.rename"
        script = f"""
def stop(*a):
    print("there", flush=True)
    time.sleep(60)
{where} = stop
Collection(path).tidy()
"""
        killed = spawn(place, script)
        assert killed.stdout is not None
        assert killed.stdout.readline() == "there\n"
        killed.kill()
        killed.wait()
        other = Collection(place)
        assert rounded(other.sparse(["alpha"], 9)) == before
        other.tidy()
        assert live(other, "postings") == [tiers.FAN_OUT]
        assert on_disk(place) == listed(other)
        assert rounded(other.sparse(["alpha"], 9)) == before
        other.close()


def test_goes_on_after_any_error(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = upkeep.Upkeep.due, []

    def due(self: upkeep.Upkeep, grace: float, fan_out: int) -> float | None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("out of memory on the device")
        return real(self, grace, fan_out)

    monkeypatch.setattr(upkeep.Upkeep, "due", due)
    monkeypatch.setattr(merger, "_RETRY", 0.01)
    for i in range(tiers.FAN_OUT):
        collection.upsert([row(f"d{i}", "alpha")])
    until(lambda: bool(calls))
    collection.upsert([row("last", "alpha")])
    until(lambda: len(live(collection, "postings")) <= 2)
    assert "out of memory on the device" in caplog.text


def test_ends_when_the_collection_is_removed(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(self: upkeep.Upkeep, grace: float, fan_out: int) -> float | None:
        shutil.rmtree(collection.path)
        return 0.0

    monkeypatch.setattr(upkeep.Upkeep, "due", gone)
    collection.upsert([row("a", "alpha")])
    until(lambda: not (collection._merger._thread and collection._merger._thread.is_alive()))
    assert not caplog.records
