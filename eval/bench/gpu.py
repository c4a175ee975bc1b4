"""What an NVIDIA GPU gives: encoding, FAISS flat search and a language model, beside the CPU.

``python -m eval.bench.gpu --json gpu.json`` or ``python eval/bench/gpu.py --json gpu.json``

Sizes are passages encoded (``--passages``), vectors searched (``--sizes``) and prompts answered.
"GPU" and "CPU" search all vectors by FAISS alone, the others are Saem's kinds, their recall against
exact search by numpy.
Where there is no GPU it says so, measures nothing and ends well.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # run by its path, beside an http.py that would hide Python's own
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import argparse
import os
import time
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bench import vectors
from eval.bench.dense import exact
from eval.bench.encode import generated, weights
from eval.bench.harness import Bench, Contender, Worker, main
from rag.index import ann
from rag.index.ann.gpu import has_cagra
from rag.index.dense import load_faiss
from rag.settings import Settings
from rag.types import Device

K = 10
LLM_NAME = "vLLM"
_DEVICES: dict[str, Device] = {"GPU": "cuda", "CPU": "cpu"}
PROMPTS, NEW_TOKENS = 64, 128
_BATCH = 128
_QUERIES = 256
_DRIVER = Path("/proc/driver/nvidia/version")


def lacking() -> str:
    """Why no GPU can be measured; empty where one can."""
    if not find_spec("torch"):
        return "torch is not installed"
    import torch

    return "" if torch.cuda.is_available() else "torch finds no CUDA GPU on this machine"


class Encoding:
    """A sentence-transformers model in bfloat16 on ``device``."""

    def __init__(self, folder: Path, device: str, texts: list[str]) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(os.cpu_count() or 1)
        self._texts = texts
        model = SentenceTransformer(str(folder), device=device, local_files_only=True)
        self._model = model.to(torch.bfloat16).eval()
        self._encode(texts[:_BATCH])

    def run(self) -> dict[str, float]:
        started = time.perf_counter()
        self._encode(self._texts)
        return {"passages_per_s": len(self._texts) / (time.perf_counter() - started)}

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        found = self._model.encode_document(texts, batch_size=_BATCH, show_progress_bar=False)
        return np.asarray(found, np.float32)


class Flat:
    """FAISS's exact search over ``sample`` on ``device``; ``found`` holds the last best rows."""

    def __init__(self, sample: vectors.Sample, device: str) -> None:
        faiss: Any = load_faiss()
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        self._queries = sample.queries
        self.found: NDArray[np.int64] = np.empty((0, K), np.int64)
        started = time.perf_counter()
        self._index = faiss.IndexFlatIP(sample.passages.shape[1])
        if device == "cuda":
            self._resources = faiss.StandardGpuResources()
            self._index = faiss.index_cpu_to_gpu(self._resources, 0, self._index)
        self._index.add(sample.passages)
        self._index.search(sample.queries, K)
        self._build_s = time.perf_counter() - started

    def run(self) -> dict[str, float]:
        """A query alone, in milliseconds, and all at once, in queries a second."""
        started = time.perf_counter()
        for query in self._queries[:_BATCH]:
            self._index.search(query[None], K)
        one = (time.perf_counter() - started) / len(self._queries[:_BATCH])
        started = time.perf_counter()
        _, self.found = self._index.search(self._queries, K)
        together = (time.perf_counter() - started) / len(self._queries)
        return {
            "build_s": self._build_s,
            "alone_ms": 1000 * one,
            "together_queries_per_s": 1 / together,
        }


class Kind:
    """One of Saem's kinds of index over ``sample`` as float16, a query at a time."""

    def __init__(
        self, sample: vectors.Sample, kind: ann.Kind, device: Device, truth: NDArray[np.int64]
    ) -> None:
        load_faiss().omp_set_num_threads(os.cpu_count() or 1)
        self._queries, self._truth = sample.queries[: len(truth)], truth
        started = time.perf_counter()
        self._index = ann.build(kind, sample.passages.astype(np.float16), device)
        self._index.search(sample.queries[0], K)
        self._build_s = time.perf_counter() - started

    def run(self) -> dict[str, float]:
        started = time.perf_counter()
        found = [self._index.search(query, K)[0][:K] for query in self._queries]
        one = (time.perf_counter() - started) / len(found)
        right = [len(np.intersect1d(a, b)) / K for a, b in zip(found, self._truth, strict=True)]
        return {
            "build_s": self._build_s,
            "alone_ms": 1000 * one,
            f"recall@{K}": float(np.mean(right)),
        }


