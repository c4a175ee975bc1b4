"""Dense search: Saem's kinds beside bare FAISS, FAISS HNSW, hnswlib and usearch.

``python -m eval.bench.dense --json dense.json``, and with ``--made clusters --sizes 1000000
--build-limit 900`` over random clusters, where an approximate kind is to find 0.95 in an eighth of
the time of exact search.

The same 10 nearest of the same vectors, a query at a time, in one thread. Vectors are rounded to
float16 first, as Saem keeps them, so that all rank the same numbers. Measured are building
from vectors (once a size), queries, recall against exact search, what the process grows by (files
that it maps included) and the size on disk; then queries under filters, for those that have any.
"saem" is a whole collection: its building includes an fsynced file, its checksum and the first
search; its passages are in the catalogue before, as the others keep none. "saem flat", "saem ivf"
and "saem hnsw" are the kinds alone; those two measure their own recall while they are built.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from eval.bench import vectors
from eval.bench.engines import ENGINES, SHARES, K, allowed
from eval.bench.harness import Bench, Contender, Worker, main, rss_mb

_EXACT_BATCH = 50_000


class Job:
    """One engine over the first ``size`` vectors in ``folder``, in a process of its own."""

    def __init__(self, name: str, folder: str, size: int) -> None:
        place = Path(folder)
        self._queries = np.load(place / "queries.npy")
        self._truth = np.load(place / f"truth-{size}.npy")
        self._own = TemporaryDirectory(dir=place)
        self._engine = ENGINES[name][0](Path(self._own.name), allowed(size))
        passages = np.load(place / "passages.npy", mmap_mode="r")[:size]
        before = rss_mb()
        started = time.perf_counter()
        self._engine.build(passages)
        self._built = {"build_s": time.perf_counter() - started}
        del passages  # and its pages, that count as memory
        for filter_ in self._engine.filters:
            self._engine.search(self._queries[0], filter_)
        self._built["memory_mb"] = rss_mb() - before
        self._built["disk_mb"] = self._engine.disk_mb()

    def build_s(self) -> float:
        return self._built["build_s"]

    def run(self) -> dict[str, float]:
        """Metrics of one repetition: every query under every filter."""
        metrics = dict(self._built)
        for filter_, truth in zip(("", *SHARES), self._truth, strict=True):
            if filter_ not in self._engine.filters:
                continue
            seconds, found = [], []
            for query in self._queries:
                started = time.perf_counter()
                found.append(self._engine.search(query, filter_))
                seconds.append(time.perf_counter() - started)
            right = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, truth, strict=True)]
            prefix = f"{filter_} " if filter_ else ""
            metrics[f"{prefix}mean_ms"] = 1000 * float(np.mean(seconds))
            if not filter_:
                metrics["p50_ms"] = 1000 * float(np.median(seconds))
                metrics["p99_ms"] = 1000 * float(np.quantile(seconds, 0.99))
            metrics[f"{prefix}recall@{K}"] = float(np.mean(right))
        return metrics

    def close(self) -> None:
        self._own.cleanup()


def exact(
    passages: NDArray[np.float32], queries: NDArray[np.float32], mask: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Rows ``(queries, K)`` of the nearest of the passages that ``mask`` allows, by numpy alone."""
    rows = np.arange(len(passages)) if mask is None else np.flatnonzero(mask)
    best_rows = np.empty((len(queries), 0), np.int64)
    best_scores = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(rows), _EXACT_BATCH):
        part = rows[start : start + _EXACT_BATCH]
        scores = np.hstack([best_scores, queries @ passages[part].T])
        candidates = np.hstack([best_rows, np.broadcast_to(part, (len(queries), len(part)))])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        best_rows = np.take_along_axis(candidates, order, axis=1)
        best_scores = np.take_along_axis(scores, order, axis=1)
    return best_rows


def body(bench: Bench) -> None:
    args = bench.args
    if args.vectors:
        sample = vectors.read(args.vectors, bench.sizes[-1], args.queries)
    else:
        made = {"encoder": vectors.make, "clusters": vectors.clusters}[args.made]
        sample = made(bench.sizes[-1], args.queries)
    passages = sample.passages.astype(np.float16).astype(np.float32)
    bench.corpus |= {
        "vectors": bench.sizes[-1],
        "dimensions": passages.shape[1],
        "queries": args.queries,
        "note": sample.note,
    }
    names = [name for name in ENGINES if bench.wants(name)]
    for name in list(names):
        if not find_spec(ENGINES[name][1]):
            bench.skip(name, f"{ENGINES[name][1]} is not installed")
            names.remove(name)
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "passages.npy", passages)
        np.save(Path(folder) / "queries.npy", sample.queries)
        built: dict[str, float] = {}
        for size in bench.sizes:
            part = passages[:size]
            truth = [exact(part, sample.queries, m) for m in (None, *allowed(size).values())]
            np.save(Path(folder) / f"truth-{size}.npy", np.stack(truth))
            _measure(bench, names, folder, size, built)


def _measure(
    bench: Bench, names: list[str], folder: str, size: int, built: dict[str, float]
) -> None:
    """Build and search all of ``size``; ``built`` has the seconds a vector of the size before."""
    with ExitStack() as held:
        ready = []
        for name in names:
            expected = built.get(name, 0) * size
            if expected > bench.args.build_limit:
                bench.skip(f"{name} at {size:,}", f"building it takes {expected:,.0f} s or more")
                continue
            bench.log(f"  {name} is built, {size:,}")
            try:
                worker = held.enter_context(Worker(Job, name, folder, size))
            except RuntimeError as e:
                bench.skip(f"{name} at {size:,}", str(e))
                continue
            built[name] = worker.call("build_s") / size
            ready.append(Contender(name, partial(worker.call, "run")))
        bench.measure(size, ready)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, help=".npy of (n, dim) real vectors to search")
    parser.add_argument(
        "--made", choices=("encoder", "clusters"), default="encoder", help="vectors made otherwise"
    )
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument(
        "--build-limit", type=float, default=60, help="seconds that building may take"
    )


if __name__ == "__main__":
    sys.exit(
        main(
            "Dense search beside FAISS, hnswlib and usearch.",
            "",
            body,
            sizes=(10_000, 50_000, 200_000, 600_000),
            repetitions=3,
            arguments=_options,
        )
    )
