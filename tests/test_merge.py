"""Merging, purging and compacting change no answer, nor does anything else that could."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.index import Collection, compact, segment, tiers
from rag.index.merger import Merger
from rag.types import Filter
from tests.support.collections import doc_id, found, listed, on_disk
from tests.support.corpus import bm25, encode, row, vector


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is merged unless the test says so, and then two segments are too many."""
    monkeypatch.setattr(Merger, "wake", lambda self: None)
    monkeypatch.setattr(tiers, "FAN_OUT", 2)


def live(collection: Collection, kind: str) -> list[int]:
    """How many passages each live segment has."""
    sql = "SELECT rows FROM segments WHERE died_at IS NULL AND kind = ? ORDER BY segment"
    return [rows for (rows,) in collection._read.rows(sql, (kind,))]


def fill(collection: Collection) -> None:
    for i in range(9):
        text = f"alpha w{i}\n\n" + "beta " * i + "gamma"
        collection.upsert([row(f"d{i}", text), row("changing", f"alpha beta {i}")])
        encode(collection)
    collection.delete([doc_id("d4")])


def answers(collection: Collection) -> list[list[tuple[str, float]]]:
    """What must not change."""
    query = ["alpha", "beta", "w3"]
    return [
        rounded(collection.sparse(query, 99)),
        rounded(collection.sparse(query, 5, Filter(path="d*"), scorer="tfidf")),
        rounded(collection.sparse(["gamma"], 3)),
        rounded(collection.dense(vector("q"), 99)),
    ]


