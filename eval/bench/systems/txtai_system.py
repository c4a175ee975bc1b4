"""txtai: ``Embeddings(hybrid=True)`` with vectors from a function of ours, all else by default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from txtai import Embeddings

from eval.bench.systems.job import Job, Vector


class System:
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, job: Job, folder: Path) -> None:
        def transform(texts: Sequence[str]) -> Vector:
            return job.encode(texts)

        self._embeddings = Embeddings(
            hybrid=True, method="external", transform=transform, **self.options
        )
        self._embeddings.index((p.id, p.body) for p in job.passages)

    def search(self, query: str, k: int) -> list[str]:
        return [id_ for id_, _ in self._embeddings.search(query, k)]

    def save(self, folder: Path) -> bool:
        self._embeddings.config.pop("transform")  # a function cannot be written
        self._embeddings.save(str(folder))
        return True


class Exact(System):
    """Above 5,000 passages its FAISS index is approximate, and misses much by default."""

    options: ClassVar[dict[str, Any]] = {"faiss": {"components": "IDMap,Flat"}}
