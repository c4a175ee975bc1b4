"""What an explanation consists of: where a passage stands at each stage of a search, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.index.shares import Share
from rag.types import Mode


@dataclass(frozen=True, slots=True)
class Place:
    """A passage, the ``position``-th of its document from 0, and its score at a stage."""

    passage: str
    document: str
    path: str
    position: int
    score: float


@dataclass(frozen=True, slots=True)
class Stage:
    """How the passage fared at one stage, and ``why`` it is not higher.

    ``name`` is ``filter``, ``required``, a retriever's, ``fused``, ``reranked`` or ``shown``.
    ``rank`` and ``score`` are ``None`` where the stage has none; ``above`` stands directly before.
    """

    name: str
    rank: int | None
    score: float | None
    above: Place | None
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the best passage of a document stands, and why it is not higher.

    ``rank`` is its place among all that was ranked, of which the first ``top_k`` are shown.
    ``terms`` say what each term adds to its lexical score; ``first_terms``, to the ``first`` hit's.
    """

    query: str
    mode: Mode
    top_k: int
    document: str
    path: str
    passage: str
    position: int
    rank: int | None
    why: str
    stages: tuple[Stage, ...]
    terms: tuple[Share, ...]
    first: Place | None
    first_terms: tuple[Share, ...]
    corrected: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    rewritten: Mapping[str, tuple[str, ...]]
