"""The job that every system is given: passages, questions, and a vector for each text.

Encoding happens once and is kept on disk, so that what is timed is the systems' own work. Knows no
system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bench.corpora import Passage
from eval.dataset import Dataset
from rag.encode import Encoder
from rag.types import digest

Vector = NDArray[np.float32]
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Job:
    """Passages to index and questions to ask of them.

    Attributes
    ----------
    vectors
        Unit vector, (dim,) float32, of each passage's ``body`` and of each question.
    fingerprint
        The encoder's.
    """

    passages: Sequence[Passage]
    queries: Mapping[str, str]
    vectors: Mapping[str, Vector]
    fingerprint: str

    @property
    def dim(self) -> int:
        return len(next(iter(self.vectors.values())))

    def first(self, count: int) -> Job:
        """The same questions over the first ``count`` passages."""
        return replace(self, passages=self.passages[:count])

    def encode(self, texts: Sequence[str]) -> Vector:
        """Their vectors, (n, dim) float32; each must be a text of the job."""
        return np.stack([self.vectors[text] for text in texts])


def load(dataset: Dataset, encoder: Encoder, cache: Path) -> Job:
    """``dataset`` as a job; texts are encoded now unless ``cache`` holds their vectors."""
    passages = [Passage(d.path, d.title, d.text) for d in dataset.documents]
    queries = {q.id: q.text for q in dataset.queries if any(q.relevant.values())}
    texts = list(dict.fromkeys(p.body for p in passages))
    questions = list(dict.fromkeys(queries.values()))
    file = cache / f"{digest(encoder.fingerprint, *texts, '', *questions)}.npz"
    if not file.is_file():
        _encode(encoder, texts, questions, file)
    with np.load(file, allow_pickle=False) as kept:
        vectors = dict(zip(texts, kept["passages"], strict=True))
        vectors |= dict(zip(questions, kept["questions"], strict=True))
        return Job(passages, queries, vectors, encoder.fingerprint)


def _encode(encoder: Encoder, texts: list[str], questions: list[str], file: Path) -> None:
    """Write the vectors of ``texts`` and ``questions``."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = np.empty((len(texts), encoder.dim), np.float32)
    for i in range(0, len(order), _BATCH):
        batch = order[i : i + _BATCH]
        vectors[batch] = encoder.passages([texts[n] for n in batch])
    arrays: dict[str, Any] = {
        "passages": vectors,
        "questions": np.stack([encoder.query(question) for question in questions]),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.rename(file)
