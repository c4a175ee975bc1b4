"""TOML as text: a block a table. Its values are not parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.readers.keyed import entries
from indexer.readers.parsed import Parsed, Raw

# Strings of many lines are passed over: they may hold lines in brackets.
_PARTS = re.compile(
    r'''"""(?>(?:[^"\\]|\\[\s\S]|"(?!""))*)"""|\'\'\'(?>(?:[^']|'(?!''))*)\'\'\''''
    r"""|^(?P<table>[ \t]*\[+[ \t]*(?P<name>[^\]\n]+?)[ \t]*\]+)""",
    re.MULTILINE,
)


def read_toml(raw: Raw) -> Parsed:
    """Blocks of a TOML source; offsets refer to the source itself."""
    return Parsed(raw.text, tuple(entries(raw.text, _starts(raw.text))))


def _starts(text: str) -> Iterator[tuple[int, str]]:
    for found in _PARTS.finditer(text):
        if found["table"]:
            yield found.start(), found["name"]
