"""An encoder without weights: character n-grams, hashed into a fixed number of features.

It knows no meaning, only shared spelling; the same text gives the same vector on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.encode.base import unit

_GRAMS = (2, 3, 4)
_BASE = np.uint64(0x100000001B3)


class HashingEncoder:
    """Signed feature hashing [1]_ of the 2- to 4-grams of a text's characters.

    Text is put through NFKC and case folding first. A feature's weight is the square root of its
    count.

    References
    ----------
    .. [1] Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
    """

    name = "hashing"

    def __init__(self, dim: int = 512) -> None:
        self.dim = dim
        self.fingerprint = f"hashing:1:{dim}"

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (n, dim) float32, unit norm; (0, dim) for no texts."""
        rows = np.zeros((len(texts), self.dim), np.float64)
        for row, text in zip(rows, texts, strict=True):
            features, counts = np.unique(_hashes(text), return_counts=True)
            signs = np.where(features >> np.uint64(63), -1.0, 1.0)
            buckets = (features % np.uint64(self.dim)).astype(np.intp)
            np.add.at(row, buckets, signs * np.sqrt(counts))
            if not row.any():
                row[0] = 1
        return unit(rows, self.name)

    def query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32, unit norm."""
        vector: NDArray[np.float32] = self.passages([text])[0]
        return vector


def _hashes(text: str) -> NDArray[np.uint64]:
    """One 64-bit hash for each n-gram of ``text``, words set apart by single spaces."""
    plain = f" {' '.join(unicodedata.normalize('NFKC', text).casefold().split())} "
    codes = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    found = []
    for n in _GRAMS:
        hashed = np.full(max(len(codes) - n + 1, 0), n, np.uint64)
        for i in range(n):
            hashed = hashed * _BASE + codes[i : i + len(hashed)]
        found.append(hashed)
    return _mix(np.concatenate(found))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: every bit of ``x`` reaches every bit of the result."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
