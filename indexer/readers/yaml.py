"""YAML as text: a block a top-level entry. Nothing is parsed, so no alias can expand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.readers.keyed import entries
from indexer.readers.parsed import Parsed, Raw

_ENTRY = re.compile(
    r"""^(?:(?P<key>"[^"\n]*"|'[^'\n]*'|[^\s\#\-'"%&*!|>{}\[\]][^\n:]*?)\s*:(?:\s|$)|-\s)""",
    re.MULTILINE,
)
_TITLE = re.compile(
    r"""^(?:title|name):[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'|>{\[&*#].*))$""", re.MULTILINE
)

_HEAD = 1 << 16


def read_yaml(raw: Raw) -> Parsed:
    """Blocks of a YAML source; offsets refer to the source itself."""
    blocks = tuple(entries(raw.text, _starts(raw.text)))
    named = _TITLE.search(raw.text, 0, _HEAD)
    title = next(filter(None, named.groups()), "") if named else ""
    return Parsed(raw.text, blocks, title.split(" #")[0].strip())


def _starts(text: str) -> Iterator[tuple[int, str]]:
    keyed = False
    for found in _ENTRY.finditer(text):
        keyed = keyed or found["key"] is not None
        if found["key"] is None and keyed:  # an item of that key's list, not indented
            continue
        yield found.start(), (found["key"] or "").strip("\"'")
