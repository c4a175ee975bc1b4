"""Models that put the best passages in order once more. Importing this loads none of them."""

from __future__ import annotations

from rag.search.rerankers.base import OutOfTime, Reranker, apply
from rag.search.rerankers.load import load_reranker

__all__ = ["OutOfTime", "Reranker", "apply", "load_reranker"]
