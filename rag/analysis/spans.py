"""Compiled loops behind ``batch``: texts to spans, spans to numbers, numbers to terms.

A *span* is what makes terms by itself: a latin word, a bigram of Hangul, Han and kana, or a stretch
of one of these scripts, whose words stand beside the bigrams. Knows code points and their kinds, no
term; compiled once, then read from numba's cache.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit

LATIN, CJK, MARK, HANGUL = 1, 2, 3, 4
"""Kinds of code points; a mark continues a latin word, anything else ends it."""
WORD, BIGRAM, STRETCH = 0, 1, 2
"""Kinds of spans."""

_LOW = np.uint64(0xFFFFFFFF)
Codes = NDArray[np.uint32]
Table = tuple[
    NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64], Codes, NDArray[np.uint8], int, int
]
"""Slots (upper half of a hash, then 1 + number), hashes and starts by number, code points of all,
kinds by number, how many there are, and what hashes begin with: nobody can choose words that share
a slot.
"""


def empty() -> Table:
    """A table of no spans, small enough to be thrown away often."""
    return (
        np.zeros(1 << 12, np.uint64),
        np.empty(1 << 11, np.uint64),
        np.zeros((1 << 11) + 1, np.int64),
        np.empty(1 << 14, np.uint32),
        np.empty(1 << 11, np.uint8),
        0,
        secrets.randbits(63),
    )


@njit(cache=True, nogil=True)
def cut(
    codes: Codes,
    ends: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    east: NDArray[np.bool_],
    hangul: bool,
    longest: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Start, stop and kind of every span of texts that end at ``ends``; where each text's end.

    There are stretches of ``hangul``, and of other characters in texts of the ``east``, each of
    ``longest`` at most. One comes before the bigram that begins with it, or else ends with it.
    """
    most = 2 * codes.size
    starts, stops = np.empty(most, np.int64), np.empty(most, np.int64)
    what = np.empty(most, np.uint8)
    until = np.empty(ends.size, np.int64)
    n = i = 0
    for text in range(ends.size):
        end = ends[text]
        while i < end:
            kind = kinds[codes[i]]
            start = i
            i += 1
            if kind == LATIN:
                i = _word(codes, i, end, kinds)
                starts[n], stops[n], what[n] = start, i, WORD
                n += 1
            elif kind in (CJK, HANGUL):
                while i < end and kinds[codes[i]] in (CJK, HANGUL):
                    i += 1
                left, right = start, _unit(codes, start, i)
                rest = start  # where the next stretch begins
                while True:
                    after = _unit(codes, right, i) if right < i else i
                    while rest == left or (after == i and rest == right and right < i):
                        stop = _stretch(codes, rest, i, kinds, longest)
                        if hangul if kinds[codes[rest]] == HANGUL else east[text]:
                            starts[n], stops[n], what[n] = rest, stop, STRETCH
                            n += 1
                        rest = stop
                    starts[n], stops[n], what[n] = left, after, BIGRAM
                    n += 1
                    left, right = right, after
                    if right >= i:
                        break
        until[text] = n
    return starts[:n], stops[:n], what[:n], until


@njit(cache=True, nogil=True)
def _word(codes: Codes, i: int, end: int, kinds: NDArray[np.uint8]) -> int:
    """Where the word that ``i`` is in ends: as ``latin.JOINTS`` has it, with what joins numbers."""
    while i < end:
        kind, code = kinds[codes[i]], codes[i]
        if kind != LATIN and kind != MARK:
            joins = i + 1 < end and _digit(codes[i + 1]) and (
                code == 0x2D or ((code == 0x2E or code == 0x2C) and _digit(codes[i - 1]))
            )  # fmt: skip
            if not joins:
                break
        i += 1
    return i


@njit(cache=True, nogil=True)
def _digit(code: int) -> bool:
    return 0x30 <= code <= 0x39


@njit(cache=True, nogil=True)
def _stretch(codes: Codes, at: int, stop: int, kinds: NDArray[np.uint8], longest: int) -> int:
    """Where the stretch that begins at ``at`` ends."""
    hangul = kinds[codes[at]] == HANGUL
    for _ in range(longest):
        if at == stop or (kinds[codes[at]] == HANGUL) != hangul:
            break
        at = _unit(codes, at, stop)
    return at


@njit(cache=True, nogil=True)
def _unit(codes: Codes, at: int, stop: int) -> int:
    """Where the character at ``at`` ends: as ``cjk`` has it, with its vowel, coda or mark."""
    after = at + 1
    if after < stop:
        first, second = codes[at], codes[after]
        if 0x1100 <= first <= 0x115F and 0x1160 <= second <= 0x11A7:
            after += 1
            if after < stop and 0x11A8 <= codes[after] <= 0x11FF:
                after += 1
        elif second in (0x3099, 0x309A, 0xFF9E, 0xFF9F):
            after += 1
    return after