class LanguageModel:
    """vLLM with the model in ``folder``, in a process of its own."""

    def __init__(self, folder: str) -> None:
        from vllm import LLM, SamplingParams

        self._model = LLM(model=folder, gpu_memory_utilization=0.5)
        self._options = SamplingParams(max_tokens=NEW_TOKENS, ignore_eos=True, temperature=0)
        self._prompts = generated(PROMPTS, 200)

    def run(self) -> dict[str, float]:
        started = time.perf_counter()
        found = self._model.generate(self._prompts, self._options, use_tqdm=False)
        seconds = time.perf_counter() - started
        return {"tokens_per_s": sum(len(one.outputs[0].token_ids) for one in found) / seconds}


def body(bench: Bench) -> None:
    devices = {name: device for name, device in _DEVICES.items() if bench.wants(name)}
    with_llm = bench.wants(LLM_NAME)
    if why := lacking():
        bench.skip("GPU", why)
        return
    import torch

    driver = _DRIVER.read_text().splitlines()[0] if _DRIVER.exists() else "unknown"
    bench.corpus |= {
        "gpu": torch.cuda.get_device_name(0),
        "cuda": torch.version.cuda,
        "driver": driver,
        "note": f"{bench.args.passages} generated texts are encoded; {PROMPTS} prompts are answered"
        f" with {NEW_TOKENS} tokens each; the other sizes are vectors searched",
    }
    texts, folder = generated(bench.args.passages, 150), weights(Settings.load())
    encoders = {name: Encoding(folder, device, texts) for name, device in devices.items()}
    bench.measure(len(texts), [Contender(name, e.run) for name, e in encoders.items()])
    _search(bench, devices)
    if with_llm:
        _generate(bench)


def _search(bench: Bench, devices: dict[str, Device]) -> None:
    faiss: Any = load_faiss()
    if not (hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus()):
        bench.skip("FAISS on the GPU", "the FAISS here knows no GPU: pip install 'saem[gpu]'")
        devices = {name: device for name, device in devices.items() if device == "cpu"}
    for size in bench.sizes:
        sample = vectors.make(size, _QUERIES)
        bench.corpus["vectors"] = sample.note
        ready = [Contender(name, Flat(sample, device).run) for name, device in devices.items()]
        rounded = sample.passages.astype(np.float16).astype(np.float32)
        truth = exact(rounded, sample.queries[:_BATCH], None)
        for name, device in devices.items():
            for kind in ann.KINDS:
                if kind == "hnsw" and device == "cuda" and not has_cagra():
                    bench.skip(f"{name} hnsw", "the FAISS here has no CAGRA: it lacks cuVS")
                    continue
                bench.log(f"  {name} {kind} is built, {size:,}")
                ready.append(Contender(f"{name} {kind}", Kind(sample, kind, device, truth).run))
        bench.measure(size, ready)


def _generate(bench: Bench) -> None:
    if not bench.args.model:
        bench.skip(LLM_NAME, "no language model is named: --model FOLDER")
        return
    if not find_spec("vllm"):
        bench.skip(LLM_NAME, "vllm is not installed: pip install 'saem[gpu]'")
        return
    try:
        with Worker(LanguageModel, str(bench.args.model)) as worker:
            bench.measure(PROMPTS, [Contender(LLM_NAME, partial(worker.call, "run"))])
    except RuntimeError as e:
        bench.skip(LLM_NAME, str(e))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, help="folder of a small language model for vLLM")
    parser.add_argument("--passages", type=int, default=2048, help="texts that are encoded")


if __name__ == "__main__":
    sys.exit(
        main(
            "Encoding, FAISS and vLLM on a GPU beside the CPU.",
            "",
            body,
            sizes=(100_000, 1_000_000),
            repetitions=3,
            arguments=_options,
        )
    )
