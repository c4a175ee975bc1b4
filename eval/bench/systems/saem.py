"""Saem in its default settings, one passage a document. Writes to disk as it builds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.bench.corpora import Passage
from eval.bench.systems.job import Job, Vector
from indexer.chunk import whole
from indexer.rows import make_rows
from indexer.vectors import fill_vectors
from rag.analysis import Analyser
from rag.index import Collection, Row, Stat
from rag.search import Searcher
from rag.settings import Settings
from rag.types import Document

_COMMIT = 1000
"""Passages a commit, as `rag index` has it."""


class System:
    def __init__(self, job: Job, folder: Path) -> None:
        encoder = _Kept(job)
        self._collection = Collection(folder, create=True)
        self._collection.ensure("analyser", Analyser().fingerprint)
        for i in range(0, len(job.passages), _COMMIT):
            self._collection.upsert(_rows(job.passages[i : i + _COMMIT]))
        fill_vectors(self._collection, encoder)
        self._searcher = Searcher(self._collection, encoder, Settings())

    def search(self, query: str, k: int) -> list[str]:
        return [hit.chunk.path for hit in self._searcher.search(query, k).hits]

    def save(self, folder: Path) -> bool:
        """It is there already; closing folds SQLite's log into its file."""
        self._collection.close()
        return True


class _Kept:
    """An encoder that has encoded all that it will be asked for."""

    name = "kept"

    def __init__(self, job: Job) -> None:
        self._job = job
        self.fingerprint = job.fingerprint
        self.dim = job.dim

    def passages(self, texts: Sequence[str]) -> Vector:
        return self._job.encode(texts)

    def query(self, text: str) -> Vector:
        return self._job.vectors[text]


def _rows(passages: Sequence[Passage]) -> list[Row]:
    documents = [Document(p.id, p.id, p.title, p.text) for p in passages]
    return make_rows([(document, Stat()) for document in documents], whole, Analyser())
