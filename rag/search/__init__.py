"""From a question to hits: filters, retrieval, fusion. Knows no prompts."""

from __future__ import annotations

from rag.search.filters import parse_filter
from rag.search.searcher import Searcher

__all__ = ["Searcher", "parse_filter"]
