"""Tables as text: CSV, TSV and their kin. Knows not what the columns mean.

The text stays the file's own; only its first rows are parsed, for the delimiter and the header.
"""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise

from indexer.readers.parsed import Parsed, Raw, line_offsets, paragraphs, trim
from rag.types import Block

_DELIMITERS = ",\t;|"
_ROWS = 50
_HEAD = 1 << 18
_LONGEST_HEADER = 2_000  # characters: more than that heads no passage


def read_csv(raw: Raw) -> Parsed:
    """One table; lines above its header (a report's title) are paragraphs."""
    text = raw.text
    head = text[:_HEAD]
    rows = max((_rows(head, mark) for mark in _DELIMITERS), key=_even)
    width = _width(rows)
    first = next((i for i, (_, row) in enumerate(rows) if len(row) == width), 0)
    start = rows[first - 1][0] if first else 0
    begin, end = trim(text, start, len(text))
    if begin >= end:
        return Parsed(text, ())
    stop, names = rows[first] if rows else (0, [])
    stop = begin + len(text[begin:stop].rstrip())
    heads = _is_header(names) and stop < end and stop - begin <= _LONGEST_HEADER
    table = Block("table", begin, end, header=stop if heads else 0)
    return Parsed(text, (*paragraphs(text, 0, begin), table))


def _rows(text: str, mark: str) -> list[tuple[int, list[str]]]:
    """The first rows and the offsets that they end at; a row that does not parse ends them."""
    offsets = line_offsets(text)
    reader = csv.reader((text[a:b] for a, b in pairwise(offsets)), delimiter=mark)
    found: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            found.append((offsets[reader.line_num], row))
            if len(found) == _ROWS:
                break
    except csv.Error:
        return found
    return found


def _width(rows: list[tuple[int, list[str]]]) -> int:
    """How many cells most rows have."""
    counts = Counter(len(row) for _, row in rows if row)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _even(rows: list[tuple[int, list[str]]]) -> tuple[float, int]:
    """How well a delimiter cuts rows into equally many cells, 2 at least."""
    width = _width(rows)
    same = sum(len(row) == width for _, row in rows if row)
    return (same / len(rows), width) if width > 1 else (0.0, 0)


def _is_header(names: list[str]) -> bool:
    """Whether cells name columns: none is empty or a number, none comes twice."""
    names = [name.strip() for name in names]
    return all(names) and len(set(names)) == len(names) and not any(map(_is_number, names))


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).lstrip("+-").rstrip("%").isdecimal()
