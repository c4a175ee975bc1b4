"""Lexical search: how long a question takes, how good the answer is, how much memory it needs.

``python -m eval.bench.sparse --data corpus.jsonl.gz --queries dev-v1.1.json``
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from eval.bench import corpora, lexical
from eval.bench.harness import Bench, Contender, Worker, in_child, main
from eval.bench.roster import ENGINES, build, wanted

SLOWEST = 2.0
"""Seconds that a question may take; slower contenders are left out."""
BUDGET = 8.0
"""Seconds that a repetition may take; slower contenders get fewer questions."""
LEAST = 20
INDEXES = [name for name in ENGINES if "(" not in name]
NAMES = {name: "saem" for name in ENGINES if name.startswith("saem")} | {n: n for n in INDEXES}
"""Contenders, and whose index each searches."""
NOTE = (
    "Top 10 by BM25, one question at a time, from its text to the passages' ids; each system's own "
    "English analysis and parameters. Saem, bm25s and Lucene drop stop words; tantivy, FTS5 and "
    "rank-bm25 (lower-cased words, no stemming) keep them. Saem's plain row gives its own ids, "
    "'with passages' the texts and what of them matched. memory_mb is the whole process that "
    "answers, files mapped into it and Lucene's Java included; Lucene's k1 is 0.9, its b 0.4."
)


class Asking:
    """An engine in a process of its own, and questions to it."""

    def __init__(self, name: str, folder: str, data: str, size: int) -> None:
        self.engine = ENGINES[name](Path(folder))
        if not self.engine.on_disk:
            self.engine.build(corpora.passages(Path(data), size))
        self.engine.open()

    def warm(self, questions: list[str]) -> float:
        """Seconds that a question takes, by as many as fit the budget."""
        self.engine.search(questions[0])  # compiles, loads
        done, started = 0, time.perf_counter()
        for question in questions:
            self.engine.search(question)
            done += 1
            if time.perf_counter() - started > BUDGET:
                break
        return (time.perf_counter() - started) / done

    def ask(self, questions: list[str]) -> dict[str, float]:
        """Time every question."""
        import numpy as np

        times = np.empty(len(questions))
        for i, question in enumerate(questions):
            started = time.perf_counter()
            self.engine.search(question)
            times[i] = time.perf_counter() - started
        times *= 1000
        p50, p99 = np.percentile(times, [50, 99])
        return {"mean_ms": times.mean(), "p50_ms": p50, "p99_ms": p99}

    def rankings(self, questions: list[str]) -> list[list[str]]:
        """The corpus's ids of the best passages, for each question."""
        engine = self.engine
        search = engine.paths if isinstance(engine, lexical.Saem) else engine.search
        return [search(question) for question in questions]


def quality(asked: corpora.Questions, found: Mapping[str, list[str]]) -> dict[str, float]:
    """nDCG@10 and RR@10 over the judged questions."""
    import ir_measures
    from ir_measures import RR, nDCG

    run = {
        query: {id_: float(-rank) for rank, id_ in reversed(list(enumerate(ids)))}
        for query, ids in found.items()
    }
    measures = [nDCG @ 10, RR @ 10]
    values = ir_measures.calc_aggregate(measures, asked.relevant, run)
    return {str(measure): values[measure] for measure in measures}


def body(bench: Bench) -> None:
    sizes, there = corpora.fitting(bench)
    bench.corpus["note"] = NOTE
    names = wanted(bench, NAMES)
    for size in sizes:
        asked = corpora.questions(
            bench.data, bench.args.queries, bench.args.questions, whole=size == there
        )
        bench.corpus["questions"] = len(asked.texts)
        with ExitStack() as stack:
            folders = {index: stack.enter_context(TemporaryDirectory()) for index in INDEXES}
            contenders = [
                contender
                for name in names
                if (contender := _contender(bench, stack, name, folders, size, asked))
            ]
            bench.measure(size, contenders)


def _contender(
    bench: Bench,
    stack: ExitStack,
    name: str,
    folders: Mapping[str, str],
    size: int,
    asked: corpora.Questions,
) -> Contender | None:
    """Build and open an engine and see what it can do in the time; ``None`` where it cannot."""
    bench.log(f"{size:,}: {name}")
    index = NAMES[name]
    place = (folders[index], str(bench.data), size)
    texts = list(asked.texts.values())
    try:
        if ENGINES[name].on_disk and not any(Path(folders[index]).iterdir()):
            in_child(build, index, *place)
        worker = stack.enter_context(Worker(Asking, name, *place))
        seconds = worker.call("warm", texts)
    except RuntimeError as e:
        bench.skip(f"{name} at {size:,}", str(e))
        return None
    if seconds > SLOWEST:
        bench.skip(f"{name} at {size:,}", f"a question takes {seconds:.1f} s")
        return None
    ids = list(asked.relevant)
    good = {}
    if ids:
        found = worker.call("rankings", [asked.texts[q] for q in ids])
        good = quality(asked, dict(zip(ids, found, strict=True)))
    if (count := max(LEAST, int(BUDGET / seconds))) < len(texts):
        texts = texts[:count]
        bench.corpus.setdefault("fewer_questions", {})[f"{name} at {size:,}"] = count

    def run() -> dict[str, float]:
        return {**worker.call("ask", texts), **good, "memory_mb": worker.rss_mb()}

    return Contender(name, run)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=Path, help="SQuAD JSON or a BEIR folder with questions; "
                        "without, those that come with --data")  # fmt: skip
    parser.add_argument("--questions", type=int, default=200, help="how many, at random")


if __name__ == "__main__":
    raise SystemExit(
        main("Lexical search beside others.", None, body,
             sizes=(10_000, 50_000, 200_000), arguments=_arguments)
    )  # fmt: skip
