"""Reads the packed 4-bit file of ``multilingual-e5-small``.

The file (magic ``E5S1``) holds, little-endian: the sizes, a Unigram vocabulary, a normalisation map
from single characters to strings, a directory of tensors, then the tensors, each float32 or Q4_0
(blocks of 32 weights: a float16 scale and 16 bytes; the low nibbles are weights 0 to 15, the high
ones 16 to 31; weight = scale * (nibble - 8)). Knows neither torch nor where the file comes from.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import SourceError

SHAPE = (384, 12, 12, 1536, 250037, 512, 2)
"""Hidden size, layers, heads, inner size, vocabulary, positions, token types."""

_FLOAT32, _Q4_0 = 0, 1
_BLOCK_BYTES, _BLOCK_WEIGHTS = 18, 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
WORDS = "embeddings.word_embeddings.weight"
_LAYER = {
    "q.w": "attention.self.query.weight",
    "q.b": "attention.self.query.bias",
    "k.w": "attention.self.key.weight",
    "k.b": "attention.self.key.bias",
    "v.w": "attention.self.value.weight",
    "v.b": "attention.self.value.bias",
    "ao.w": "attention.output.dense.weight",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.w": "intermediate.dense.weight",
    "fi.b": "intermediate.dense.bias",
    "fo.w": "output.dense.weight",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}


@dataclass(frozen=True)
class Packed:
    """What the file holds.

    Attributes
    ----------
    pieces, special
        The vocabulary with its log probabilities; ids of ``<s>``, ``</s>``, ``<pad>``, ``<unk>``.
    normalisation
        Character to its replacement; ``""`` removes it.
    tensors
        Name as BERT knows it to float32, of the shape that BERT wants; all but the next.
    words
        The word embeddings as they are in the file, (vocabulary, bytes of a row) uint8, for
        `weights`.
    """

    epsilon: float
    pieces: list[tuple[str, float]]
    special: tuple[int, int, int, int]
    normalisation: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]
    words: NDArray[np.uint8]


class _Cursor:
    """Reads forward through bytes and never past their end."""

    def __init__(self, data: memoryview, at: int = 0) -> None:
        self._data = data
        self._at = at

    def take(self, n: int) -> memoryview:
        if n < 0 or self._at + n > len(self._data):
            raise ValueError(f"it ends before byte {self._at + n}")
        self._at += n
        return self._data[self._at - n : self._at]

    def read(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))


def unpack(file: Path) -> Packed:
    """The contents of ``file``, every size checked.

    Raises
    ------
    SourceError
        The file is absent, cut short, or not the one that this code was written for.
    """
    try:
        return _unpack(memoryview(file.read_bytes()))
    except (OSError, ValueError, OverflowError) as e:
        raise SourceError(str(file), str(e), remedy="Delete it and run `rag models pull`") from e


def _unpack(data: memoryview) -> Packed:
    cursor = _Cursor(data)
    if (magic := bytes(cursor.take(8))) != b"E5S1\x01\0\0\0":
        raise ValueError(f"it begins with {magic!r}, not with E5S1 version 1")
    if (shape := cursor.read("7i")) != SHAPE:
        raise ValueError(f"its sizes are {shape}, expected {SHAPE}")
    epsilon, block = cursor.read("fi")
    if block != _BLOCK_WEIGHTS or not 0 < epsilon < 1e-3:
        raise ValueError(f"its block size is {block} and its epsilon {epsilon}")
    count, bos, eos, pad, unk, size = cursor.read("5iQ")
    if not 0 < count <= shape[4] or not all(0 <= i < count for i in (bos, eos, pad, unk)):
        raise ValueError(f"its vocabulary of {count} pieces makes no sense")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * count), "<f4").tolist()
    blob = bytes(cursor.take(size))
    if offsets[0] != 0 or offsets[-1] != size or offsets != sorted(offsets):
        raise ValueError("its vocabulary's offsets make no sense")
    pieces = [
        (blob[start:end].decode(), score)
        for start, end, score in zip(offsets, offsets[1:], scores, strict=False)
    ]
    normalisation: dict[str, str] = {}
    count, size = cursor.read("iI")
    table = _Cursor(cursor.take(size))
    for _ in range(count):
        character, n = table.read("IB")
        normalisation[chr(character)] = "".join(map(chr, table.read(f"{n}I")))
    tensors, words = _tensors(data, cursor)
    return Packed(epsilon, pieces, (bos, eos, pad, unk), normalisation, tensors, words)


def _tensors(
    data: memoryview, cursor: _Cursor
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.uint8]]:
    names = {name: f"embeddings.{bert}" for name, bert in _EMBEDDINGS.items()}
    for i in range(SHAPE[1]):
        names |= {f"l{i}.{name}": f"encoder.layer.{i}.{bert}" for name, bert in _LAYER.items()}
    tensors = {}
    words = np.zeros((0, 0), np.uint8)
    for _ in range(cursor.read("i")[0]):
        name = bytes(cursor.take(cursor.read("H")[0])).decode()
        kind, n, start, size = cursor.read("BIQQ")
        if name not in names:
            raise ValueError(f"it holds an unknown tensor {name!r}")
        shape = _shape(name)
        sizes = {_FLOAT32: n * 4, _Q4_0: n // _BLOCK_WEIGHTS * _BLOCK_BYTES}
        if n != math.prod(shape) or size != sizes.get(kind):
            raise ValueError(f"tensor {name} has {n} weights of kind {kind} in {size} bytes")
        raw = _Cursor(data, start).take(size)
        stored = np.frombuffer(raw, "<f4" if kind == _FLOAT32 else _BLOCK)
        if not np.isfinite(stored if kind == _FLOAT32 else stored["scale"]).all():
            raise ValueError(f"tensor {name} holds weights that are no numbers")
        bert = names.pop(name)
        if bert == WORDS and kind == _Q4_0:
            words = np.frombuffer(raw, np.uint8).reshape(shape[0], -1)
        else:
            flat = stored.astype(np.float32) if kind == _FLOAT32 else weights(stored)
            tensors[bert] = flat.reshape(shape)
    if names or not words.size:
        raise ValueError(f"it lacks the tensor {next(iter(names), 'emb.word')}")
    return tensors, words


def _shape(name: str) -> tuple[int, ...]:
    hidden, _, _, inner, vocabulary, positions, types = SHAPE
    part = name if name.startswith("emb.") else name.partition(".")[2]
    special: dict[str, tuple[int, ...]] = {
        "emb.word": (vocabulary, hidden),
        "emb.pos": (positions, hidden),
        "emb.type": (types, hidden),
        "fi.w": (inner, hidden),
        "fi.b": (inner,),
        "fo.w": (hidden, inner),
    }
    square = part.endswith(".w") and "ln." not in part
    return special.get(part, (hidden, hidden) if square else (hidden,))


def weights(packed: NDArray[Any]) -> NDArray[np.float32]:
    """The weights of Q4_0 blocks, (..., bytes of a row) uint8 or blocks: (..., n) float32."""
    blocks = packed.view(_BLOCK)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=-1)
    found = nibbles.astype(np.float32)
    found -= 8
    found *= blocks["scale"].astype(np.float32)[..., None]
    return found.reshape(*packed.shape[:-1], -1)
