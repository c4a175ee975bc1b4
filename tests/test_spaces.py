"""Encoders come and go while search goes on; vectors of two are never compared."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IncompatibleIndex, NotFound
from rag.index import Collection
from tests.support.collections import doc_id
from tests.support.corpus import encode, row, vector


@pytest.fixture
def filled(collection: Collection) -> Collection:
    """Three passages, encoded by "old"."""
    collection.ensure("encoder", "old", "the old one")
    collection.upsert([row("a", "alpha\n\nbeta"), row("b", "감마")])
    encode(collection, encoder="old")
    return collection


def states(collection: Collection) -> list[tuple[str, str, str, int]]:
    return [(s.fingerprint, s.name, s.state, s.outstanding) for s in collection.status().spaces]


def nearest(collection: Collection, text: str, encoder: str, by: str | None = None) -> str:
    """The text of the passage nearest to ``text`` by ``encoder``, if it is near."""
    ((best, score),) = collection.dense(vector(text, encoder), 1, encoder=by)
    return collection.fetch([best])[best].text if score > 0.99 else ""


class TestShadow:
    def test_search_goes_on_as_it_was_until_all_is_encoded(self, filled: Collection) -> None:
        filled.start_shadow("new", "the new one")
        assert states(filled) == [
            ("old", "the old one", "serving", 0),
            ("new", "the new one", "shadow", 3),
        ]
        (number, text), *_ = filled.unencoded(9, encoder="new")
        filled.add_vectors([number], vector(text, "new")[None], encoder="new")
        assert not filled.switch("new")
        assert nearest(filled, "alpha", "old") == nearest(filled, "alpha", "old", "old") == "alpha"
        assert nearest(filled, "alpha", "new") == ""
        assert (filled.outstanding(), filled.outstanding(encoder="new")) == (0, 2)
        ids = [i for i, _ in filled.sparse(["alpha", "beta"], 9)]
        assert filled.without_vector(ids) == []
        assert len(filled.without_vector(ids, encoder="new")) == 1
        filled.check("encoder", "old")

    def test_then_it_serves_at_once_for_all_readers(self, filled: Collection, place: Path) -> None:
        other = Collection(place)
        assert nearest(other, "alpha", "old") == "alpha"
        filled.start_shadow("new")
        encode(filled, 2, "new")
        assert filled.switch("new")
        for c in (filled, other):
            assert nearest(c, "alpha", "new") == "alpha"
            assert nearest(c, "감마", "old", "old") == "감마", "a search that began before goes on"
            with pytest.raises(IncompatibleIndex, match="encoder is new, this is old"):
                c.check("encoder", "old")
            assert states(c) == [
                ("old", "the old one", "previous", 0),
                ("new", "", "serving", 0),
            ]
        other.close()

    def test_the_first_encoder_of_all_may_come_as_a_shadow(self, collection: Collection) -> None:
        collection.upsert([row("a", "alpha")])
        collection.start_shadow("new")
        encode(collection, encoder="new")
        assert collection.dense(vector("alpha", "new"), 1) == []
        assert collection.switch("new")
        assert nearest(collection, "alpha", "new") == "alpha"
        with pytest.raises(NotFound, match="no previous encoder"):
            collection.roll_back()

    def test_documents_that_come_meanwhile_count(self, filled: Collection) -> None:
        filled.start_shadow("new")
        encode(filled, encoder="new")
        filled.upsert([row("c", "delta")])
        assert not filled.switch("new")
        encode(filled, encoder="new")
        assert filled.switch("new")
        assert filled.outstanding() == 0
        filled.roll_back()
        assert filled.unencoded(9) == [(4, "delta")]

    def test_equal_content_takes_its_vector_in_every_space(self, filled: Collection) -> None:
        filled.start_shadow("new")
        encode(filled, encoder="new")
        filled.upsert([row("copy", "beta\n\nelse"), row("a", "beta")])
        for encoder in ("old", "new"):
            assert [t for _, t in filled.unencoded(9, encoder=encoder)] == ["else"]
            hits = filled.dense(vector("beta", encoder), 2, encoder=encoder)
            assert [s for _, s in hits] == pytest.approx([1, 1], abs=1e-3)
            paths = {c.path for c in filled.fetch([i for i, _ in hits]).values()}
            assert paths == {"copy", "a"}

    def test_equal_content_that_waits_takes_it_when_asked(self, filled: Collection) -> None:
        filled.start_shadow("new")
        filled.upsert([row("copy", "beta"), row("other", "else")])
        waiting = dict(filled.unencoded(9, encoder="new"))
        first = next(n for n, text in waiting.items() if text == "beta")
        filled.add_vectors([first], vector("beta", "new")[None], encoder="new")
        assert filled.take_equal(list(waiting), encoder="new") == [4]
        assert filled.take_equal(list(waiting), encoder="new") == []
        assert "beta" not in dict(filled.unencoded(9, encoder="new")).values()

    def test_another_shadow_takes_its_place(self, filled: Collection) -> None:
        filled.start_shadow("new")
        encode(filled, encoder="new")
        filled.start_shadow("newer")
        assert [s.fingerprint for s in filled.spaces()] == ["old", "newer"]
        with pytest.raises(IncompatibleIndex, match="encoder is old, this is new"):
            filled.dense(vector("alpha", "new"), 1, encoder="new")
        filled.drop("shadow")
        assert states(filled) == [("old", "the old one", "serving", 0)]

    def test_late_vectors_of_a_dropped_space_go_nowhere(self, filled: Collection) -> None:
        filled.start_shadow("new")
        late = filled.unencoded(9, encoder="new")
        filled.drop("shadow")
        vectors = np.stack([vector(text, "new") for _, text in late])
        with pytest.raises(IncompatibleIndex):
            filled.add_vectors([n for n, _ in late], vectors, encoder="new")
        assert nearest(filled, "alpha", "old") == "alpha"


class TestRollBack:
    def test_there_and_back(self, filled: Collection, place: Path) -> None:
        with pytest.raises(NotFound, match="collection 'collection' has no previous encoder"):
            filled.roll_back()
        filled.start_shadow("new")
        encode(filled, encoder="new")
        filled.switch("new")
        filled.delete([doc_id("b")])
        filled.roll_back()
        assert nearest(filled, "alpha", "old") == "alpha"
        assert [(f, s) for f, _, s, _ in states(filled)] == [
            ("old", "serving"),
            ("new", "previous"),
        ]
        assert len(filled.dense(vector("q"), 9)) == 2
        filled.roll_back()
        assert nearest(Collection(place), "beta", "new") == "beta"

    def test_the_previous_one_is_taken_up_again(self, filled: Collection) -> None:
        filled.start_shadow("new")
        encode(filled, encoder="new")
        filled.switch("new")
        filled.upsert([row("c", "delta")])
        filled.start_shadow("old")
        assert [t for _, t in filled.unencoded(9, encoder="old")] == ["delta"]
        encode(filled, encoder="old")
        assert filled.switch("old")
        assert nearest(filled, "delta", "old") == "delta"

    def test_only_one_is_kept(self, filled: Collection, place: Path) -> None:
        for encoder in ("second", "third"):
            filled.start_shadow(encoder)
            encode(filled, encoder=encoder)
            filled.switch(encoder)
        assert [(f, s) for f, _, s, _ in states(filled)] == [
            ("second", "previous"),
            ("third", "serving"),
        ]
        filled.drop("previous")
        filled.compact()
        kinds = filled._read.rows("SELECT kind FROM segments ORDER BY kind")
        assert kinds == [("postings",), ("vectors",)]
        assert len(list((place / "segments").iterdir())) == 2


TEXTS = [f"text {i}" for i in range(40)]


def look(reader: Collection, text: str) -> object:
    """What is wrong with a search for ``text`` by the encoder that serves."""
    by = next(s.fingerprint for s in reader.spaces() if s.state == "serving")
    try:
        hits = reader.dense(vector(text, by), len(TEXTS), encoder=by)
    except IncompatibleIndex as e:  # two switches in between, and it is gone
        return e if by in {s.fingerprint for s in reader.spaces()} else None
    best = reader.fetch([hits[0][0]])[hits[0][0]].text
    lexical = len(reader.sparse(["text"], 99))
    if (best, len(hits), lexical) == (text, len(TEXTS), len(TEXTS)) and 0.99 < hits[0][1] < 1.01:
        return None
    return by, text, best, len(hits), lexical, hits[0]


class TestThreads:
    def test_searches_never_fail_and_never_mix_while_encoders_change(
        self, collection: Collection, place: Path
    ) -> None:
        collection.ensure("encoder", "e0")
        collection.upsert([row(f"d{i}", text) for i, text in enumerate(TEXTS)])
        encode(collection, encoder="e0")
        wrong: list[object] = []
        rounds = [0] * 4
        stop = threading.Event()

        def search(number: int) -> None:
            reader = collection if number % 2 else Collection(place)
            try:
                while not stop.is_set():
                    rounds[number] += 1
                    if found := look(reader, TEXTS[rounds[number] % len(TEXTS)]):
                        wrong.append(found)
            except Exception as e:
                wrong.append(e)

        threads = [threading.Thread(target=search, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for i in range(1, 7):
            collection.start_shadow(f"e{i}")
            encode(collection, 7, f"e{i}")
            assert collection.switch(f"e{i}")
            collection.tidy()
            if i % 3 == 0:
                collection.roll_back()
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert min(rounds) > 3


def test_switching_twice_keeps_what_one_could_go_back_to(filled: Collection) -> None:
    filled.start_shadow("new")
    encode(filled, 2, "new")
    assert filled.switch("new")
    assert filled.switch("new"), "a second process that had waited for the first"
    filled.roll_back()
    assert nearest(filled, "alpha", "old") == "alpha"


def test_vectors_of_another_length_are_refused_and_harm_nothing(filled: Collection) -> None:
    filled.upsert([row("c", "delta")])
    (number, _), *_ = filled.unencoded(9)
    with pytest.raises(IncompatibleIndex, match=r"'the old one' is of 16 numbers .* of 8"):
        filled.add_vectors([number], np.eye(1, 8, dtype=np.float32))
    with pytest.raises(IncompatibleIndex, match="16 numbers"):
        filled.dense(np.eye(1, 8, dtype=np.float32)[0], 1)
    encode(filled, encoder="old")
    filled.compact()
    assert nearest(filled, "delta", "old") == "delta"
