"""Files as people have them, read; what tests of readers look at."""

from __future__ import annotations

import re

from indexer.readers import Read, read


def read_file(data: bytes | str, path: str) -> Read:
    """What is read of a file; every block must lie within the text, in order."""
    found = read(data.encode() if isinstance(data, str) else data, uri=f"file:///{path}", path=path)
    end = 0
    for block in found.document.blocks:
        assert end <= block.start < block.end <= len(found.document.text)
        assert not block.header or block.start < block.header < block.end
        end = block.end
    return found


def shown(found: Read) -> list[tuple[str, str]]:
    """Kind and text of each block."""
    d = found.document
    return [(b.kind, d.text[b.start : b.end]) for b in d.blocks]


def headers(found: Read) -> list[str]:
    """The rows that head each table."""
    d = found.document
    return [d.text[b.start : b.header] for b in d.blocks if b.kind == "table"]


def recall(written: str, found: Read) -> float:
    """The share of the written words that are in the blocks."""
    words = re.findall(r"\w+", written)
    text = " ".join(text for _, text in shown(found))
    return sum(word in text for word in words) / len(words)
