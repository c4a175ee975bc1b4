"""Writers killed at any moment leave what they have acknowledged, whole, and nothing in part.

``SAEM_KILLS=10000 pytest tests/test_kill.py`` kills more of them.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.vectors import fill_vectors
from rag.index import Collection, compact, merger, tiers, upkeep
from rag.index.backup import back_up, restore
from rag.index.verify import verify
from tests.support.collections import doc_id, listed, on_disk
from tests.support.corpus import ANALYSE, DIM, row, vector
from tests.support.truth import State, assert_searches, made, texts, words
from tests.support.zygote import say, zygote

KILLS = int(os.environ.get("SAEM_KILLS", "200"))
STAYS = 10
"""Rounds that a reader lives through, after as many at each of which another one opens what a
killed writer has left."""
NAMES = [f"d{i}" for i in range(16)]
KINDS = ("upsert", "replace", "delete", "encode", "background", "tidy", "compact", "backup")
Kind = Literal["upsert", "replace", "delete", "encode", "background", "tidy", "compact", "backup"]
Step = tuple[Kind | Literal["open"], dict[str, str]]
"""What is done, and the texts of the documents that it is done with."""


class Encoder:
    name, fingerprint, dim = "test", "", DIM

    def passages(self, given: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([vector(text) for text in given])

    def query(self, text: str) -> NDArray[np.float32]:
        return vector(text)


def work(place: str, target: str, steps: list[Step]) -> None:
    """What the process does that is killed: tells each step that it has done, and waits."""
    tiers.FAN_OUT, compact.GRACE, merger._REST = 3, 0.02, 0.01
    upkeep._SELDOM, upkeep._FEW = 0.02, 8
    collection: Collection | None = None
    for number, (kind, documents) in enumerate(steps):
        if collection is None:
            collection = Collection(place, create=True)
            collection._merger.upkeep.kind = "ivf"
        elif kind in ("upsert", "replace"):
            collection.upsert([row(name, text) for name, text in documents.items()])
        elif kind == "delete":
            collection.delete([doc_id(name) for name in documents])
        elif kind == "encode":
            fill_vectors(collection, Encoder())
        elif kind == "background":
            background = collection._merger
            while background._wanted.is_set() or background._lock._depth:
                time.sleep(0.0005)
        elif kind == "tidy":
            collection.tidy()
        elif kind == "compact":
            collection.compact()
        else:
            back_up(Path(place), Path(target))
        say(number)
    signal.pause()


class Writers:
    """A collection whose writers are killed one after another, and what must be in it."""

    def __init__(self, folder: Path) -> None:
        self.place, self.target = folder / "collection", folder / "backup.tar"
        self.rng = np.random.default_rng(4)
        self.state: State = {}
        self.encoded: State = {}
        self.saved: State | None = None
        self.version = self.rounds = 0
        self.reader: Collection | None = None
        self.seconds = dict.fromkeys(KINDS, 0.02)
        self.caught: Counter[str] = Counter()

    def steps(self, kind: Kind) -> list[Step]:
        """Some steps before one of ``kind``, which is to be killed in."""
        before = self.rng.choice(["upsert", "replace", "delete", "encode"], self.rng.integers(3))
        if kind == "background":
            before = np.array(["upsert", "replace", "encode"])
        state = dict(self.state)
        steps: list[Step] = [("open", {})]
        for step in [*before.tolist(), kind]:
            steps.append((step, self.documents(step, state)))
            apply(state, steps[-1])
        return steps

    def documents(self, kind: str, state: State) -> State:
        if kind not in ("upsert", "replace", "delete"):
            return {}
        among = NAMES if kind == "upsert" else sorted(state)
        count = min(len(among), int(self.rng.integers(1, 9)))
        names = self.rng.choice(among, count, replace=False).tolist() if count else []
        return {name: "" if kind == "delete" else self.text() for name in names}

    def text(self) -> str:
        """A text that there was never before, or none."""
        self.version += 1
        lengths = self.rng.integers(1, 9, self.rng.integers(4))
        paragraphs = [*(words(self.rng, int(n)) for n in lengths), [f"v{self.version}"]]
        return "\n\n".join(map(" ".join, paragraphs)) if self.rng.random() < 0.95 else ""

    def round(self, steps: list[Step], *, kill: bool = True) -> None:
        """Have ``steps`` done, kill who does the last one within it, and look."""
        child = zygote().start(f"{__name__}:work", str(self.place), str(self.target), steps)
        said: list[Any] = []
        for heard in zygote().lines(child):
            if isinstance(heard, dict):
                pytest.fail(f"step {len(said)} of {steps} failed: {heard['failed']}")
            said.append(heard)
            if heard == len(steps) - (2 if kill else 1):
                delay = self.rng.uniform(0, self.seconds[steps[-1][0]]) if kill else 0
                threading.Timer(delay, os.kill, (child.pid, signal.SIGKILL)).start()
        assert child.status == -signal.SIGKILL
        if kill:  # about half of them late in a step
            self.seconds[steps[-1][0]] *= 1.2 if len(said) < len(steps) else 0.8
        self.look(steps, len(said))

    def look(self, steps: list[Step], done: int) -> None:
        """All that was acknowledged is there; of what was not, all or nothing."""
        for step in steps[:done]:
            self.acknowledge(step)
        under_way = steps[done] if done < len(steps) else None
        with_it = dict(self.state)
        if under_way:
            apply(with_it, under_way)
            self.caught[under_way[0]] += 1
        collection = self.reader or Collection(self.place)
        there = texts(collection)
        assert there in (self.state, with_it), f"after {done} of {steps}"
        self.caught["done all the same"] += there != self.state
        self.state = there
        queries = [words(self.rng, 3), words(self.rng, 2)]
        assert_searches(collection, there, queries, self.encoded)
        self.rounds += 1
        self.reader = collection if self.rounds // STAYS % 2 else collection.close()
        if under_way and under_way[0] == "backup" and self.target.exists():
            self.restored((self.saved, self.state))

    def acknowledge(self, step: Step) -> None:
        apply(self.state, step)
        if step[0] == "encode":
            self.encoded = dict(self.state)
        elif step[0] == "backup":
            self.saved = dict(self.state)

    def restored(self, expected: Sequence[State | None]) -> None:
        """The backup is one of ``expected``."""
        again = self.place.with_name("again")
        restore(self.target, again, force=True)
        other = Collection(again)
        self.saved = texts(other)
        assert self.saved in expected
        assert_searches(other, self.saved, [words(self.rng, 3)])
        other.close()


def apply(state: State, step: Step) -> None:
    kind, documents = step
    if kind == "delete":
        for name in documents:
            state.pop(name, None)
    else:
        state |= documents


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    made.cache_clear()
    writers = Writers(tmp_path)
    for kind in KINDS:
        writers.round(writers.steps(kind), kill=False)
    yield writers
    if writers.reader:
        writers.reader.close()
    print(f"killed in {dict(writers.caught)}")  # noqa: T201


def test_killed_writers_lose_nothing(writers: Writers, tmp_path: Path) -> None:
    for number in range(KILLS):
        writers.round(writers.steps(KINDS[number % len(KINDS)]))
        if number % 20 == 0:
            found = verify(writers.place, ANALYSE, sample=10)
            assert [p for p in found.problems if p.serious] == []
    assert writers.caught.keys() >= {*KINDS}
    last = Collection(writers.place)
    last.upsert([made("last", "alpha omega")])
    last.compact()
    assert on_disk(writers.place) == listed(last)
    writers.state["last"] = "alpha omega"
    assert_searches(last, writers.state, [["alpha", "omega"]])
    last.close()
    found = verify(writers.place, ANALYSE, sample=100)
    assert (found.problems, found.documents) == ([], len(writers.state))
    back_up(writers.place, writers.target)
    writers.restored([writers.state])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["again", "backup.tar", "collection"]
