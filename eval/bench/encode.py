"""Encoding: Saem's encoder beside plain sentence-transformers on the same weights.

``python -m eval.bench.encode --data ../shared/data/scifact --json encode.json``

The same texts and threads, in float32 and bfloat16. Saem has passages in its own order and batches,
questions one by one; so have the others, as their library does by default. Agreement is the cosine
of a passage's vector to the float32 one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from eval.bench import corpora
from eval.bench.harness import Bench, Contender, Worker, main, rss_mb
from rag import models
from rag.encode import Encoder, load_encoder
from rag.errors import ConfigError, DependencyMissing, RagError
from rag.settings import Settings

FLOAT32 = "sentence-transformers float32"
BFLOAT16 = "sentence-transformers bfloat16"
_NO_DATA = Path()
_LETTERS = ("etaoinshrdlu", "가나다라마바사아자차카하")


class Plain:
    """A sentence-transformers model with the library's defaults."""

    def __init__(self, folder: str, dtype: str) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(folder, local_files_only=True)
        self._model.to(getattr(torch, dtype)).eval()

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = self._model.encode_document(list(texts), show_progress_bar=False)
        return np.asarray(found, np.float32)

    def query(self, text: str) -> NDArray[np.float32]:
        found = self._model.encode_query(text, show_progress_bar=False)
        return np.asarray(found, np.float32)


class Job:
    """One encoder in a process of its own; its vectors of ``passages`` end up in ``file``."""

    def __init__(
        self, name: str, passages: list[str], questions: list[str], weights: str, file: str
    ) -> None:
        self._passages, self._questions = passages, questions
        before, started = rss_mb(), time.perf_counter()
        self._encoder = _encoder(name, weights)
        self._encoder.query("warm up")
        loading = time.perf_counter() - started
        np.save(file, self._encoder.passages(passages))
        self._once = {"load_s": loading, "memory_mb": rss_mb() - before}

    def run(self) -> dict[str, float]:
        """Metrics of one repetition."""
        passages = _seconds(lambda: self._encoder.passages(self._passages))
        questions = _seconds(lambda: [self._encoder.query(text) for text in self._questions])
        return {
            "passages_per_s": len(self._passages) / passages,
            "questions_per_s": len(self._questions) / questions,
            **self._once,
        }


def _encoder(name: str, weights: str) -> Encoder | Plain:
    if name in (FLOAT32, BFLOAT16):
        return Plain(weights, name.split()[1])
    encoder = load_encoder(Settings.load())
    if encoder is None:
        raise ConfigError("no encoder is set", remedy="Name one with RAG_ENCODER")
    return encoder


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def weights(settings: Settings) -> Path:
    """The sentence-transformers folder of the encoder that is set.

    Raises
    ------
    ConfigError
        It is none of sentence-transformers.
    ModelMissing, DependencyMissing
        Its files, or the library, are not on this machine.
    """
    if not find_spec("sentence_transformers"):
        raise DependencyMissing("sentence-transformers", "local")
    if settings.encoder in models.MODELS:
        from rag.encode import e5

        file = models.path(settings.encoder, settings.cache)
        return e5.folder(file, models.MODELS[settings.encoder].member_sha256[:16])
    if (folder := Path(settings.encoder).expanduser()).is_dir():
        return folder
    raise ConfigError(f"the encoder '{settings.encoder}' has no sentence-transformers folder")


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
    contenders = {"saem": ""}
    try:
        contenders |= dict.fromkeys((FLOAT32, BFLOAT16), str(weights(settings)))
    except RagError as e:
        for name in (FLOAT32, BFLOAT16):
            bench.skip(name, str(e))
    for size in bench.sizes:
        _measure(bench, size, {n: w for n, w in contenders.items() if bench.wants(n)})


def _measure(bench: Bench, size: int, contenders: dict[str, str]) -> None:
    count = bench.args.questions
    if bench.data == _NO_DATA:
        passages, questions = generated(size, 150), generated(count, 12, seed=1)
    else:
        passages = [p.body for p in corpora.passages(bench.data, size)]
        asked = corpora.questions(bench.data, None, count, whole=False)
        questions = list(asked.texts.values())
    bench.corpus["characters_per_passage"] = round(sum(map(len, passages)) / len(passages))
    with TemporaryDirectory() as folder, ExitStack() as held:
        workers: dict[str, Worker] = {}
        for name, where in contenders.items():
            file = str(Path(folder) / f"{name}.npy")
            try:
                worker = Worker(Job, name, passages, questions, where, file)
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
                Contender(name, partial(_run, worker, cosines[name]))
                for name, worker in workers.items()
            ],
        )


def _run(worker: Worker, cosines: dict[str, float]) -> dict[str, float]:
    return {**worker.call("run"), **cosines}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--questions", type=int, default=100, help="more than Saem remembers: 64")


if __name__ == "__main__":
    sys.exit(
        main(
            "Saem's encoder beside plain sentence-transformers; generated text without --data.",
            _NO_DATA,
            body,
            sizes=(64,),
            repetitions=3,
            arguments=_options,
        )
    )
