"""Terms of a sorted UTF-8 vocabulary near to a word, or with its beginning. Knows no postings."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit

Block = NDArray[np.uint8]
"""The terms, one after the other, sorted by their bytes."""
Ends = NDArray[np.uint32] | NDArray[np.int64]
"""Where each term ends in the block."""

_EAST = re.compile("[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_SHORTEST, _LONG = 3, 6


def reach(term: str) -> int:
    """Up to which distance a term that nothing has stands for others; 0: never.

    Never for what is short, for bigrams of Hangul, Han and kana, and for numbers: another number
    is another thing.
    """
    if len(term) < _SHORTEST or _EAST.search(term) or term.isdecimal():
        return 0
    return 1 if len(term) < _LONG else 2


def similar(
    block: Block, ends: Ends, term: str, distance: int, limit: int, *, anywhere: bool = False
) -> list[tuple[int, int]]:
    """Terms within ``distance`` edits of ``term``: their indexes and distances, nearest first.

    An edit inserts, removes or replaces a code point or swaps two neighbours, none of them edited
    twice (optimal string alignment). Terms with the same first character, or ``anywhere`` among
    all, which takes longer. At most ``limit``; among equals, lower indexes.
    """
    if not term or _EAST.search(term):
        return []
    word = np.frombuffer(_utf8(term), np.uint8)
    span = range(len(ends)) if anywhere else prefixed(block, ends, _utf8(term[0]))
    found, counts = _scan(block, ends, span.start, span.stop, word, distance, limit)
    return [(int(i), d) for d, count in enumerate(counts) for i in found[d, :count]][:limit]


def prefixed(block: Block, ends: Ends, prefix: bytes) -> range:
    """Indexes of the terms that start with ``prefix``."""

    def head(i: int) -> bytes:
        start = ends[i - 1] if i else 0
        return block[start : min(ends[i], start + len(prefix))].tobytes()

    every = range(len(ends))
    low = bisect_left(every, prefix, key=head)
    return range(low, bisect_right(every, prefix, lo=low, key=head))


def _utf8(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


@njit(cache=True, nogil=True)
def _scan(
    block: Block, ends: Ends, first: int, last: int, word: Block, distance: int, limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of terms ``first:last``, the first ``limit`` at each distance, and how many there are.

    An edit changes the length by one at most, and adds and removes one character at most.
    """
    found = np.empty((distance + 1, limit), np.int64)
    counts = np.zeros(distance + 1, np.int64)
    length, characters = _outline(word)
    key = np.empty(length, np.int64)
    at = 0
    for j in range(length):
        key[j], at = _code(word, at)
    rows = np.empty((3, length + 1), np.int64)
    stop = np.int64(ends[first - 1]) if first else 0
    for i in range(first, last):
        start, stop = stop, np.int64(ends[i])
        if not length - distance <= stop - start <= 4 * (length + distance):
            continue
        size, others = _outline(block[start:stop])
        if (
            abs(size - length) > distance
            or _bits(characters & ~others) > distance
            or _bits(others & ~characters) > distance
        ):
            continue
        d = _distance(block[start:stop], size, key, distance, rows)
        if d <= distance and counts[d] < limit:
            found[d, counts[d]] = i
            counts[d] += 1
    return found, counts


@njit(cache=True, nogil=True)
def _outline(term: Block) -> tuple[int, np.int64]:
    """Length in code points, and a set of them as bits, by the first byte of each."""
    size, bits = 0, np.int64(0)
    for byte in term:
        if byte & 0xC0 != 0x80:
            size += 1
            bits |= np.int64(1) << (byte & 63)
    return size, bits


@njit(cache=True, nogil=True)
def _bits(value: np.int64) -> int:
    count = 0
    while value:
        value &= value - 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def _distance(
    term: Block, size: int, key: NDArray[np.int64], most: int, rows: NDArray[np.int64]
) -> int:
    """Optimal string alignment of ``term`` and ``key``; a number above ``most`` if beyond.

    Only the cells within ``most`` of the diagonal are computed, row by row of ``term``, until a row
    has none that is small enough.
    """
    beyond = most + 1
    older, old, new = rows[0], rows[1], rows[2]
    for j in range(key.size + 1):
        old[j] = min(j, beyond)
    before, at = np.int64(0), 0
    for i in range(1, size + 1):
        code, at = _code(term, at)
        low, high = max(1, i - most), min(key.size, i + most)
        new[low - 1] = min(i, beyond) if low == 1 else beyond
        least = new[low - 1]
        for j in range(low, high + 1):
            best = min(old[j - 1] + (code != key[j - 1]), new[j - 1] + 1)
            if j < i + most:
                best = min(best, old[j] + 1)
            if i > 1 and j > 1 and code == key[j - 2] and before == key[j - 1]:
                best = min(best, older[j - 2] + 1)
            new[j] = best
            least = min(least, best)
        if least > most:
            return beyond
        older, old, new = old, new, older
        before = code
    return int(old[key.size])


@njit(cache=True, nogil=True)
def _code(term: Block, at: int) -> tuple[np.int64, int]:
    """The code point whose UTF-8 begins at ``at``, and where the next one does."""
    byte = np.int64(term[at])
    more = 0 if byte < 0x80 else 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
    code = byte & (0x7F >> more)
    for i in range(at + 1, at + 1 + more):
        code = code << 6 | np.int64(term[i] & 0x3F)
    return code, at + 1 + more
