"""Reranking by real, small cross-encoders, made here, against transformers itself."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizerFast,
)

from rag.errors import SourceError
from rag.search.rerankers import OutOfTime, apply, base, load_reranker
from rag.search.rerankers.cross_encoder import CrossEncoder
from rag.settings import Settings
from rag.types import Chunk
from tests.support.corpus import chunks, document

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "green", "tea", "pot", "red", "녹차", "차"]
QUERY = "green tea 녹차"
TEXT = (
    "tea\n\nred pot red\n\ngreen tea pot green tea\n\n녹차 차\n\nhalf \ud83d\n\ntea tea tea tea tea"
)


def made(folder: Path, labels: int = 1) -> Path:
    """A folder with a BERT of random weights for ``WORDS``."""
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64, num_labels=labels,
        initializer_range=0.8,
    )  # fmt: skip
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=64, strip_accents=False).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def passages() -> list[Chunk]:
    return chunks(document("a", TEXT, title="차"))


def by_transformers(folder: Path, passages: list[Chunk]) -> list[float]:
    """One pair at a time, without padding."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for chunk in passages:
        text = chunk.context.encode("utf-8", "replace").decode()
        with torch.no_grad():
            logits = model(**tokenizer(QUERY, text, return_tensors="pt")).logits
        found.append(float(torch.sigmoid(logits)[0, 0]))
    return found


def test_scores_are_those_of_the_model(folder: Path, passages: list[Chunk]) -> None:
    expected = by_transformers(folder, passages)
    assert len({round(score, 3) for score in expected}) == len(expected)  # all differ
    found = CrossEncoder(folder).scores(QUERY, passages, time.monotonic() + 600)
    assert found == pytest.approx(expected, abs=1e-5)


def test_settings_name_it(folder: Path, passages: list[Chunk]) -> None:
    settings = Settings(rerank="cross-encoder", rerank_model=str(folder), device="cpu")
    reranker = load_reranker(settings, None, None)
    assert reranker is not None
    order = [(c.id, 1.0) for c in passages]
    found, warning = apply(order, {c.id: c for c in passages}, QUERY, reranker, 600, 10)
    assert warning == ""
    scores = by_transformers(folder, passages)
    ranks = sorted(range(len(passages)), key=lambda i: -scores[i])
    assert [id_ for id_, _ in found] == [passages[i].id for i in ranks]


def test_many_threads_have_the_same_scores(folder: Path, passages: list[Chunk]) -> None:
    reranker = CrossEncoder(folder)
    until = time.monotonic() + 600
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: reranker.scores(QUERY, passages, until), range(8)))
    assert found == [found[0]] * 8


def test_the_deadline_is_looked_at_between_batches(
    folder: Path, passages: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker = CrossEncoder(folder)
    done = []
    monkeypatch.setattr(
        CrossEncoder, "_predicted", lambda _self, pairs: done.append(len(pairs)) or [0.0] * 4
    )
    clock = iter([0.0, 2.0])
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(OutOfTime):
        reranker.scores(QUERY, passages, 1.0)
    assert done == [4]


def test_one_that_waits_for_another_gives_up_in_time(
    folder: Path, passages: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, over = threading.Event(), threading.Event()

    def hanging(_self: CrossEncoder, pairs: list[tuple[str, str]]) -> list[float]:
        begun.set()
        over.wait(60)
        return [0.0] * len(pairs)

    monkeypatch.setattr(CrossEncoder, "_predicted", hanging)
    reranker = CrossEncoder(folder)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reranker.scores, QUERY, passages, time.monotonic() + 600)
        begun.wait(60)
        with pytest.raises(OutOfTime):
            reranker.scores(QUERY, passages, time.monotonic() + 0.05)
        over.set()
        assert first.result(60) == [0.0] * len(passages)


def test_one_that_classifies_is_no_reranker(tmp_path: Path, passages: list[Chunk]) -> None:
    reranker = CrossEncoder(made(tmp_path, labels=3))
    with pytest.raises(SourceError, match="is no reranker: it has 3 labels") as e:
        reranker.scores(QUERY, passages, time.monotonic() + 600)
    assert e.value.path == str(tmp_path)


def test_a_damaged_folder_is_named(tmp_path: Path, passages: list[Chunk]) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SourceError, match="is no usable cross-encoder"):
        CrossEncoder(tmp_path).scores(QUERY, passages, time.monotonic() + 600)
