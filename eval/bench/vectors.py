"""Vectors to search: rows of a file, or vectors made to resemble an encoder's.

Encoding hundreds of thousands of passages takes hours on a CPU, and neighbours in isotropic noise
are an accident that no graph finds, so recall on it says nothing. Knows no index.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import SourceError

DIM = 384
MEAN_SHARE = 0.75
"""Squared length of the mean vector: the cosine of two passages of different topics."""
TOPIC_SHARE = 0.35
"""Part of the rest of a vector's variance that its topic's passages have in common."""
TOPIC_PASSAGES = 12
CENTRES, SPREAD = 4000, 0.7
"""Of random clusters: how many, and how far from its centre, of length 1, a vector lies."""
QUESTION = (0.83, 0.36)
"""How much of its topic's and of its passage's own direction a question has."""
_BLOCK = 20_000

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sample:
    """``passages`` (n, dim) and ``queries`` (m, dim) float32 of unit norm; ``note`` says whence."""

    passages: Vectors
    queries: Vectors
    note: str


def read(file: Path, count: int, queries: int) -> Sample:
    """The first ``count`` rows of ``file`` as passages, the ``queries`` rows after them to search.

    Raises
    ------
    SourceError
        The file is no array of that many vectors.
    """
    try:
        rows = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as e:
        raise SourceError(str(file), f"is no .npy file: {e}") from e
    if rows.ndim != 2 or len(rows) < count + queries:
        raise SourceError(
            str(file),
            f"has shape {rows.shape}, but {count:,} passages and {queries:,} queries are needed",
            remedy="Give (n, dim) vectors with more rows, or ask for smaller sizes",
        )
    chosen = _unit(np.array(rows[: count + queries], np.float32))
    note = f"{count:,} real vectors of {rows.shape[1]} dimensions; queries are rows held out"
    return Sample(chosen[:count], chosen[count:], note)


def make(count: int, queries: int, dim: int = DIM, seed: int = 0) -> Sample:
    """Anisotropic Gaussian clusters, alike for a seed.

    A passage is the common mean plus its topic's and its own direction, both Gaussian with
    variances that fall as ``k**-0.5 * exp(-k / 250)``. The figures were fitted to
    ``multilingual-e5-small`` on 600 paragraphs and 300 questions of SQuAD: cosines of two passages
    of one article (0.83), of two (0.75), of a question and its passage (0.87), its article's
    (0.81), others (0.74). A graph of 8 edges a node found 0.95 of the best 10 of the real ones and
    0.93 of such as these, 0.98 and 0.97 with more effort; among many more it is not known.
    """
    rng = np.random.default_rng(seed)
    k = np.arange(1.0, dim + 1)
    spectrum = k**-0.5 * np.exp(-k / 250)
    axes = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    shape = (np.sqrt((1 - MEAN_SHARE) * spectrum / spectrum.sum())[:, None] * axes).astype("f4")
    mean = rng.standard_normal(dim, np.float32)
    mean *= np.sqrt(MEAN_SHARE) / np.linalg.norm(mean)
    topic_of = rng.permutation(np.arange(count) // TOPIC_PASSAGES)
    topics = rng.standard_normal((topic_of.max() + 1, dim), np.float32)
    asked = rng.choice(count, size=queries, replace=queries > count)
    passages = np.empty((count, dim), np.float32)
    questions = np.empty((queries, dim), np.float32)
    for start in range(0, count, _BLOCK):
        block = topic_of[start : start + _BLOCK]
        topic = np.sqrt(TOPIC_SHARE) * topics[block]
        own = np.sqrt(1 - TOPIC_SHARE) * rng.standard_normal(topic.shape, np.float32)
        passages[start : start + _BLOCK] = _unit(mean + (topic + own) @ shape)
        here = np.flatnonzero((asked >= start) & (asked < start + _BLOCK))
        at = asked[here] - start
        questions[here] = QUESTION[0] * topic[at] + QUESTION[1] * own[at]
    shared = QUESTION[0] ** 2 * TOPIC_SHARE + QUESTION[1] ** 2 * (1 - TOPIC_SHARE)
    questions += np.sqrt(1 - shared) * rng.standard_normal(questions.shape, np.float32)
    note = (
        f"made vectors, no real ones: {count:,} of {dim} dimensions in clusters, with the cosines "
        "and the spectrum of multilingual-e5-small on SQuAD"
    )
    return Sample(passages, _unit(mean + questions @ shape), note)


def clusters(count: int, queries: int, dim: int = DIM, seed: int = 0) -> Sample:
    """Isotropic clusters around random centres, alike for a seed: what indexes find easy."""
    rng = np.random.default_rng(seed)
    centres = _unit(rng.standard_normal((CENTRES, dim), np.float32))
    found = np.empty((count + queries, dim), np.float32)
    for start in range(0, len(found), _BLOCK):
        block = found[start : start + _BLOCK]
        away = rng.standard_normal(block.shape, np.float32) * np.float32(SPREAD / dim**0.5)
        block[:] = _unit(centres[rng.integers(0, CENTRES, len(block))] + away)
    note = f"random vectors: {count:,} of {dim} dimensions around {CENTRES:,} centres"
    return Sample(found[:count], found[count:], note)


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
