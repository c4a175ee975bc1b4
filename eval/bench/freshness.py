"""How soon a new passage is found, and how soon a deleted one is gone.

``python -m eval.bench.freshness --data corpus.jsonl.gz``
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import cast

from eval.bench import corpora, lexical
from eval.bench.corpora import Passage
from eval.bench.harness import Bench, Contender, Worker, main
from eval.bench.roster import ENGINES, wanted

CHANGES = {"saem": 20, "tantivy": 20, "SQLite FTS5": 20, "bm25s": 1, "rank-bm25": 1}
"""Engines that take changes, and how many a repetition; 1 for those that build everything anew."""
WORD = "quillwort"
NOTE = (
    "From the text of one new passage to a search that finds it, and from its deletion to a search "
    "that does not; analysis, commit and that search included. add_ms and delete_ms are medians "
    "of a repetition's changes, add_worst_ms its slowest. bm25s and rank-bm25 make their index "
    "anew from terms that they keep in memory; the others' changes are on disk."
)


class Changing:
    """An engine over a corpus in a process of its own, and changes to it."""

    def __init__(self, name: str, folder: str, data: str, size: int) -> None:
        engine = lexical.SaemSearcher if name == "saem" else ENGINES[name]  # the corpus's ids
        self.engine = cast(lexical.Changeable, engine(Path(folder)))
        self.engine.build(corpora.passages(Path(data), size))
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
            self.number += 1
            word = f"{WORD}{self.number}"
            passage = Passage(f"new-{self.number}", "", f"A page about the {word} of the lakes.")
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
            "add_worst_ms": max(added),
            "delete_ms": median(deleted),
        }


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
    try:
        worker = stack.enter_context(Worker(Changing, name, folder, str(bench.data), size))
        if CHANGES[name] > 1:
            worker.call("change", 1)
    except RuntimeError as e:
        bench.skip(f"{name} at {size:,}", str(e))
        return None
    return Contender(name, lambda: worker.call("change", CHANGES[name]))


if __name__ == "__main__":
    raise SystemExit(
        main("How soon changes are seen, beside others.", None, body,
             sizes=(10_000, 50_000, 200_000), repetitions=3)
    )  # fmt: skip
