"""LangChain: `BM25Retriever` and `FAISS` under an `EnsembleRetriever` of equal weights."""

from __future__ import annotations

from pathlib import Path

from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from eval.bench.systems.job import Job


class System:
    def __init__(self, job: Job, folder: Path) -> None:
        documents = [Document(p.body, metadata={"id": p.id}) for p in job.passages]
        self._bm25 = BM25Retriever.from_documents(documents)
        self._dense = FAISS.from_documents(documents, _Kept(job)).as_retriever()
        self._both = EnsembleRetriever(retrievers=[self._bm25, self._dense], weights=[0.5, 0.5])

    def search(self, query: str, k: int) -> list[str]:
        self._bm25.k = k
        self._dense.search_kwargs = {"k": k}
        return [document.metadata["id"] for document in self._both.invoke(query)[:k]]

    def save(self, folder: Path) -> bool:
        """Its BM25 half has no way to be kept."""
        return False


class _Kept(Embeddings):  # type: ignore[misc]
    def __init__(self, job: Job) -> None:
        self._job = job

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._job.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]
