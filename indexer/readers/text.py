"""Plain text: paragraphs that blank lines separate. Knows no markup."""

from __future__ import annotations

from indexer.readers.parsed import Parsed, Raw, paragraphs


def read_text(raw: Raw) -> Parsed:
    """Blocks of plain text; it names no title of its own."""
    return Parsed(raw.text, tuple(paragraphs(raw.text)))
