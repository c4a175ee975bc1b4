"""Saem (샘): retrieval-augmented search that shows where each answer stands.

>>> import rag
>>> saem = rag.Workspace(rag.Settings.load(home="~/.saem"))  # doctest: +SKIP
>>> saem.searcher("default").search("질문", top_k=3)  # doctest: +SKIP

Names are imported when they are first used, so ``import rag`` itself is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer import Answerer
    from rag.errors import RagError
    from rag.index import Collection
    from rag.index import Collection as open  # noqa: A004
    from rag.search import Searcher
    from rag.settings import Settings
    from rag.types import Answer, Chunk, Citation, Document, Filter, Hit, SearchResult
    from rag.workspace import Workspace

__version__ = "0.1.0"

_HOMES = {
    "Answer": "rag.types",
    "Answerer": "rag.answer",
    "Chunk": "rag.types",
    "Citation": "rag.types",
    "Collection": "rag.index",
    "Document": "rag.types",
    "Filter": "rag.types",
    "Hit": "rag.types",
    "RagError": "rag.errors",
    "SearchResult": "rag.types",
    "Searcher": "rag.search",
    "Settings": "rag.settings",
    "Workspace": "rag.workspace",
}
__all__ = [
    "Answer",
    "Answerer",
    "Chunk",
    "Citation",
    "Collection",
    "Document",
    "Filter",
    "Hit",
    "RagError",
    "SearchResult",
    "Searcher",
    "Settings",
    "Workspace",
    "open",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name == "open":
        return __getattr__("Collection")
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