@njit(cache=True, nogil=True)
def number(
    codes: Codes,
    begins: NDArray[np.int64],
    stops: NDArray[np.int64],
    what: NDArray[np.uint8],
    table: Table,
) -> tuple[NDArray[np.uint32], Table]:
    """Each span's number in ``table``, and the table with the new spans: use it instead."""
    slots, hashes, starts, known, kinds, count, seed = table
    numbers = np.empty(begins.size, np.uint32)
    for span in range(begins.size):
        begin, stop = begins[span], stops[span]
        value = np.uint64(seed) + np.uint64(what[span])  # FNV-1a, a code point at a time
        for i in range(begin, stop):
            value = (value ^ np.uint64(codes[i])) * np.uint64(0x100000001B3)
        value ^= value >> np.uint64(32)
        at = find(slots, starts, known, kinds, value, codes[begin:stop], what[span])
        if not slots[at]:
            if count == hashes.size:
                hashes, starts = _longer(hashes, 2 * count), _longer(starts, 2 * count + 1)
                kinds = _longer(kinds, 2 * count)
                slots = np.zeros(4 * count, np.uint64)
                for other in range(count):
                    free = _free(slots, hashes[other])
                    slots[free] = (hashes[other] & ~_LOW) | np.uint64(other + 1)
                at = _free(slots, value)
            first = starts[count]
            if first + stop - begin > known.size:
                known = _longer(known, 2 * (first + stop - begin))
            known[first : first + stop - begin] = codes[begin:stop]
            hashes[count] = value
            kinds[count] = what[span]
            count += 1
            starts[count] = first + stop - begin
            slots[at] = (value & ~_LOW) | np.uint64(count)
        numbers[span] = (slots[at] & _LOW) - np.uint64(1)
    return numbers, (slots, hashes, starts, known, kinds, count, seed)


@njit(cache=True, nogil=True)
def find(
    slots: NDArray[np.uint64],
    starts: NDArray[np.int64],
    known: Codes,
    kinds: NDArray[np.uint8],
    value: np.uint64,
    span: Codes,
    kind: int,
) -> np.int64:
    """The slot where ``span`` is, or the free one where it belongs."""
    at = np.int64(value & np.uint64(slots.size - 1))
    while slots[at]:
        if (slots[at] ^ value) >> np.uint64(32) == 0:
            other = np.int64(slots[at] & _LOW)
            first = starts[other - 1]
            i = 0
            if starts[other] - first == span.size and kinds[other - 1] == kind:
                while i < span.size and known[first + i] == span[i]:
                    i += 1
                if i == span.size:
                    return at
        at = (at + 1) & (slots.size - 1)
    return at


@njit(cache=True, nogil=True)
def _free(slots: NDArray[np.uint64], value: np.uint64) -> np.int64:
    at = np.int64(value & np.uint64(slots.size - 1))
    while slots[at]:
        at = (at + 1) & (slots.size - 1)
    return at


@njit(cache=True, nogil=True)
def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    out = np.empty(size, array.dtype)
    out[: array.size] = array
    return out


@njit(cache=True, nogil=True)
def expand(
    spans: NDArray[np.uint32],
    ends: NDArray[np.int64],
    firsts: NDArray[np.int64],
    terms: NDArray[np.uint32],
    places: NDArray[np.uint8],
    wide: NDArray[np.bool_],
    size: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64]]:
    """The terms of texts whose spans end at ``ends``, with positions, renumbered as they come.

    Span s makes ``terms[firsts[s]:firsts[s + 1]]``, each below ``size``, at ``places`` from its
    own; if ``wide``, the next one stands one place further. Returns which terms there are, then
    ids into those, positions, and where each text's terms end.
    """
    total = 0
    for span in spans:
        total += firsts[span + 1] - firsts[span]
    ids = np.empty(total, np.uint32)
    positions = np.empty(total, np.uint32)
    until = np.empty(ends.size, np.int64)
    new = np.zeros(size, np.uint32)  # 1 + a term's number here
    there = np.empty(min(size, total), np.uint32)
    n = at = count = 0
    for text in range(ends.size):
        place = 0
        while at < ends[text]:
            span = spans[at]
            for i in range(firsts[span], firsts[span + 1]):
                term = terms[i]
                if not new[term]:
                    there[count] = term
                    count += 1
                    new[term] = count
                ids[n] = new[term] - 1
                positions[n] = place + places[i]
                n += 1
            place += wide[span]
            at += 1
        until[text] = n
    return there[:count], ids, positions, until
