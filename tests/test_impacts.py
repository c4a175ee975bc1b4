"""Learned weights: what is found for them is what the dot product of sparse vectors says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

from rag.index.lookup import MOST
from rag.index.postings import Postings, impacts, merge
from rag.index.scorers import Scorer
from rag.index.sparse import Live, Shard, Sparse
from tests.support.sparse import Index, Ranked, ids

Weights = dict[str, float]
WORD = st.sampled_from(["a", "b", "한국", "\U0001f600"])
WEIGHT = st.floats(0.001, 9)
PASSAGES = st.lists(st.dictionaries(WORD, WEIGHT), max_size=20)
ALL = 10**6


def found(p: Postings, question: Weights, k: int = ALL) -> Ranked:
    index = Index(
        Sparse([Live(Shard(p, ids(len(p))), np.ones(len(p), np.bool_))]), [0], ids(len(p))
    )
    return index.search(question, k, Scorer("impact"))


def dot(passages: list[Weights], question: Weights) -> dict[int, float]:
    scores = [sum(w * p.get(term, 0) for term, w in question.items()) for p in passages]
    return {i: score for i, score in enumerate(scores) if score > 0}


def tiny(folder: Path) -> SparseEncoder:
    """A SPLADE model with random weights and the words w0 to w59."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(60))]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, initializer_range=0.5,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(folder)
    transformer = Transformer(str(folder), transformer_task="fill-mask")
    return SparseEncoder(modules=[transformer, SpladePooling()], device="cpu")


def test_scores_are_a_sparse_encoders(tmp_path: Path) -> None:
    encoder = tiny(tmp_path)
    texts = [f"w{i % 7} w{i * i % 50} w{i % 31}"[: 3 + i % 9].strip() for i in range(200)]
    questions = ["w1 w2", "w30", "w4 w4 w9 w17"]
    made, asked = encoder.encode_document(texts), encoder.encode_query(questions)
    expected = encoder.similarity(asked, made).numpy()
    p = impacts([dict(encoder.decode(v)) for v in made])
    for question, own in zip(asked, expected, strict=True):
        scores = dict(found(p, dict(encoder.decode(question))))
        np.testing.assert_allclose([scores.get(i, 0) for i in range(200)], own, rtol=1e-4)


@settings(max_examples=50)
@given(PASSAGES, PASSAGES, st.dictionaries(WORD, WEIGHT))
def test_a_dot_product_before_and_after_a_merge(
    first: list[Weights], second: list[Weights], question: Weights
) -> None:
    expected = pytest.approx(dot(first + second, question), rel=1e-5)
    assert dict(found(impacts(first + second), question)) == expected
    parts = [(impacts(p), np.ones(len(p), np.bool_)) for p in (first, second)]
    merged = merge(parts)
    assert dict(found(merged, question)) == expected
    assert merged.lengths.tolist() == [[0, 0]] * len(first + second)
    assert (len(merged.pbytes), merged.pptr.tolist()) == (0, [0] * (len(merged.vocabulary) + 1))


def test_by_value() -> None:
    p = impacts([{"b": 0.5, "a": 2.0}, {}, {"b": 0.5, "c": 0.0, "d": -1.0}])
    assert {term: p.of(term)[0].tolist() for term in "abcd"} == {
        "a": [0], "b": [0, 2], "c": [], "d": [],
    }  # fmt: skip
    assert p.of("b")[1].tolist() == [[0.5], [0.5]]
    assert p.book.dtype == np.float32


def test_words_of_passages_left_out_go() -> None:
    p = impacts([{"a": 1.0}, {"b": 1.0}])
    assert list(merge([(p, np.array([False, True]))]).vocabulary) == [b"b"]


class TestMoreWeightsThanCodes:
    """Rounded to ``MOST`` of them, by less than a ten-thousandth."""

    @staticmethod
    def passages(seed: int) -> list[Weights]:
        values = np.random.default_rng(seed).random((1200, 60)) * 3 + 0.01 + seed
        return [{f"w{j}": v for j, v in enumerate(row)} for row in values.tolist()]

    def test_at_once(self) -> None:
        passages = self.passages(0)
        p = impacts(passages)
        assert (len(p.book), p.codes.dtype) == (MOST, np.uint16)
        expected = pytest.approx(dot(passages, {"w1": 2.0, "w7": 1.0}), rel=1e-4)
        assert dict(found(p, {"w1": 2.0, "w7": 1.0})) == expected

    def test_merged(self) -> None:
        passages = [self.passages(0), self.passages(1)]
        parts = [(impacts(p), np.ones(len(p), np.bool_)) for p in passages]
        expected = pytest.approx(dot(passages[0] + passages[1], {"w1": 1.0}), rel=3e-4)
        assert dict(found(merge(parts), {"w1": 1.0})) == expected
