"""Vectors of tokens by the default encoder: ONNX Runtime's against sentence-transformers'."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rag import models
from rag.encode import e5
from rag.encode.base import unit
from rag.encode.hashing import HashingEncoder
from rag.encode.onnx_encoder import OnnxEncoder
from rag.encode.sentence import SentenceEncoder
from rag.encode.token_vectors import TokenEncoder, own

NAME = "multilingual-e5-small"
VERSION = models.MODELS[NAME].member_sha256[:16]
TEXTS = ["녹차는 80도에서 우립니다.", "tea", "", "half \ud83d", "제주도의 화산 " * 300]

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def packed(models_cache: Path) -> Path:
    return models.path(NAME, models_cache)


def onnx(packed: Path, precision: str) -> OnnxEncoder:
    return OnnxEncoder("e5", "f", partial(e5.onnx_folder, packed, VERSION, precision))


@pytest.mark.parametrize("question", [False, True])
def test_they_are_those_of_sentence_transformers(packed: Path, *, question: bool) -> None:
    oracle = SentenceEncoder("e5", "f", partial(e5.folder, packed, VERSION))
    expected = oracle.tokens(TEXTS, question=question)
    found = onnx(packed, "float32").tokens(TEXTS, question=question)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype == np.float32
        assert one.shape == other.shape
        assert np.linalg.norm(one, axis=1) == pytest.approx(1, abs=1e-5)
        assert (one * other).sum(axis=1).min() > 0.999
    around = 5 if question else 4  # the prompt's tokens and the marks at both ends
    assert [len(one) for one in found[1:3]] == [1, around + 1]  # of no text, all with its blank
    assert len(found[-1]) == 512 - around  # cut off where the model ends


def test_which_tokens_are_the_text_s_own() -> None:
    offsets = [(0, 0), (0, 5), (5, 6), (6, 9), (9, 12), (0, 0)]
    assert own([1, 0, 0, 0, 0, 1], offsets, 7) == [3, 4]
    assert own([1, 0, 0, 0, 0, 1], offsets, 0) == [1, 2, 3, 4]
    assert own([1, 0, 1], [(0, 0), (0, 5), (0, 0)], 7) == [0, 1, 2]


def test_eight_bits_are_near(packed: Path) -> None:
    exact, rough = (onnx(packed, p).tokens(TEXTS) for p in ("float32", "int8"))
    for one, other in zip(exact, rough, strict=True):
        assert (one * other).sum(axis=1).min() > 0.9
        assert float(unit([one.mean(0)], "")[0] @ unit([other.mean(0)], "")[0]) > 0.99


def test_which_encoders_have_them(packed: Path) -> None:
    assert isinstance(onnx(packed, "int8"), TokenEncoder)
    assert not isinstance(HashingEncoder(), TokenEncoder)
    assert onnx(packed, "int8").tokens([]) == []
