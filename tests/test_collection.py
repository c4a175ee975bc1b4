"""The promises of a collection to its readers, one class each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import (
    CollectionMissing,
    IncompatibleIndex,
    NotFound,
)
from rag.index import Collection, Place, Stat, compact
from rag.types import Filter
from tests.support.collections import (
    doc_id,
    elsewhere,
    found,
    spawn,
)
from tests.support.corpus import encode, row, vector


class TestOpening:
    def test_one_that_is_not_there_is_missing_and_is_not_made(self, place: Path) -> None:
        with pytest.raises(CollectionMissing, match="'collection'"):
            Collection(place)
        assert not place.exists()

    def test_an_empty_one_answers_nothing(self, collection: Collection) -> None:
        assert collection.sparse(["a"], 5) == []
        assert collection.sparse(["a"], 5, scorer="tfidf") == []
        assert collection.dense(vector("a"), 5) == []
        assert collection.fetch(["x"]) == {}
        assert (collection.count(), collection.outstanding(), collection.documents()) == (0, 0, [])
        assert collection.unencoded(5) == []

    def test_many_may_create_it_at_once(self, place: Path) -> None:
        script = "Collection(path, create=True); print(Collection(path).count())"
        started = [spawn(place, script) for _ in range(4)]
        assert [p.communicate(timeout=30)[0].strip() for p in started] == ["0"] * 4

    def test_it_is_bound_to_its_analyser(self, collection: Collection, place: Path) -> None:
        collection.check("analyser", "a/1")
        collection.ensure("analyser", "a/1")
        collection.ensure("analyser", "a/1")
        other = Collection(place)
        with pytest.raises(IncompatibleIndex, match="analyser is a/1, this is b/1"):
            other.ensure("analyser", "b/1")
        other.ensure("encoder", "e")
        with pytest.raises(IncompatibleIndex):
            collection.check("encoder", "f")
        other.close()


class TestVisibleAtOnce:
    def test_added_replaced_deleted(self, collection: Collection, place: Path) -> None:
        other = Collection(place)
        assert other.sparse(["alpha"], 5) == []
        collection.upsert([row("a", "alpha one\n\nalpha two"), row("b", "beta")])
        for c in (collection, other):
            assert found(c, "alpha") == ["alpha one", "alpha two"]
            assert c.count() == 3
        collection.upsert([row("a", "alpha three")])
        for c in (collection, other):
            assert found(c, "alpha") == ["alpha three"]
            assert c.sparse(["two"], 5) == []
            assert c.count() == 2
        assert collection.delete([doc_id("a"), doc_id("never")]) == 1
        for c in (collection, other):
            assert c.sparse(["alpha"], 5) == []
            assert found(c, "beta") == ["beta"]
            assert [d.path for d in c.documents()] == ["b"]
        assert collection.delete([doc_id("a")]) == 0
        other.close()

    def test_in_another_process_both_ways(self, collection: Collection, place: Path) -> None:
        collection.upsert([row("a", "alpha")])
        script = """
