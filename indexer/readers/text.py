"""Plain text: paragraphs that blank lines separate. Knows no markup."""

from __future__ import annotations

from indexer.readers.parsed import Parsed, paragraphs


def read_text(text: str) -> Parsed:
    """Blocks of plain text; it names no title of its own."""
    return Parsed(text, tuple(paragraphs(text)))
