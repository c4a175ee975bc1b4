"""How near a question's terms stand to each other in passages: compiled, over all segments at once.

Reads postings where they lie, by address, as ``lookup`` does. Knows neither texts nor scorers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rag.compiled import njit
from rag.index.lookup import ANY, P_BOUND, P_CODES, P_COUNT, P_DOCS, P_TABLE, P_WIDE, view

REACH = 16
"""Places that a window spans. 8, 32 and 64 told less where the right passage is
(``eval/LOG.md``)."""
BYTES, STARTS, TIMES, HEADS, LENGTHS = range(5)
"""Columns of a segment's addresses: places, where each term's begin, how many places and how many
of them in headings a code means, passages' lengths."""
SCORE, COVERAGE, HEADING, WINDOW, PAIRS = range(5)


@njit(nogil=True, cache=True)
def scan(
    segments: Any, bounds: Any, found: Any, weights: Any, slots: Any, shares: Any, near: Any,
    follower: Any, gaps: Any, pairs: Any, form: Any, of: Any, docs: Any, out: Any,
) -> None:  # fmt: skip
    """Fill in ``out`` (n, 5) for passages ``docs`` of segments ``of``, ascending by both.

    Parameters
    ----------
    segments, bounds
        (segments, 5) addresses; and where each segment's bounds begin, by which ``found`` names
        its terms.
    found, weights, form
        As ``maxscore.search`` takes them.
    slots, shares
        Which part of the question each term stands for, and what share of its weight the part has.
    near
        Whether a term's places are looked at.
    follower, gaps, pairs
        Of each part the one that follows it in the question or -1, how far behind it stands, and
        what share of all such pairs' weight the two have.
    """
    parts, start = len(shares), 0
    while start < len(of):
        s, stop = of[start], start
        while stop < len(of) and of[stop] == s:
            stop += 1
        there = np.zeros((stop - start, parts, 2), np.bool_)
        keys = np.empty(1024, np.int64)
        held = 0
        for i in range(len(weights)):
            held, keys = _term(
                segments[s], bounds[s], found[s, i], weights[i], slots[i], near[i], form,
                docs[start:stop], there, out[start:stop], keys, held,
            )  # fmt: skip
        for c in range(stop - start):
            for part in range(parts):
                out[start + c, COVERAGE] += shares[part] * there[c, part, 0]
                out[start + c, HEADING] += shares[part] * there[c, part, 1]
        keys = np.sort(keys[:held])
        first = 0
        while first < held:
            c, last = keys[first] >> 40, first
            while last < held and keys[last] >> 40 == c:
                last += 1
            row = out[start + c]
            row[WINDOW] = _window(keys[first:last], shares)
            row[PAIRS] = _pairs(keys[first:last], follower, gaps, pairs)
            first = last
        start = stop


@njit(nogil=True, cache=True)
def _term(
    segment: Any, bounds: Any, place: Any, weight: Any, slot: Any, near: Any, form: Any,
    docs: Any, there: Any, out: Any, keys: Any, held: Any,
) -> Any:  # fmt: skip
    """Add what a term gives to each of ``docs``, and where it stands there to ``keys``."""
    count = place[P_COUNT]
    if count == 0:
        return held, keys
    listed = view(place[P_DOCS], count, np.uint16)
    codes = view(place[P_CODES], ANY, np.uint8)
    table = view(place[P_TABLE], ANY, np.float32)
    pbytes = view(segment[BYTES], ANY, np.uint8)
    times = view(segment[TIMES], ANY, np.uint32)
    heads = view(segment[HEADS], ANY, np.uint32)
    lengths = view(segment[LENGTHS], ANY, np.float32)
    byte = view(segment[STARTS], ANY, np.int64)[(place[P_BOUND] - bounds) // 4]
    p = read = np.int64(0)
    for c in range(len(docs)):
        p = _gallop(listed, p, count, docs[c])
        if p == count:
            break
        if listed[p] != docs[c]:
            continue
        code = _code(codes, place[P_WIDE], p)
        x = table[code]
        out[c, SCORE] += weight * x / (form[0] * x + form[1] + form[2] * lengths[docs[c]])
        there[c, slot, 0] = True
        there[c, slot, 1] |= heads[code] > 0
        if not near:
            continue
        left = np.int64(0)
        while read < p:
            left += times[_code(codes, place[P_WIDE], read)]
            read += 1
        while left:
            left -= pbytes[byte] < 0x80
            byte += 1
        read = p + 1
        while held + times[code] > len(keys):
            keys = np.concatenate((keys, np.empty(len(keys), np.int64)))
        byte = _places(pbytes, byte, times[code], (np.int64(c) << 40) | slot, keys[held:])
        held += times[code]
    return held, keys


@njit(nogil=True, cache=True)
def _places(pbytes: Any, byte: Any, count: Any, key: Any, keys: Any) -> Any:
    """Write ``key`` with each of ``count`` places that begin at ``byte``; where these end."""
    at = np.int64(0)
    for i in range(count):
        shift = np.int64(0)
        while pbytes[byte] > 0x7F:
            at += np.int64(pbytes[byte] & 0x7F) << shift
            shift += 7
            byte += 1
        at += np.int64(pbytes[byte]) << shift
        byte += 1
        keys[i] = key | (at << 16)
    return byte


@njit(nogil=True, cache=True, inline="always")
def _code(codes: Any, wide: Any, p: Any) -> Any:
    if wide:
        return np.int64(codes[2 * p]) | (np.int64(codes[2 * p + 1]) << 8)
    return np.int64(codes[p])


@njit(nogil=True, cache=True)
def _gallop(docs: Any, at: Any, end: Any, doc: Any) -> Any:
    """The first posting of ``at:end`` whose passage is not before ``doc``."""
    low, step = at, np.int64(1)
    if low == end or docs[low] >= doc:
        return low
    while low + step < end and docs[low + step] < doc:
        low += step
        step <<= 1
    low += 1
    high = min(low + step, end)
    while low < high:
        middle = (low + high) >> 1
        if docs[middle] < doc:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _window(keys: Any, shares: Any) -> Any:
    """The largest share of the question that stands within ``REACH`` places."""
    count = np.zeros(len(shares), np.int64)
    now, best, first = 0.0, 0.0, 0
    for key in keys:
        at = (key >> 16) & 0xFFFFFF
        while at - ((keys[first] >> 16) & 0xFFFFFF) >= REACH:
            gone = keys[first] & 0xFFFF
            count[gone] -= 1
            if count[gone] == 0:
                now -= shares[gone]
            first += 1
        slot = key & 0xFFFF
        if count[slot] == 0:
            now += shares[slot]
        count[slot] += 1
        best = max(best, now)
    return best


@njit(nogil=True, cache=True)
def _pairs(keys: Any, follower: Any, gaps: Any, pairs: Any) -> Any:
    """The share of the question's pairs that stand as far from each other as they do in it."""
    met = np.zeros(len(pairs), np.bool_)
    for i in range(len(keys)):
        slot = keys[i] & 0xFFFF
        if follower[slot] < 0 or met[slot]:
            continue
        wanted = ((keys[i] >> 16) & 0xFFFFFF) + gaps[slot]
        for j in range(i + 1, len(keys)):
            at = (keys[j] >> 16) & 0xFFFFFF
            if at > wanted:
                break
            if at == wanted and (keys[j] & 0xFFFF) == follower[slot]:
                met[slot] = True
                break
    total = 0.0
    for slot in range(len(pairs)):
        if met[slot]:
            total += pairs[slot]
    return total
