"""The benchmarks of dense search, encoding, the service and the GPU, at tiny sizes."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.bench import dense, gpu, http, vectors
from eval.bench.engines import ENGINES, PER_DOCUMENT, SHARES, allowed
from eval.bench.harness import Bench
from rag.errors import SourceError
from rag.workspace import Workspace
from tests.support import docs

ROOT = Path(__file__).parent.parent


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """A run of one repetition; its arguments are options of the script."""

    def made(name: str, sizes: list[int], **options: Any) -> Bench:
        arguments = {"data": Path(), "repetitions": 1, "only": (), "sizes": sizes} | options
        return Bench(name, argparse.Namespace(**arguments), log=lambda line: None)

    return made


def placed(folder: Path, count: int, queries: int = 5) -> vectors.Sample:
    """What a `dense.Job` over ``count`` vectors reads."""
    sample = vectors.make(count, queries, dim=32)
    passages = sample.passages.astype(np.float16).astype(np.float32)
    np.save(folder / "passages.npy", passages)
    np.save(folder / "queries.npy", sample.queries)
    masks = (None, *allowed(count).values())
    truth = [dense.exact(passages, sample.queries, mask) for mask in masks]
    np.save(folder / f"truth-{count}.npy", np.stack(truth))
    return sample


def test_made_vectors_have_the_cosines_that_they_are_said_to_have() -> None:
    sample = vectors.make(3000, 200)
    for rows in (sample.passages, sample.queries):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    asked = sample.queries @ sample.passages.T
    assert abs(asked.mean() - 0.75) < 0.02
    assert 0.85 < asked.max(axis=1).mean() < 0.9
    pairs = sample.passages[:1000] @ sample.passages[1000:2000].T
    assert abs(pairs.mean() - 0.75) < 0.02
    assert abs(np.median(pairs.std(axis=1)) - 0.024) < 0.01
    again = vectors.make(3000, 200)
    np.testing.assert_array_equal(again.passages, sample.passages)
    np.testing.assert_array_equal(again.queries, sample.queries)


def test_vectors_of_a_file_are_its_rows_and_queries_come_after(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    np.save(file := tmp_path / "v.npy", rows)
    sample = vectors.read(file, 8, 3)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(sample.passages, unit[:8], rtol=1e-5)
    np.testing.assert_allclose(sample.queries, unit[8:11], rtol=1e-5)


def test_a_file_of_too_few_vectors_or_of_none_is_refused(tmp_path: Path) -> None:
    np.save(file := tmp_path / "v.npy", np.ones((10, 4), np.float32))
    with pytest.raises(SourceError, match=r"v.npy.*10.*8 passages and 3 queries"):
        vectors.read(file, 8, 3)
    (text := tmp_path / "v.txt").write_text("no vectors")
    with pytest.raises(SourceError, match=r"v.txt.*no .npy file"):
        vectors.read(text, 1, 1)


def test_filters_allow_whole_documents_and_the_share_they_name() -> None:
    masks = allowed(5000)
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {
        "1%": 50,
        "10%": 500,
        "50%": 2500,
    }
    for mask in masks.values():
        by_document = mask.reshape(-1, PER_DOCUMENT)
        assert (by_document.all(axis=1) == by_document.any(axis=1)).all()


def test_exact_search_in_parts_equals_a_full_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "_EXACT_BATCH", 7)
    sample = vectors.make(60, 4, dim=16)
    scores = sample.queries @ sample.passages.T
    np.testing.assert_array_equal(
        dense.exact(sample.passages, sample.queries, None), np.argsort(-scores, axis=1)[:, :10]
    )
    odd = np.arange(60) % 2 == 1
    np.testing.assert_array_equal(
        dense.exact(sample.passages, sample.queries, odd),
        np.argsort(-np.where(odd, scores, -np.inf), axis=1)[:, :10],
    )


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_finds_what_is_nearest(name: str, tmp_path: Path) -> None:
    pytest.importorskip(ENGINES[name][1])
    placed(tmp_path, 1000)
    job = dense.Job(name, str(tmp_path), 1000)
    metrics = job.run()
    job.close()
    is_exact = name in ("saem", "saem flat", "faiss flat")
    recalls = {metric: value for metric, value in metrics.items() if "recall" in metric}
    expected = {"": "recall@10"} | {share: f"{share} recall@10" for share in SHARES}
    assert set(recalls) == {expected[filter_] for filter_ in ENGINES[name][0].filters}
    if name == "faiss flat post-filtered":  # what is cut off before the filter is lost
        assert min(recalls.values()) > 0.7
    elif is_exact:
        assert set(recalls.values()) == {1.0}
    else:
        assert min(recalls.values()) > 0.7
    floats = 1000 * 32 * 4 / 2**20
    assert metrics["disk_mb"] > floats / 4
    if is_exact:
        kept = floats / 2 if name.startswith("saem") else floats
        assert metrics["disk_mb"] == pytest.approx(kept, rel=0.02)


def test_dense_measures_those_there_and_says_why_others_are_not(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "find_spec", lambda module: module == "faiss")
    run = bench(
        "dense",
        [100],
        only=("saem", "hnswlib"),
        vectors=None,
        queries=3,
        build_limit=60.0,
        made="encoder",
    )
    dense.body(run)
    assert run.skipped == {"hnswlib": "hnswlib is not installed"}
    assert set(run.found[100]) == {"saem"}
    assert run.found[100]["saem"]["recall@10"] == [1.0]
    assert run.corpus["dimensions"] == vectors.DIM
    assert "made vectors" in run.corpus["note"]


def test_what_would_be_built_for_too_long_is_left_out(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    run = bench("dense", [1000], build_limit=5.0)
    dense._measure(run, ["faiss hnsw"], str(tmp_path), 1000, {"faiss hnsw": 0.02})
    assert run.skipped == {"faiss hnsw at 1,000": "building it takes 20 s or more"}
    assert run.found == {1000: {}}


def test_figures_of_a_load_count_only_what_was_answered() -> None:
    outcomes = [(float(ms), True) for ms in range(1, 102)] + [(9999.0, False)] * 3
    assert http.figures("ask", outcomes, seconds=2.0) == {
        "ask errors": 3,
        "ask p50_ms": 51,
        "ask p95_ms": 96,
        "ask p99_ms": 100,
        "ask per_s": 50.5,
    }
    assert http.figures("ask", [(1.0, False)], 0.5) == {"ask errors": 1, "ask per_s": 0}


def test_questions_are_runs_of_the_passages_words(saem: Workspace) -> None:
    asked = http.questions(saem, 4)
    texts = " ".join(" ".join(text.split()) for text in docs.FILES.values())
    assert len(asked) == len(set(asked)) == 4
    assert all(question in texts for question in asked)
    assert asked == http.questions(saem, 4)


def test_answers_get_a_fifth_of_the_questions_and_one_at_least() -> None:
    asked = list("abcdefg")
    assert [http.share(kind, asked) for kind in http.KINDS] == [asked, asked, ["a", "b"]]
    assert http.share("ask", ["a"]) == ["a"]


def test_a_server_that_is_gone_counts_as_errors() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    outcomes = asyncio.run(http.over_http(url, "ask", ["a", "b", "c"], clients=2))
    assert [answered for _, answered in outcomes] == [False] * 3


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no room')"]
    with (
        pytest.raises(RuntimeError, match="did not start: no room"),
        http.service(command, tmp_path / "log"),
    ):
        pass


def test_http_asks_every_contender_everything_and_ends_its_servers(
    bench: Callable[..., Bench], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENCODER", "hashing")
    started: list[http.Service] = []
    memory_mb = http.Service.memory_mb

    def noted(server: http.Service) -> float:
        started.append(server)
        return memory_mb(server)

    monkeypatch.setattr(http.Service, "memory_mb", noted)
    run = bench("http", [2], docs=folder, requests=4, threads=1)
    http.body(run)
    assert set(run.found[2]) == {"saem", "bare FastAPI hello", "saem (library)"}
    for metrics in run.found[2].values():
        assert {metrics[f"{kind} errors"][0] for kind in http.KINDS} == {0.0}
        assert all(metrics[f"{kind} p50_ms"][0] > 0 for kind in http.KINDS)
    assert run.corpus["documents"] == len(docs.FILES)
    assert run.corpus["encoder"] == "hashing:1:512"
    for server in started:
        with pytest.raises(ProcessLookupError):
            os.kill(server.pid, 0)


def test_without_a_gpu_nothing_is_measured_and_the_reason_is_given(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "lacking", lambda: "torch finds no CUDA GPU on this machine")
    run = bench("gpu", [100], model=None, passages=4)
    gpu.body(run)
    assert run.skipped == {"GPU": "torch finds no CUDA GPU on this machine"}
    assert run.found == {}


def test_flat_search_on_the_cpu_is_exact() -> None:
    sample = vectors.make(200, 6, dim=16)
    flat = gpu.Flat(sample, "cpu")
    assert set(flat.run()) == {"build_s", "alone_ms", "together_queries_per_s"}
    expected = dense.exact(sample.passages, sample.queries, None)
    np.testing.assert_array_equal(flat.found, expected)


def test_the_gpu_script_runs_by_its_path() -> None:
    command = [sys.executable, str(ROOT / "eval" / "bench" / "gpu.py"), "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "--model" in found.stdout
