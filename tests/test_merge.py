"""Merging and purging change no answer, nor does anything else that could."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.index import Collection, compact
from rag.types import Filter
from tests.support.collections import (
    doc_id,
    found,
    listed,
    on_disk,
)
from tests.support.corpus import bm25, encode, row, vector


class TestMerge:
    def fill(self, collection: Collection) -> None:
        for i in range(9):
            text = f"alpha w{i}\n\n" + "beta " * i + "gamma"
            collection.upsert([row(f"d{i}", text), row("changing", f"alpha beta {i}")])
            encode(collection)
        collection.delete([doc_id("d4")])

    def answers(self, collection: Collection) -> list[list[tuple[str, float]]]:
        """What must not change."""
        query = ["alpha", "beta", "w3"]
        return [
            collection.sparse(query, 99),
            collection.sparse(query, 5, Filter(path="d*"), scorer="tfidf"),
            collection.sparse(["gamma"], 3),
            [(i, round(s, 5)) for i, s in collection.dense(vector("q"), 99)],
        ]

    def merge(self, collection: Collection) -> None:
        with collection.writing():
            compact.tidy(collection._write, collection._segments)

    def test_results_stay_the_same(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "FAN_OUT", 1000)
        self.fill(collection)
        before = self.answers(collection)
        many = len(listed(collection))
        monkeypatch.setattr(compact, "FAN_OUT", 2)
        self.merge(collection)
        live = "SELECT count(*) FROM segments WHERE died_at IS NULL"
        assert collection._read.rows(live)[0][0] < many / 2
        assert self.answers(collection) == before
        other = Collection(place)
        assert self.answers(other) == before
        assert collection.outstanding() == other.outstanding() == 0
        other.close()

    def test_a_reader_of_an_older_generation_goes_on(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "FAN_OUT", 1000)
        self.fill(collection)
        reader = Collection(place)
        before = self.answers(reader)
        snapshot = reader._current()
        monkeypatch.setattr(compact, "FAN_OUT", 2)
        self.merge(collection)
        monkeypatch.setattr(reader, "_current", lambda: snapshot)
        assert self.answers(reader) == before
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

    def test_after_the_grace_folders_and_rows_are_gone(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "FAN_OUT", 2)
        self.fill(collection)
        before = self.answers(collection)
        assert len(on_disk(place)) > 10
        assert collection._read.rows("SELECT count(*) FROM documents WHERE died_at > 0") == [(9,)]
        monkeypatch.setattr(compact, "GRACE", -1.0)
        self.merge(collection)
        collection.upsert([row("e", "epsilon"), row("f", "")])
        collection.upsert([row("e", "epsilon"), row("f", "")])
        self.merge(collection)
        alive = "SELECT count(*) FROM segments WHERE died_at IS NOT NULL"
        assert collection._read.rows(alive) == [(0,)]
        assert on_disk(place) == listed(collection)
        held = collection._read.rows("SELECT path FROM documents WHERE died_at > 0 AND path = 'f'")
        assert held == [], "a dead document without passages goes too"
        collection.delete([doc_id("e")])
        for now, then in zip(self.answers(collection), before, strict=True):
            assert now == then

    def test_deletes_alone_come_to_an_end(
        self, collection: Collection, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "FAN_OUT", 2)
        monkeypatch.setattr(compact, "GRACE", -1.0)
        self.fill(collection)
        collection.upsert([row("new", "new one\n\nnew two")])
        collection.delete([d.id for d in collection.documents() if d.path != "new"])
        assert collection._read.rows("SELECT path FROM documents") == [("new",)]
        assert found(collection, "new") == ["new one", "new two"]
        assert on_disk(place) == listed(collection)


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
