"""LlamaIndex: `BM25Retriever` and FAISS under a `QueryFusionRetriever` by reciprocal rank."""

from __future__ import annotations

from pathlib import Path

import faiss
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissVectorStore
from pydantic import PrivateAttr

from eval.bench.systems.job import Job


class System:
    def __init__(self, job: Job, folder: Path) -> None:
        nodes = [TextNode(id_=p.id, text=p.body) for p in job.passages]
        store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(job.dim))
        self._index = VectorStoreIndex(
            nodes,
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=_Kept(job),
        )
        self._dense = self._index.as_retriever()
        self._bm25 = BM25Retriever.from_defaults(nodes=nodes)
        self._both = QueryFusionRetriever(
            [self._dense, self._bm25],
            llm=MockLLM(),
            mode="reciprocal_rerank",
            num_queries=1,
            use_async=False,
        )

    def search(self, query: str, k: int) -> list[str]:
        for retriever in (self._dense, self._bm25, self._both):
            retriever.similarity_top_k = k
        return [found.node.node_id for found in self._both.retrieve(query)]

    def save(self, folder: Path) -> bool:
        self._index.storage_context.persist(folder)
        self._bm25.persist(str(folder / "bm25"))
        return True


class _Kept(BaseEmbedding):  # type: ignore[misc]
    _job: Job = PrivateAttr()

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._job.encode(texts).tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)