c = Collection(path)
print(len(c.sparse(["alpha"], 5)), flush=True)
c.upsert([row("b", "alpha beta")])
"""
        assert elsewhere(place, script) == "1"
        assert found(collection, "alpha") == ["alpha", "alpha beta"]

    def test_a_batch_with_a_document_twice_keeps_the_last(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha"), row("b", "beta"), row("a", "gamma")])
        assert found(collection, "alpha", "beta", "gamma") == ["gamma", "beta"]

    def test_a_document_without_passages_is_one_too(self, collection: Collection) -> None:
        collection.upsert([row("a", "")])
        assert [(d.path, d.chunks) for d in collection.documents()] == [("a", 0)]
        collection.upsert([row("a", "alpha"), row("b", ", .")])
        assert found(collection, "alpha") == ["alpha"]
        assert collection.count() == 2

    def test_what_is_stored_comes_back(self, collection: Collection) -> None:
        stat = Stat("7", "9")
        r = row("문서/a.md", "하나\n\n\U0001f600 둘", language="ko", title="제목", stat=stat)
        collection.upsert([r])
        assert collection.fetch([c.id for c in r.chunks]) == {c.id: c for c in r.chunks}
        (known,) = collection.documents()
        assert (known.id, known.version) == (r.document.id, r.document.version)
        assert (known.uri, known.path) == (r.document.uri, "문서/a.md")
        assert (known.title, known.language, known.stat, known.chunks) == ("제목", "ko", stat, 2)
        collection.restat([(known.id, Stat("1", "3"))])
        assert collection.documents()[0].stat == Stat("1", "3")

    def test_passages_behind_a_nul_are_whole(self, collection: Collection) -> None:
        r = row("a", "one\x00two\n\nthree four")
        collection.upsert([r])
        assert collection.fetch([c.id for c in r.chunks]) == {c.id: c for c in r.chunks}
        places = collection.places([(r.document.id, r.document.version, r.chunks[1].start)])
        assert places == [Place(3)]

    def test_text_is_given_in_the_version_that_was_asked_for(self, collection: Collection) -> None:
        old = row("a", "alpha").document
        collection.upsert([row("a", "alpha")])
        assert collection.text(old.id) == collection.text(old.id, old.version) == "alpha"
        collection.upsert([row("a", "beta")])
        assert collection.text(old.id) == "beta"
        with pytest.raises(NotFound, match="has changed"):
            collection.text(old.id, old.version)
        collection.delete([old.id])
        with pytest.raises(NotFound, match="no document"):
            collection.text(old.id)

    def test_lines_count_from_one(self, collection: Collection) -> None:
        r = row("a", "하나\n둘\n\n셋")
        collection.upsert([r])
        places = [(r.document.id, r.document.version, at) for at in (0, 2, 3, 4, 5, 6)]
        gone = [("gone", "", 3), (r.document.id, "old", 3)]
        found = collection.places([*places, *gone])
        assert [p.line for p in found] == [1, 1, 2, 2, 3, 4, 0, 0]

    def test_pages_and_aliases(self, collection: Collection) -> None:
        text = "one\ntwo\n\nthree"
        r = row("a", text)
        document = replace(r.document, pages=(0, 4, 9), aliases=("copy.md",))
        collection.upsert([replace(r, document=document)])
        at = [(document.id, document.version, i) for i in (0, 3, 4, 8, 9, 13)]
        assert [p.page for p in collection.places(at)] == [1, 1, 2, 2, 3, 3]
        assert {p.aliases for p in collection.places(at)} == {("copy.md",)}
        assert collection.documents()[0].aliases == ("copy.md",)
        collection.alias({document.id: ["x/y.md", "한글.md"]})
        assert collection.documents()[0].aliases == ("x/y.md", "한글.md")
        assert collection.places(at[:1])[0].aliases == ("x/y.md", "한글.md")

    def test_leads_and_what_is_read_around_a_passage(self, collection: Collection) -> None:
        r = row("a", "alpha beta gamma")
        chunk = replace(r.chunks[0], lead="a | b", outer=(0, 16), start=6, end=10, text="beta")
        collection.upsert([replace(r, chunks=[chunk])])
        assert collection.fetch([chunk.id]) == {chunk.id: chunk}
        assert collection.passages(r.document.id) == [chunk]

    def test_a_hit_of_a_search_under_way_can_still_be_fetched(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        collection.upsert([row("a", "alpha")])
        ((hit, _),) = collection.sparse(["alpha"], 1)
        collection.delete([doc_id("a")])
        assert collection.fetch([hit])[hit].text == "alpha"
        monkeypatch.setattr(compact, "GRACE", -1.0)
        assert collection.fetch([hit]) == {}

    def test_a_passage_that_moved_is_fetched_as_it_is_now(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha\n\nomega")])
        new = row("a", "alpha!!\n\nomega")
        collection.upsert([new])
        assert collection.fetch([new.chunks[1].id])[new.chunks[1].id] == new.chunks[1]


class TestVectors:
    def test_lexical_search_does_not_wait_for_them(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha one\n\nalpha two")])
        assert found(collection, "alpha") == ["alpha one", "alpha two"]
        assert collection.dense(vector("alpha one"), 5) == []
        assert collection.outstanding() == 2

    def test_outstanding_counts_down_and_resumes(self, collection: Collection, place: Path) -> None:
        collection.upsert([row("a", "one\n\ntwo\n\nthree")])
        collection.ensure("encoder", "")
        batch = collection.unencoded(2)
        assert [text for _, text in batch] == ["one", "two"]
        collection.add_vectors([n for n, _ in batch], np.stack([vector(t) for _, t in batch]))
        other = Collection(place)
        assert other.outstanding() == 1
        assert [text for _, text in other.unencoded(9)] == ["three"]
        assert encode(other) == 1
        assert collection.outstanding() == 0
        ((best, score), *_) = collection.dense(vector("three"), 1)
        assert collection.fetch([best])[best].text == "three"
        assert score == pytest.approx(1, abs=1e-3)
        other.close()

    def test_scores_are_cosines(self, collection: Collection) -> None:
        texts = [f"text {i}" for i in range(30)]
        collection.upsert([row(f"d{i}", t) for i, t in enumerate(texts[:20])])
        encode(collection)
        collection.upsert([row(f"d{i}", t) for i, t in enumerate(texts) if i >= 20])
        encode(collection, 3)
        query = vector("question")
        truth = {t: float(vector(t) @ query) for t in texts}
        hits = collection.dense(query, 12)
        shown = [collection.fetch([i])[i].text for i, _ in hits]
        assert shown == sorted(texts, key=truth.__getitem__, reverse=True)[:12]
        assert [s for _, s in hits] == pytest.approx([truth[t] for t in shown], abs=1e-5)

    def test_equal_content_is_not_encoded_twice(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha\n\nbeta", title="T")])
        encode(collection)
        collection.upsert([row("b", "beta\n\ngamma", title="T"), row("c", "beta", title="U")])
        assert sorted(t for _, t in collection.unencoded(9)) == ["T\ngamma", "U\nbeta"]
        ids = {i for i, s in collection.dense(vector("T\nbeta"), 9) if s > 0.99}
        assert {collection.fetch([i])[i].path for i in ids} == {"a", "b"}

    def test_a_replaced_document_keeps_the_vectors_of_what_stayed(
        self, collection: Collection
    ) -> None:
        collection.upsert([row("a", "alpha\n\nbeta")])
        encode(collection)
        collection.upsert([row("a", "beta\n\nalpha\n\ngamma")])
        assert [t for _, t in collection.unencoded(9)] == ["gamma"]
        ((best, score), *_) = collection.dense(vector("beta"), 1)
        assert (collection.fetch([best])[best].text, score) == ("beta", pytest.approx(1, abs=1e-3))

    def test_late_vectors_of_what_is_gone_or_done_are_passed_over(
        self, collection: Collection
    ) -> None:
        collection.upsert([row("a", "alpha"), row("b", "beta")])
        collection.ensure("encoder", "")
        (a, _), (b, _) = collection.unencoded(9)
        collection.delete([doc_id("a")])
        generation = collection.generation
        collection.add_vectors([a], vector("alpha")[None])
        assert collection.generation == generation
        collection.add_vectors([b], vector("beta")[None])
        collection.add_vectors([a, b], np.stack([vector("x"), vector("y")]))
        ((_, score),) = collection.dense(vector("beta"), 9)
        assert score == pytest.approx(1, abs=1e-3)

    def test_late_vectors_never_reach_another_passage(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compact, "GRACE", -1.0)
        collection.ensure("encoder", "")
        collection.upsert([row("a", "alpha")])
        collection.upsert([row("z", "zeta")])
        (late, _) = collection.unencoded(9)[-1]
        collection.delete([doc_id("z")])
        collection.compact()
        assert collection._read.rows("SELECT path FROM documents") == [("a",)], "it is purged"
        collection.upsert([row("b", "beta")])
        collection.add_vectors([late], vector("zeta")[None])
        assert collection.dense(vector("zeta"), 9) == []


class TestFilters:
    @pytest.fixture
    def filled(self, collection: Collection) -> Collection:
        """The best 30 passages for "alpha" are the staff's; 5 worse ones are everyone's."""
        collection.upsert([row(f"s{i}", "alpha " * 9, groups=("staff",)) for i in range(30)])
        collection.upsert([row(f"p{i}", "alpha and more words " + "x " * i) for i in range(5)])
        encode(collection)
        return collection

    def test_k_is_filled_when_the_best_are_filtered_out(self, filled: Collection) -> None:
        public = Filter(groups=())
        best = vector("alpha " * 9)
        for hits in (filled.sparse(["alpha"], 5, public), filled.dense(best, 5, public)):
            paths = {c.path for c in filled.fetch([i for i, _ in hits]).values()}
            assert paths == {f"p{i}" for i in range(5)}

    def test_scores_are_those_without_the_filter(self, filled: Collection) -> None:
        everything = dict(filled.sparse(["alpha"], 99))
        for identity, score in filled.sparse(["alpha"], 99, Filter(path="p*")):
            assert everything[identity] == score
        everything = dict(filled.dense(vector("q"), 99))
        kept = filled.dense(vector("q"), 99, Filter(path="p*"))
        assert len(kept) == 5
        for identity, score in kept:
            assert everything[identity] == pytest.approx(score, abs=1e-6)

    def test_a_filter_that_nothing_meets(self, filled: Collection) -> None:
        nothing = Filter(path="nowhere")
        assert filled.sparse(["alpha"], 5, nothing) == []
        assert filled.dense(vector("q"), 5, nothing) == []
        assert filled.count(nothing) == 0

    def test_new_groups_hold_at_once_though_the_filter_was_used_before(
        self, filled: Collection
    ) -> None:
        assert len(filled.sparse(["alpha"], 99, Filter(groups=()))) == 5
        filled.upsert([row("p0", "alpha and more words ", groups=("staff",))])
        assert len(filled.sparse(["alpha"], 99, Filter(groups=()))) == 4
