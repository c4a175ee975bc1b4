"""What repeats at the edges of a PDF's pages: running headers, footers, page numbers.

Knows no headings and no paragraphs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indexer.readers.pdflayout import Line

_MARGIN = 0.12  # of the height: where they stand
_EDGE = 4  # lines of one, at most


@dataclass(slots=True)
class Page:
    """``columns`` hold lines from the top down; ``more`` is text that has no place."""

    height: float
    columns: list[list[Line]] = field(default_factory=list)
    more: str = ""


def drop_repeated(pages: Sequence[Page]) -> int:
    """Takes running headers and footers out; returns how many lines they were."""
    seen: Counter[tuple[str, int]] = Counter()
    edges = [dict(_edges(page)) for page in pages]
    for found in edges:
        seen.update(set(found.values()))
    least = max(3, len(pages) // 10)
    dropped = 0
    for page, found in zip(pages, edges, strict=True):
        gone = {at for at, words in found.items() if seen[words] >= least}
        dropped += len(gone)
        for column in page.columns:
            column[:] = [line for line in column if id(line) not in gone]
    return dropped


def _edges(page: Page) -> Iterator[tuple[int, tuple[str, int]]]:
    """The few lines that stand apart at the page's top and bottom.

    Each by its ``id``, with what it says, numbers aside, and where.
    """
    lines = sorted((x for column in page.columns for x in column), key=lambda x: -x.top)
    for inwards in (lines, lines[::-1]):
        group: list[Line] = []
        for line in inwards:
            if group and _gap(group[-1], line) > 1.5 * group[-1].size:
                break
            group.append(line)
        else:
            continue
        for line in group:
            outside = min(line.top, page.height - line.bottom) < _MARGIN * page.height
            if len(group) <= _EDGE and outside and not line.rows:
                words = re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text)
                yield id(line), (words, round(line.bottom / 4))


def _gap(a: Line, b: Line) -> float:
    return max(a.bottom - b.top, b.bottom - a.top)
