"""The benchmark of encoders, at a tiny size, and the encoders that it compares."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.bench import encode, encoders, gpu
from eval.bench.harness import Bench
from rag.errors import ConfigError
from rag.settings import Settings

TEXTS = ["The river froze in winter.", "강은 겨울에 얼었다.", ""]
ALL_CORES = os.cpu_count() or 1


def bench(name: str, **options: object) -> Bench:
    """A run of one repetition over three generated texts."""
    arguments: dict[str, object] = {"data": Path(), "repetitions": 1, "only": (), "sizes": [3]}
    arguments |= {"questions": 2, "threads": ALL_CORES} | options
    return Bench(name, argparse.Namespace(**arguments), log=lambda _line: None)


def test_generated_texts_have_the_words_asked_for() -> None:
    texts = encode.generated(50, 20)
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) >= 10
    assert max(lengths) <= 30
    assert texts == encode.generated(50, 20)
    assert texts != encode.generated(50, 20, seed=1)
    assert any("가" <= c <= "힣" for c in texts[0])


def test_agreement_is_the_cosine_of_each_pair() -> None:
    a = np.array([[1, 0], [3, 4]], np.float32)
    b = np.array([[2, 0], [4, 3]], np.float32)
    found = encode.agreement(a, b)
    assert found == {
        "cosine_min": pytest.approx(24 / 25),
        "cosine_mean": pytest.approx((1 + 24 / 25) / 2),
    }


def test_what_cannot_be_made_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ENCODER", "hashing")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # `body` sets them; to be set back
        monkeypatch.setenv(name, "1")
    run = bench("encode")
    encode.body(run)
    assert set(run.skipped) == set(encoders.ROSTER) - {"saem"}
    assert "'hashing' has no sentence-transformers folder" in run.skipped[encode.FLOAT32]
    assert "'hashing'" in run.skipped["onnxruntime float32"]
    (found,) = run.found[3].values()
    assert set(found) == {"passages_per_s", "question_p50_ms", "memory_mb", "cold_start_s"}
    assert found["passages_per_s"][0] > 0
    with pytest.raises(ConfigError, match="hashing"):
        encode.weights(Settings.load())


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "find_spec", lambda _name: None)
    settings = Settings.load()
    assert "sentence-transformers is not installed" in encoders.lacking(encode.FLOAT32, settings)
    assert encoders.lacking(encoders.OPENVINO, settings) == "openvino is not installed"
    assert not encoders.lacking("saem", settings)


@pytest.fixture(scope="module")
def exact(models_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    return vectors(encode.FLOAT32, tmp_path_factory.mktemp("exact") / "vectors.npy")


def vectors(name: str, file: Path) -> NDArray[np.float32]:
    """What ``name`` makes of the texts and one question, after a timed run."""
    assert encode.Job(name, TEXTS, ["Why?"], ALL_CORES, str(file)).run()["question_p50_ms"] > 0
    found: NDArray[np.float32] = np.load(file)
    return found


@pytest.mark.models
@pytest.mark.filterwarnings("ignore:torch.*deprecated")
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("saem", 0.996),
        (encode.BFLOAT16, 0.999),
        (encoders.TORCH_INT8, 0.9),
        ("onnxruntime float32", 0.999999),
        (encoders.OPENVINO, 0.99999),
        ("openvino bfloat16", 0.999),
        ("openvino int8", 0.99),
    ],
)
def test_all_have_the_vectors_of_sentence_transformers(
    exact: NDArray[np.float32], tmp_path: Path, name: str, least: float
) -> None:
    if name.startswith("openvino") and not find_spec("openvino"):
        pytest.skip("openvino is not installed; no extra of ours has it")
    found = vectors(name, tmp_path / "vectors.npy")
    assert found.shape == (len(TEXTS) + 1, 384)
    assert encode.agreement(found, exact)["cosine_min"] > least


@pytest.mark.models
def test_the_gpus_encoder_runs_on_the_cpu_as_well(models_cache: Path) -> None:
    folder = encode.weights(Settings.load(cache=models_cache))
    assert gpu.Encoding(folder, "cpu", TEXTS).run()["passages_per_s"] > 0
