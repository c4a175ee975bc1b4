"""Where terms have their postings: compiled look-ups over all segments in one call.

A segment is a row of raw addresses, so a query costs one call whatever the number of segments;
whoever makes the addresses keeps the arrays alive. Knows neither scores nor files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rag.compiled import later, njit

MOST = 1 << 16
"""Passages of a segment, at most: a passage's number takes 16 bits, scores of all 256 KiB."""
ANY = 1 << 40
"""A length for arrays whose own is not looked at."""

view = later("rag.index.address", "view")

# A segment, by what its columns hold.
PASSAGES, TERMS, BYTES, ENDS, PTR, DOCS, CODES, WIDE, ALIVE, DFS, JUMPS, JUMP_AT, SHIFT = range(13)
# A term's postings in one segment: addresses of documents, codes, the codes' weights, the bound of
# a posting's score (negative: not known yet), jump table (0: none) with its shift; and their number
P_DOCS, P_CODES, P_COUNT, P_WIDE, P_TABLE, P_BOUND, P_JUMP, P_SHIFT = range(8)


@njit(nogil=True, cache=True)
def _find(terms: Any, ends: Any, count: Any, blob: Any, start: Any, stop: Any) -> Any:
    """Number of the term ``blob[start:stop]`` in a sorted vocabulary, or -1."""
    low, high, length = 0, count, stop - start
    while low < high:
        middle = (low + high) >> 1
        begin = np.int64(ends[middle - 1]) if middle else 0
        size = np.int64(ends[middle]) - begin
        shared, i = min(size, length), 0
        while i < shared and terms[begin + i] == blob[start + i]:
            i += 1
        if i == shared and size == length:
            return middle
        below = terms[begin + i] < blob[start + i] if i < shared else size < length
        if below:
            low = middle + 1
        else:
            high = middle
    return -1


@njit(nogil=True, cache=True)
def look_up(
    segments: Any, tables: Any, bounds: Any, blob: Any, stops: Any, found: Any, dfs: Any
) -> None:
    """Where the terms in ``blob``, each up to its stop, have their postings.

    ``found`` (segments, terms, 8) gets what the ``P_`` columns name; ``tables`` and ``bounds`` are
    each segment's. ``dfs`` gets how many living passages have each term.
    """
    for s in range(len(segments)):
        at = segments[s]
        count = at[TERMS]
        terms = view(at[BYTES], ANY, np.uint8)
        ends = view(at[ENDS], count, np.uint32)
        ptr = view(at[PTR], count + 1, np.uint32)
        jump_at = view(at[JUMP_AT], count, np.int32)
        shift = view(at[SHIFT], count, np.uint8)
        start = 0
        for i in range(len(stops)):
            out = found[s, i]
            term = _find(terms, ends, count, blob, start, stops[i])
            start = stops[i]
            out[:] = 0
            if term < 0:
                continue
            out[P_TABLE] = tables[s]
            out[P_BOUND] = bounds[s] + 4 * term
            first = np.int64(ptr[term])
            number = np.int64(ptr[term + 1]) - first
            out[P_COUNT] = number
            out[P_WIDE] = at[WIDE]
            out[P_DOCS] = at[DOCS] + 2 * first
            out[P_CODES] = at[CODES] + (first << at[WIDE])
            out[P_JUMP] = at[JUMPS] + 2 * jump_at[term] if jump_at[term] >= 0 else 0
            out[P_SHIFT] = shift[term]
            if at[ALIVE]:
                number = _living(at, term, out)
            dfs[i] += number


@njit(nogil=True, cache=True)
def _living(segment: Any, term: Any, place: Any) -> Any:
    """Living passages that have the term; counted once for a segment's state."""
    known = view(segment[DFS], segment[TERMS], np.int32)
    if known[term] < 0:
        alive = view(segment[ALIVE], segment[PASSAGES], np.uint8)
        docs = view(place[P_DOCS], place[P_COUNT], np.uint16)
        number = 0
        for p in range(place[P_COUNT]):
            number += alive[docs[p]]
        known[term] = number
    return known[term]


@njit(nogil=True, cache=True)
def make_jumps(ptr: Any, docs: Any, least: Any, each: Any) -> Any:
    """For terms of ``least`` postings or more: where in them a passage is to be looked for.

    ``(at, shift, jumps)``: a term's postings of passages ``d`` with ``d >> shift == i`` begin with
    its ``jumps[at + i]``-th, some ``each`` of them; ``at`` is -1 for terms of few postings.
    """
    count = len(ptr) - 1
    at, shift, size = np.full(count, -1, np.int32), np.zeros(count, np.uint8), 0
    for t in range(count):
        number = np.int64(ptr[t + 1]) - np.int64(ptr[t])
        if number >= least:
            bits = 0
            while (1 << bits) * each < number:
                bits += 1
            shift[t], at[t] = 16 - bits, size
            size += 1 << bits
    jumps = np.zeros(size, np.uint16)
    for t in range(count):
        if at[t] >= 0:
            first, last = np.int64(ptr[t]), np.int64(ptr[t + 1])
            p = first
            for i in range(1 << (16 - shift[t])):
                jumps[at[t] + i] = p - first
                while p < last and (docs[p] >> shift[t]) == i:
                    p += 1
    return at, shift, jumps


@njit(nogil=True, cache=True)
def gather(rows_at: Any, ids_at: Any, segments: Any, numbers: Any, rows: Any, ids: Any) -> None:
    """Fill in the row numbers (n,) and ids (n, 16) of passages, from their segments' arrays."""
    for i in range(len(segments)):
        s, d = segments[i], numbers[i]
        rows[i] = view(rows_at[s], MOST, np.int64)[d]
        ids[i] = view(ids_at[s], 16 * MOST, np.uint8)[16 * d : 16 * d + 16]
