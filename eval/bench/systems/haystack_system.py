"""Haystack: a pipeline of both in-memory retrievers and a `DocumentJoiner` by reciprocal rank."""

from __future__ import annotations

from pathlib import Path

from haystack import Document, Pipeline, component
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

from eval.bench.systems.job import Job


class System:
    def __init__(self, job: Job, folder: Path) -> None:
        self._store = InMemoryDocumentStore()
        self._store.write_documents(
            [
                Document(id=p.id, content=p.body, embedding=job.vectors[p.body].tolist())
                for p in job.passages
            ]
        )
        self._pipeline = Pipeline()
        self._pipeline.add_component("embedder", _Kept(job))
        self._pipeline.add_component("dense", InMemoryEmbeddingRetriever(self._store))
        self._pipeline.add_component("bm25", InMemoryBM25Retriever(self._store))
        self._pipeline.add_component("joiner", DocumentJoiner("reciprocal_rank_fusion"))
        self._pipeline.connect("embedder.embedding", "dense.query_embedding")
        self._pipeline.connect("dense", "joiner")
        self._pipeline.connect("bm25", "joiner")

    def search(self, query: str, k: int) -> list[str]:
        found = self._pipeline.run(
            {
                "embedder": {"text": query},
                "dense": {"top_k": k},
                "bm25": {"query": query, "top_k": k},
                "joiner": {"top_k": k},
            }
        )
        return [document.id for document in found["joiner"]["documents"]]

    def save(self, folder: Path) -> bool:
        self._store.save_to_disk(str(folder / "store.json"))
        return True


@component
class _Kept:
    def __init__(self, job: Job) -> None:
        self._job = job

    @component.output_types(embedding=list[float])  # type: ignore[untyped-decorator]
    def run(self, text: str) -> dict[str, list[float]]:
        return {"embedding": self._job.vectors[text].tolist()}
