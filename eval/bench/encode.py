"""Encoding: Saem's encoder on the CPU beside the same model in other libraries.

``python -m eval.bench.encode --data ../shared/data/scifact --json encode.json``

The same texts and threads. Saem has passages in its own order and batches, questions one by one; so
have the others, as their library does by default. Agreement is the cosine of a vector, a passage's
or a question's, to the float32 one. A cold start is that of a process until its first question has
a vector.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from eval.bench import corpora
from eval.bench.encoders import BFLOAT16, FLOAT32, ROSTER, lacking, make, weights
from eval.bench.harness import Bench, Contender, Worker, main, rss_mb
from rag.settings import Settings

__all__ = ["BFLOAT16", "FLOAT32", "Job", "agreement", "body", "cold_start", "generated", "weights"]

_NO_DATA = Path()
_LETTERS = ("etaoinshrdlu", "가나다라마바사아자차카하")


class Job:
    """One encoder in a process of its own, on ``threads`` cores.

    Its vectors of the passages, then of the questions, end up in ``file``.
    """

    def __init__(
        self, name: str, passages: list[str], questions: list[str], threads: int, file: str
    ) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self._passages, self._questions = passages, questions
        before = rss_mb()
        self._encoder = make(name, Settings.load(), threads)
        self._encoder.query("warm up")
        found = self._encoder.passages(passages)
        np.save(file, np.concatenate([found, [self._encoder.query(text) for text in questions]]))
        self._memory = rss_mb() - before

    def run(self) -> dict[str, float]:
        """Metrics of one repetition."""
        passages = _seconds(lambda: self._encoder.passages(self._passages))
        questions = [_seconds(partial(self._encoder.query, text)) for text in self._questions]
        return {
            "passages_per_s": len(self._passages) / passages,
            "question_p50_ms": 1000 * median(questions),
            "memory_mb": self._memory,
        }


def cold_start(name: str, threads: int) -> float:
    """Seconds from the start of a process until ``name`` has encoded a question in it."""
    command = [sys.executable, "-m", "eval.bench.encoders", name, str(threads)]
    return _seconds(lambda: subprocess.run(command, capture_output=True, check=True))  # noqa: S603


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def generated(count: int, words: int, seed: int = 0) -> list[str]:
    """Texts of ``words`` English and Korean words, half more or less, that mean nothing."""
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(rng.choice(list(_LETTERS[i % 2]), 2 + i % 5)) for i in range(500)]
    lengths = rng.integers(words // 2, words + words // 2, size=count, endpoint=True)
    return [" ".join(rng.choice(vocabulary, size=n)) for n in lengths]


def agreement(vectors: NDArray[np.float32], exact: NDArray[np.float32]) -> dict[str, float]:
    """Least and mean cosine of the rows of two ``(n, dim)`` arrays."""
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(exact, axis=1)
    cosines = (vectors * exact).sum(axis=1) / norms
    return {"cosine_min": float(cosines.min()), "cosine_mean": float(cosines.mean())}


def body(bench: Bench) -> None:
    threads = str(bench.args.threads)
    os.environ |= {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    settings = Settings.load()
    bench.corpus |= {
        "encoder": settings.encoder,
        "threads": bench.args.threads,
        "source": "generated text" if bench.data == _NO_DATA else bench.data.name,
    }
    contenders = []
    for name in filter(bench.wants, ROSTER):
        if why := lacking(name, settings):
            bench.skip(name, why)
        else:
            contenders.append(name)
    for size in bench.sizes:
        _measure(bench, size, contenders)


def _measure(bench: Bench, size: int, contenders: list[str]) -> None:
    count, threads = bench.args.questions, bench.args.threads
    if bench.data == _NO_DATA:
        passages, questions = generated(size, 150), generated(count, 12, seed=1)
    else:
        passages = [p.body for p in corpora.passages(bench.data, size)]
        asked = corpora.questions(bench.data, None, count, whole=False)
        questions = list(asked.texts.values())
    bench.corpus["characters_per_passage"] = round(sum(map(len, passages)) / len(passages))
    with TemporaryDirectory() as folder, ExitStack() as held:
        workers: dict[str, Worker] = {}
        for name in contenders:
            file = str(Path(folder) / f"{name}.npy")
            try:
                worker = Worker(Job, name, passages, questions, threads, file)
            except RuntimeError as e:
                bench.skip(f"{name} at {size:,}", str(e))
                continue
            workers[name] = held.enter_context(worker)
        vectors = {name: np.load(Path(folder) / f"{name}.npy") for name in workers}
        exact = vectors.get(FLOAT32)
        cosines = {
            name: agreement(found, exact) if exact is not None else {}
            for name, found in vectors.items()
        }
        bench.measure(
            size,
            [
                Contender(name, partial(_run, name, worker, threads, cosines[name]))
                for name, worker in workers.items()
            ],
        )


def _run(name: str, worker: Worker, threads: int, cosines: dict[str, float]) -> dict[str, float]:
    return {**worker.call("run"), **cosines, "cold_start_s": cold_start(name, threads)}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--questions", type=int, default=100, help="more than Saem remembers: 64")


if __name__ == "__main__":
    sys.exit(
        main(
            "Saem's encoder beside the same in other libraries; generated text without --data.",
            _NO_DATA,
            body,
            sizes=(64,),
            repetitions=3,
            arguments=_options,
        )
    )
