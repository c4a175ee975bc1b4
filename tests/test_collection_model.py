"""A collection against a model, and under threads."""

from __future__ import annotations

import fnmatch
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rag.errors import NotFound
from rag.index import Collection, Row, backup, compact, tiers
from rag.types import Filter
from tests.support.collections import (
    doc_id,
)
from tests.support.corpus import bm25, encode, row, vector


class TestThreads:
    SECONDS = 2.0

    def test_a_search_sees_a_replaced_document_once_in_one_version(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tiers, "FAN_OUT", 3)
        collection = Collection(place, create=True)
        stable = [row(f"s{i}", f"alpha stable{i}") for i in range(5)]
        collection.upsert([*stable, row("x", "alpha version0")])
        encode(collection)
        stop = threading.Event()
        wrong: list[object] = []
        rounds = [0] * 4

        def look(number: int) -> None:
            try:
                while not stop.is_set():
                    rounds[number] += 1
                    unseen = Filter(groups=("g", str(rounds[number])))  # not in any cache
                    filter_ = (None, unseen, Filter(path="*"))[number % 3]
                    hits = [i for i, _ in collection.sparse(["alpha"], 99, filter_)]
                    texts = sorted(c.text for c in collection.fetch(hits).values())
                    one = [t for t in texts if "version" in t]
                    if len(hits) != 6 or len(one) != 1 or len(texts) != 6:
                        wrong.append(texts)
                    collection.dense(vector("q"), 3, filter_)
                    collection.status()
            except Exception as e:
                wrong.append(e)

        threads = [threading.Thread(target=look, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        writes = 0
        end = time.monotonic() + self.SECONDS
        while time.monotonic() < end and not wrong:
            writes += 1
            collection.upsert([row("x", f"alpha version{writes}")], wait=10)
            if writes % 3 == 0:
                encode(collection)
        stop.set()
        for thread in threads:
            thread.join()
        collection.close()
        assert wrong == []
        assert writes > 5
        assert min(rounds) > 5


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.lists(st.sampled_from(["x", "y", "y z", "x x z", "w", "한국어"]), max_size=3)
FILTERS = st.sampled_from(
    [None, Filter(groups=()), Filter(groups=("g",)), Filter(path="[a]"), Filter(path="?"),
     Filter(fields={"kind": ("k",)}), Filter(fields={"kind": ("k",)}, groups=())]
)  # fmt: skip


class Model(RuleBasedStateMachine):
    """A collection beside a dictionary of rows that is searched by brute force."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp()) / "docs"
        self.collection = Collection(self.place, create=True)
        self.rows: dict[str, Row] = {}
        self.constants = (tiers.FAN_OUT, compact.GRACE)
        tiers.FAN_OUT, compact.GRACE = 2, -1.0
        self.collection.ensure("encoder", "first")
        self.encoders = ["first"]
        self.saved: tuple[dict[str, Row], list[str]] | None = None

    def teardown(self) -> None:
        tiers.FAN_OUT, compact.GRACE = self.constants
        self.collection.close()
        shutil.rmtree(self.place.parent)

    @rule(batch=st.lists(st.tuples(NAMES, TEXTS, st.booleans(), st.booleans()), max_size=3))
    def add_or_replace(self, batch: list[tuple[str, list[str], bool, bool]]) -> None:
        rows = [
            row(n, "\n\n".join(t), groups=("g",) * g, metadata={"kind": "k"} if k else {})
            for n, t, g, k in batch
        ]
        self.collection.upsert(rows)
        self.rows |= {r.document.path: r for r in rows}

    @rule(names=st.sets(NAMES, max_size=2))
    def delete(self, names: set[str]) -> None:
        killed = self.collection.delete([doc_id(n) for n in names])
        assert killed == len(names & set(self.rows))
        for name in names:
            self.rows.pop(name, None)

    @rule(limit=st.integers(1, 5), newest=st.booleans())
    def add_some_vectors(self, limit: int, newest: bool) -> None:
        encoder = self.encoders[-1 if newest else 0]
        if batch := self.collection.unencoded(limit, encoder=encoder):
            before = self.collection.outstanding(encoder=encoder)
            vectors = np.stack([vector(text, encoder) for _, text in batch])
            self.collection.add_vectors([n for n, _ in batch], vectors, encoder=encoder)
            after = self.collection.outstanding(encoder=encoder)
            assert after == before - len(batch)

    @rule(encoder=st.sampled_from(["first", "second", "third"]))
    def start_shadow(self, encoder: str) -> None:
        self.collection.start_shadow(encoder)
        self.encoders = list(dict.fromkeys([self.encoders[0], encoder]))

    @rule()
    def switch(self) -> None:
        done = self.collection.switch(self.encoders[-1])
        assert done == (not self.collection.outstanding(encoder=self.encoders[-1]))
        if done:
            self.encoders.reverse()
            self.encoders = self.encoders[:1]

    @rule()
    def roll_back(self) -> None:
        states = {s.state: s.fingerprint for s in self.collection.spaces()}
        if "previous" not in states:
            with pytest.raises(NotFound, match="previous"):
                self.collection.roll_back()
        else:
            self.collection.roll_back()
            self.encoders[0] = states["previous"]

    @rule(whole=st.booleans())
    def merge(self, whole: bool) -> None:
        if whole:
            self.collection.compact()
        else:
            self.collection.tidy()

    @rule()
    def reopen(self) -> None:
        self.collection.close()
        self.collection = Collection(self.place)

    @rule()
    def back_up(self) -> None:
        backup.back_up(self.place, self.place.with_name("backup.tar"))
        self.saved = dict(self.rows), list(self.encoders)

    @precondition(lambda self: self.saved)
    @rule()
    def restore(self) -> None:
        self.collection.close()
        backup.restore(self.place.with_name("backup.tar"), self.place, force=True)
        self.collection = Collection(self.place)
        assert self.saved is not None
        self.rows, self.encoders = dict(self.saved[0]), list(self.saved[1])

    def living(self, filter: Filter | None) -> list[tuple[Row, int, bool]]:  # noqa: A002
        """Every living passage: its row, its position, and whether ``filter`` lets it through."""
        out = []
        for r in self.rows.values():
            d = r.document
            lets = filter is None or (
                all(d.metadata.get(k) in v for k, v in filter.fields.items())
                and (
                    filter.path is None
                    or fnmatch.fnmatchcase(d.path, filter.path.replace("[", "[[]"))
                )
                and (filter.groups is None or not d.groups or bool({*d.groups} & {*filter.groups}))
            )
            out += [(r, i, lets) for i in range(len(r.chunks))]
        return out

    @rule(
        filter=FILTERS, terms=st.lists(st.sampled_from(["x", "y", "z", "한국", "no"]), max_size=3)
    )
    def search_terms(self, filter: Filter | None, terms: list[str]) -> None:  # noqa: A002
        living = self.living(filter)
        truth = bm25([r.terms[i] for r, i, _ in living], terms)
        expected = {
            r.chunks[i].id: s
            for (r, i, lets), s in zip(living, truth, strict=True)
            if lets and s > 0
        }
        hits = self.collection.sparse(terms, 99, filter)
        assert dict(hits) == pytest.approx(expected, rel=1e-4)
        self.ordered(hits, self.collection.sparse(terms, 3, filter))

    @rule(filter=FILTERS, text=st.sampled_from(["x", "w", "question"]), newest=st.booleans())
    def search_vectors(self, filter: Filter | None, text: str, newest: bool) -> None:  # noqa: A002
        encoder = self.encoders[-1 if newest else 0]
        query = vector(text, encoder)
        truth = {
            r.chunks[i].id: float(vector(r.chunks[i].context, encoder) @ query)
            for r, i, lets in self.living(filter)
            if lets
        }
        hits = self.collection.dense(query, 99, filter, encoder=encoder)
        assert dict(hits) == pytest.approx({i: truth[i] for i, _ in hits}, abs=1e-5)
        outstanding = self.collection.outstanding(encoder=encoder)
        if filter is None:
            assert len(hits) == len(truth) - outstanding
            lacking = self.collection.without_vector(list(truth), encoder=encoder)
            assert {*lacking} == {*truth} - {i for i, _ in hits}
        if not outstanding:
            assert len(hits) == len(truth)
        self.ordered(hits, self.collection.dense(query, 3, filter, encoder=encoder))

    def ordered(self, hits: list[tuple[str, float]], top: list[tuple[str, float]]) -> None:
        assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
        assert top == hits[:3]
        passages = {c.id: c for r in self.rows.values() for c in r.chunks}
        ids = [i for i, _ in hits]
        assert self.collection.fetch(ids) == {i: passages[i] for i in ids}

    @invariant()
    def counts_agree(self) -> None:
        assert self.collection.count() == sum(len(r.chunks) for r in self.rows.values())
        documents = {d.path: d.version for d in self.collection.documents()}
        assert documents == {name: r.document.version for name, r in self.rows.items()}
        assert len(self.collection.unencoded(99)) == self.collection.outstanding()


TestAgainstAModel = Model.TestCase
TestAgainstAModel.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