def rounded(hits: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Hits whose scores may differ in their last digit."""
    return [(id_, round(score, 5)) for id_, score in hits]


@pytest.mark.usefixtures("by_hand")
class TestMerge:
    def test_results_stay_the_same(self, collection: Collection, place: Path) -> None:
        fill(collection)
        before = answers(collection)
        postings, vectors = live(collection, "postings"), live(collection, "vectors")
        assert len(postings) == len(vectors) == 9
        collection.tidy()
        assert sum(live(collection, "postings")) == sum(live(collection, "vectors")) == 17
        assert len(live(collection, "postings")) < 4
        assert len(live(collection, "vectors")) < 4
        assert answers(collection) == before
        assert on_disk(place) == listed(collection)
        other = Collection(place)
        assert answers(other) == before
        assert collection.outstanding() == other.outstanding() == 0
        other.close()

    def test_a_reader_of_an_older_generation_goes_on(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(collection)
        reader = Collection(place)
        before = answers(reader)
        snapshot = reader._current()
        collection.tidy()
        monkeypatch.setattr(reader, "_current", lambda: snapshot)
        assert answers(reader) == before
        reader.close()

    def test_it_does_so_under_filters_while_documents_are_replaced_and_deleted(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        collection.upsert([row("a", "alpha old"), row("b", "alpha beta")])
        encode(collection)
        reader = Collection(place)
        snapshot = reader._current()
        collection.upsert([row("a", "alpha new")])
        collection.delete([doc_id("b")])
        now = reader._current
        for current, expected in (
            (lambda: snapshot, ["alpha old", "alpha beta"]),
            (now, ["alpha new"]),
        ):
            monkeypatch.setattr(reader, "_current", current)
            assert found(reader, "alpha", filter=Filter(path="*")) == expected
            assert found(reader, "alpha") == expected
        reader.close()

    def test_what_died_is_kept_for_its_grace_and_then_gone(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dead = "SELECT path FROM documents WHERE died_in IS NOT NULL ORDER BY doc"
        fill(collection)
        collection.tidy()
        assert len(collection._read.rows(dead)) == 9, "searches under way may ask for them"
        before = answers(collection)
        monkeypatch.setattr(compact, "GRACE", -1.0)
        for _ in range(2):
            collection.upsert([row("e", "epsilon"), row("f", "")])
        collection.tidy()
        assert collection._read.rows(dead) == []
        chunks = "SELECT count(*) FROM chunks"
        assert collection._read.rows(chunks) == [(collection.count(),)]
        collection.delete([doc_id("e")])
        assert answers(collection) == before

    def test_deletes_alone_come_to_an_end(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "GRACE", -1.0)
        fill(collection)
        collection.upsert([row("new", "new one\n\nnew two")])
        collection.delete([d.id for d in collection.documents() if d.path != "new"])
        collection.tidy()
        assert collection._read.rows("SELECT path FROM documents") == [("new",)]
        assert found(collection, "new") == ["new one", "new two"]
        assert on_disk(place) == listed(collection)

    def test_a_merge_of_what_is_gone_by_then_is_not_published(
        self, collection: Collection, place: Path
    ) -> None:
        collection.upsert([row("a", "alpha")])
        with collection._write.transaction():
            for group in ([1, 2], [2]):
                assert not compact.replace(collection._write, place / "segments", group, None)
            ann = compact.Made("ann", 1, 1, {}, of=2)
            assert not compact.replace(collection._write, place / "segments", [], ann)
        assert live(collection, "postings") == [1]
        assert found(collection, "alpha") == ["alpha"]


@pytest.mark.usefixtures("by_hand")
class TestCompact:
    def test_it_leaves_one_segment_of_each_kind_and_nothing_dead(
        self, collection: Collection, place: Path
    ) -> None:
        fill(collection)
        before = answers(collection)
        collection.compact()
        assert live(collection, "postings") == live(collection, "vectors") == [17]
        assert on_disk(place) == listed(collection)
        dead = "SELECT count(*) FROM documents WHERE died_in IS NOT NULL"
        assert collection._read.rows(dead) == [(0,)]
        assert answers(collection) == before
        generation = collection.generation
        collection.compact()
        assert collection.generation == generation, "there is nothing left to do"

    def test_deleting_half_and_compacting_gives_half_of_the_space_back(
        self, collection: Collection
    ) -> None:
        for start in range(0, 400, 50):
            many = range(start, start + 50)
            collection.upsert([row(f"d{i}", f"alpha w{i} " + "beta gamma " * 200) for i in many])
        encode(collection)
        collection.compact()
        whole = collection.status().bytes
        collection.delete([doc_id(f"d{i}") for i in range(0, 400, 2)])
        collection.compact()
        assert collection.status().bytes < 0.6 * whole
        assert len(found(collection, "alpha")) == 100
        assert collection.count() == 200
        assert len(collection.dense(vector("q"), 999)) == 200


class TestOrder:
    def test_ties_break_by_passage_id_in_both_legs(self, collection: Collection) -> None:
        for i in range(25):
            collection.upsert([row(f"d{i}", "same words")])
        encode(collection, 4)
        ids = sorted(i for i, _ in collection.sparse(["same"], 99))
        assert len(ids) == 25
        for k in (1, 7, 24, 25, 26):
            for hits in (
                collection.sparse(["same"], k),
                collection.sparse(["same"], k, scorer="tfidf"),
                collection.dense(vector("same words"), k),
                collection.dense(vector("other"), k, Filter(path="d*")),
            ):
                assert [i for i, _ in hits] == ids[:k]

    def test_no_k_is_no_hits(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha")])
        encode(collection)
        assert collection.sparse(["alpha"], 0) == collection.dense(vector("alpha"), 0) == []

    def test_bm25_over_segments_is_the_oracles(self, collection: Collection) -> None:
        rows = [row(f"d{i}", "alpha " * (i % 4) + "beta " * (i % 3) + f"w{i}") for i in range(20)]
        for r in rows:
            collection.upsert([r])
        collection.delete([rows[3].document.id])
        living = [r for i, r in enumerate(rows) if i != 3]
        truth = bm25([r.terms[0] for r in living], ["alpha", "beta", "beta"], 0.9, 0.4)
        expected = {r.chunks[0].id: s for r, s in zip(living, truth, strict=True) if s > 0}
        hits = collection.sparse(["alpha", "beta", "beta"], 99, k1=0.9, b=0.4)
        assert dict(hits) == pytest.approx(expected, rel=1e-4)


def test_an_index_that_this_faiss_cannot_read_is_done_without(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    collection.upsert([row("a", "alpha")])
    encode(collection)
    before = collection.dense(vector("alpha"), 9)
    arrays = {"ivf.index": np.arange(64, dtype=np.uint8), "ivf.efforts": np.zeros(6, np.int32)}
    folder = collection.path / "segments"
    made = compact.Made("ann", 1, 1, segment.write(folder / compact.MERGING, arrays), of=2)
    with collection._write.transaction():
        assert compact.replace(collection._write, folder, [], made)
    assert collection.dense(vector("alpha"), 9) == before
    assert "FAISS cannot read it" in caplog.text
