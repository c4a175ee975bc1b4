"""Saem beside txtai, LangChain, LlamaIndex and Haystack at one job: hybrid search of a BEIR folder.

Every system has the same passages and the same vectors, which Saem's default encoder made before,
and is put together as its own documentation does it. Encoding is in no figure. Each repetition is
a fresh process that builds, asks every question for 10 passages, then for 100.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench.harness import Bench, Contender, in_child, main, peak_mb
from eval.bench.systems import job
from eval.dataset import Dataset
from eval.formats import load
from eval.measures import per_query
from rag import __version__
from rag.encode import load_encoder
from rag.errors import BadQuery
from rag.settings import Settings

_FAISS = "faiss-cpu"
SYSTEMS = {
    "saem": ("saem.System", (_FAISS,)),
    "txtai": ("txtai_system.System", ("txtai", _FAISS)),
    "txtai (exact)": ("txtai_system.Exact", ("txtai", _FAISS)),
    "langchain": (
        "langchain_system.System",
        ("langchain-classic", "langchain-community", "rank-bm25", _FAISS),
    ),
    "llamaindex": (
        "llamaindex_system.System",
        ("llama-index-core", "llama-index-retrievers-bm25", "llama-index-vector-stores-faiss"),
    ),
    "haystack": ("haystack_system.System", ("haystack-ai",)),
}
"""Name to the class in ``eval.bench.systems`` and the packages that it needs."""
K, DEEP = 10, 100
NOTE = (
    f"Hybrid search, top {K}, one question at a time. Every system has the same vectors of the "
    "passages and questions, made before by Saem's encoder; making them is in no figure. Each is "
    "put together as its documentation does it, with its own analysis: LangChain's BM25 splits at "
    "white space alone; txtai's FAISS index is approximate above 5,000 passages, except in "
    "'txtai (exact)'. memory_mb is the peak of a process that builds and answers, libraries "
    "included, an encoder not. Saem's build ends on disk, the others' in memory; disk_mb is what "
    "the system's own way to save takes, and LangChain's BM25Retriever has none. LangChain, "
    "LlamaIndex and Haystack fuse lists as long as the answer, Saem and txtai lists of "
    f"{DEEP}; `legs {DEEP} deep` is the quality at {K} when "
    f"{DEEP} passages are asked for (txtai's lists are then of {10 * DEEP:,})."
)
_WARM_UP = 20
_MB = 2**20
_OFFLINE = {"HAYSTACK_TELEMETRY_ENABLED": "False", "HF_HUB_OFFLINE": "1"}


def measure(name: str, data: str, size: int, depths: list[int]) -> dict[str, Any]:
    """Build and ask one system, in this process.

    ``metrics`` are of asking for ``K`` passages; ``found`` has, for each of ``depths``, what each
    question found to that depth.
    """
    os.environ.update(_OFFLINE)
    work = _job(Path(data)).first(size)
    module, of = SYSTEMS[name][0].split(".")
    make = getattr(importlib.import_module(f"eval.bench.systems.{module}"), of)
    with tempfile.TemporaryDirectory() as folder:
        index, copy = Path(folder, "index"), Path(folder, "copy")
        started = time.perf_counter()
        system = make(work, index)
        metrics = {"build_s": time.perf_counter() - started}
        for text in list(work.queries.values())[:_WARM_UP]:
            system.search(text, K)
        times = []
        for text in work.queries.values():
            started = time.perf_counter()
            system.search(text, K)
            times.append((time.perf_counter() - started) * 1000)
        metrics |= {"mean_ms": float(np.mean(times))}
        metrics |= {f"p{p}_ms": float(np.percentile(times, p)) for p in (50, 99)}
        metrics["memory_mb"] = peak_mb()
        found = [
            {id_: system.search(text, depth) for id_, text in work.queries.items()}
            for depth in depths
        ]
        copy.mkdir()
        if system.save(copy):
            files = [f for f in Path(folder).rglob("*") if f.is_file()]
            metrics["disk_mb"] = sum(f.stat().st_size for f in files) / _MB
    return {"metrics": metrics, "found": found}


class Trial:
    """A system's repetitions; quality, which they do not change, is that of the first.

    It is left out where passages of ``dataset`` are, as right ones may be among them.
    """

    def __init__(self, name: str, dataset: Dataset, data: Path, size: int) -> None:
        self._name = name
        self._dataset = dataset
        self._data = str(data)
        self._size = size
        self._depths = [K, DEEP] if size == len(dataset.documents) else []
        self._quality: dict[str, float] = {}

    def run(self) -> dict[str, float]:
        result, _ = in_child(measure, self._name, self._data, self._size, self._depths)
        if self._depths:
            self._depths = []
            shallow, deep = result["found"]
            found = quality(self._dataset, deep, [f"nDCG@{K}", f"R@{DEEP}"])
            found[f"nDCG@{K}, legs {DEEP} deep"] = found.pop(f"nDCG@{K}")
            self._quality = quality(self._dataset, shallow, [f"nDCG@{K}"]) | found
        metrics: dict[str, float] = result["metrics"]
        return metrics | self._quality


def quality(
    dataset: Dataset, found: Mapping[str, Sequence[str]], measures: Sequence[str]
) -> dict[str, float]:
    """Means of ``measures`` over the judged questions, of passages' ids best first."""
    rankings = {id_: [(place, 0.0) for place in ids] for id_, ids in found.items()}
    values = per_query(dataset, rankings, measures)
    return {measure: sum(v.values()) / len(v) for measure, v in values.items()}


def body(bench: Bench) -> None:
    dataset = load(bench.data)
    if not dataset.documents or dataset.pages:
        raise BadQuery(
            f"'{dataset.name}' has no documents that its judgements name",
            remedy="Give a BEIR folder with corpus.jsonl and judgements by document",
        )
    work = _job(bench.data)
    whole = len(work.passages)
    bench.corpus |= {
        "name": dataset.name,
        "passages": whole,
        "queries": len(work.queries),
        "encoder": Settings.load().encoder,
        "note": NOTE,
        "versions": {"saem": __version__},
    }
    wanted = []
    for name, (_, packages) in SYSTEMS.items():
        if not bench.wants(name):
            continue
        try:
            bench.corpus["versions"] |= {p: version(p) for p in packages}
        except PackageNotFoundError as e:
            bench.skip(name, f"{e.name} is not installed (eval/bench/requirements.in)")
            continue
        wanted.append(name)
    for size in sorted({min(size, whole) for size in bench.sizes}):
        trials = {name: Trial(name, dataset, bench.data, size) for name in wanted}
        bench.measure(size, [Contender(name, trial.run) for name, trial in trials.items()])


def _job(data: Path) -> job.Job:
    settings = Settings.load()
    encoder = load_encoder(settings)
    if encoder is None:
        raise BadQuery("rag_systems compares hybrid search", remedy="Set an encoder")
    return job.load(load(data), encoder, settings.cache / "bench")


if __name__ == "__main__":
    sys.exit(
        main(
            "Saem beside whole systems at hybrid search.",
            "../shared/data/scifact",
            body,
            sizes=(1_000, 5_183),
            repetitions=3,
        )
    )
