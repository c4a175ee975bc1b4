"""How soon a new passage is found, how soon a deleted one is gone, and what writing costs searches.

``python -m eval.bench.freshness --data corpus.jsonl.gz``
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np

from eval.bench import corpora, lexical
from eval.bench.corpora import Passage
from eval.bench.harness import Bench, Contender, Worker, main
from eval.bench.roster import ENGINES, wanted

CHANGES = {"saem": 200, "tantivy": 20, "SQLite FTS5": 20, "bm25s": 1, "rank-bm25": 1}
"""Engines that take changes, and how many a repetition; 1 for those that build everything anew."""
SECONDS = 10.0
"""How long searches are timed, idle and while another process writes."""
WORD = "quillwort"
WORDS = 8
"""Words of a question: the first of some passage."""
NOTE = (
    "From the text of one new passage to a search that finds it, and from its deletion to a search "
    "that does not; analysis, commit and that search included. add_ms and delete_ms are medians "
    "of a repetition's changes, add_p99_ms and delete_p99_ms their 99th percentiles (of 200; of "
    "fewer, the slowest). bm25s and rank-bm25 make their index anew from terms that they keep in "
    "memory; the others' changes are on disk. search_p99_ms is of the first eight words of "
    "passages, asked for 10 s while nothing else happens, writing_p99_ms the same while another "
    "process adds and deletes passages without a pause (commits_per_s)."
)


class Changing:
    """An engine over a corpus in a process of its own, and changes to it."""

    def __init__(self, name: str, folder: str, data: str, size: int, *, make: bool = True) -> None:
        engine = lexical.SaemSearcher if name == "saem" else ENGINES[name]  # the corpus's ids
        self.engine = cast(lexical.Changeable, engine(Path(folder)))
        passages = corpora.passages(Path(data), size)
        if make:
            self.engine.build(passages)
        self.questions: Iterator[str] = cycle(
            [" ".join(p.text.split()[:WORDS]) for p in islice(passages, 0, None, 37)]
        )
        self.engine.open()
        self.number = 0

    def change(self, times: int) -> dict[str, float]:
        """Add a passage and delete it again, so many ``times``.

        Raises
        ------
        LookupError
            A change was not seen.
        """
        added, deleted = [], []
        for _ in range(times):
            passage, word = self._new()
            started = time.perf_counter()
            self.engine.add(passage)
            if self.engine.search(word)[:1] != [passage.id]:
                raise LookupError("what was added is not found")
            added.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            self.engine.remove(passage)
            if passage.id in self.engine.search(word):
                raise LookupError("what was deleted is found")
            deleted.append((time.perf_counter() - started) * 1000)
        return {
            "add_ms": median(added),
            "add_p99_ms": _p99(added),
            "delete_ms": median(deleted),
            "delete_p99_ms": _p99(deleted),
        }

    def ask(self, seconds: float) -> float:
        """The 99th percentile of searches' milliseconds."""
        took = []
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until:
            self.engine.search(next(self.questions))
            took.append((time.perf_counter() - started) * 1000)
        return _p99(took)

    def write(self, seconds: float) -> float:
        """Add and delete without a pause; commits a second."""
        commits = 0
        started = time.perf_counter()
        while time.perf_counter() < started + seconds:
            passage, _ = self._new()
            self.engine.add(passage)
            self.engine.remove(passage)
            commits += 2
        return commits / (time.perf_counter() - started)

    def _new(self) -> tuple[Passage, str]:
        self.number += 1
        word = f"{WORD}{self.number}"
        return Passage(f"new-{word}", "", f"A page about the {word} of the lakes."), word


class Writing(Changing):
    """Writes to an index that another process has made."""

    def __init__(self, name: str, folder: str, data: str, size: int) -> None:
        super().__init__(name, folder, data, size, make=False)


def _p99(took: list[float]) -> float:
    return float(np.percentile(took, 99, method="higher"))


def body(bench: Bench) -> None:
    sizes, _ = corpora.fitting(bench)
    bench.corpus["note"] = NOTE
    names = wanted(bench, CHANGES)
    for size in sizes:
        with ExitStack() as stack:
            bench.measure(
                size, [c for name in names if (c := _contender(bench, stack, name, size))]
            )


def _contender(bench: Bench, stack: ExitStack, name: str, size: int) -> Contender | None:
    bench.log(f"{size:,}: {name}")
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    arguments = (name, folder, str(bench.data), size)
    try:
        worker = stack.enter_context(Worker(Changing, *arguments))
        if CHANGES[name] > 1:
            worker.call("change", 1)
    except RuntimeError as e:
        bench.skip(f"{name} at {size:,}", str(e))
        return None

    def run() -> dict[str, float]:
        found = dict(worker.call("change", CHANGES[name]))
        return found | _under_writing(worker, arguments) if name == "saem" else found

    return Contender(name, run)


def _under_writing(worker: Worker, arguments: tuple[str, str, str, int]) -> dict[str, float]:
    worker.call("ask", 1.0)
    idle = worker.call("ask", SECONDS)
    with Worker(Writing, *arguments) as writer, ThreadPoolExecutor(1) as pool:
        writer.call("write", 0.5)
        commits = pool.submit(writer.call, "write", SECONDS + 1)
        writing = worker.call("ask", SECONDS)
        return {
            "search_p99_ms": idle,
            "writing_p99_ms": writing,
            "writing_ratio": writing / idle,
            "commits_per_s": commits.result(),
        }


if __name__ == "__main__":
    raise SystemExit(
        main("How soon changes are seen, beside others.", None, body,
             sizes=(10_000, 50_000, 200_000), repetitions=3)
    )  # fmt: skip
