"""What is written to a collection in one piece, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.types import Chunk, Document


@dataclass(frozen=True, slots=True)
class Stat:
    """What a source said of a file when it was read; equal stats mean an unchanged file."""

    size: int = 0
    mtime_ns: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A document with its passages; ``terms[i]`` are the terms of ``chunks[i].context``."""

    document: Document
    language: str
    chunks: Sequence[Chunk]
    terms: Sequence[Sequence[str]]
    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class Known:
    """A live document as the catalogue knows it, without its text."""

    id: str
    version: str
    uri: str
    path: str
    title: str
    language: str
    stat: Stat
    chunks: int


@dataclass(frozen=True, slots=True)
class Tuned:
    """Settings that suit a collection, and how they were found."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """A collection's state; ``outstanding`` passages have no vector yet.

    ``tuned`` is what `rag tune` has found for it.
    """

    name: str
    documents: int
    passages: int
    outstanding: int
    bytes: int
    generation: int
    analyser: str
    encoder: str
    tuned: Tuned
