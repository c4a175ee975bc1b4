"""Documents to passages, in whichever way the settings ask for. Knows no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from indexer.parents import children
from indexer.semantic import semantic
from indexer.structural import chunk, passages
from indexer.tokens import ESTIMATE, Counter, estimate_tokens
from indexer.units import made
from indexer.windows import sentences, windows
from rag.encode import Encoder
from rag.encode.tokenizer import find_tokenizer
from rag.errors import ConfigError
from rag.settings import Settings
from rag.types import Chunk, Document

__all__ = ["Chunker", "Chunking", "chunk", "load_chunker", "whole"]

Chunking = Literal["structural", "tokens", "sentences", "semantic", "parent-child"]
_VERSION = 2
"""Raised when the same settings cut otherwise; part of the fingerprint."""


@dataclass(frozen=True, slots=True)
class Chunker:
    """A way to cut documents.

    Called with a document, it gives passages in order, without overlap, none blank, that hold all
    that the document's blocks hold. None is above 1.5 times ``tokens``.

    Attributes
    ----------
    chunking
        As in `rag.settings.Settings`.
    tokens
        Wanted size, 1 or more.
    encoder
        What ``semantic`` needs, and no other.
    """

    chunking: Chunking = "structural"
    tokens: int = 300
    counter: Counter = ESTIMATE
    encoder: Encoder | None = None

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"tokens must be 1 or more, not {self.tokens}")
        if self.chunking == "semantic" and self.encoder is None:
            raise ConfigError(
                "chunking = 'semantic' needs an encoder, and there is none",
                remedy="Run `rag models pull`, set `encoder`, or choose another chunking",
            )

    @property
    def fingerprint(self) -> str:
        """Changes whenever the passages of a document would."""
        parts = [self.chunking, str(self.tokens), str(_VERSION), self.counter.fingerprint]
        if self.encoder:
            parts.append(self.encoder.fingerprint)
        return ":".join(parts)

    @property
    def portable(self) -> bool:
        """Whether it can be sent to another process."""
        return self.encoder is None

    def __call__(self, document: Document) -> list[Chunk]:
        tokens, counter = self.tokens, self.counter
        if estimate_tokens(document.text) * 2 <= tokens:
            counter = ESTIMATE  # no count would change a thing
        if self.chunking == "parent-child":
            return children(document, tokens, counter)
        if self.chunking == "semantic" and self.encoder:
            return made(document, semantic(document, tokens, counter, self.encoder))
        way = {"tokens": windows, "sentences": sentences}.get(self.chunking, passages)
        return made(document, way(document, tokens, counter))


def load_chunker(settings: Settings, encoder: Encoder | None = None) -> Chunker:
    """The chunker that ``settings`` ask for, counting by their encoder's tokenizer if at hand.

    Raises
    ------
    ConfigError
        ``chunking`` is ``semantic`` and there is no ``encoder``.
    """
    counter = find_tokenizer(settings) or ESTIMATE
    needed = encoder if settings.chunking == "semantic" else None
    return Chunker(settings.chunking, settings.chunk_tokens, counter, needed)


def whole(document: Document) -> list[Chunk]:
    """The document as its only passage."""
    d = document
    return [Chunk(d.id, d.version, 0, 0, len(d.text), d.text, d.path, d.title)]
