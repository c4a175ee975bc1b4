"""Positions of terms, stored compactly, and passages that have terms at given places.

Of term ``t``, ``pbytes[pptr[t]:pptr[t + 1]]`` holds the positions of its postings, one posting
after the other: the first position as it is, the others as difference to the one before, each as a
LEB128 varint. How many a posting has is said elsewhere: ``table[codes[p]]``. Knows no terms' texts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Codes = NDArray[np.uint8] | NDArray[np.uint16]


def occurrences(
    ptr: I64,
    docs: U32,
    codes: Codes,
    table: U32,
    pbytes: U8,
    pptr: I64,
    term_numbers: I64,
    offsets: I64,
) -> tuple[U32, U32]:
    """Passages in which all terms stand at their places, ascending, and how often.

    Parameters
    ----------
    ptr, docs
        Term ``t`` has postings ``ptr[t]:ptr[t + 1]``, in passages ``docs``, ascending.
    codes, table
        Posting ``p`` has ``table[codes[p]]`` positions.
    term_numbers, offsets
        The i-th term stands at a place plus ``offsets[i]``. A term may come more than once.
    """
    sizes = ptr[term_numbers + 1] - ptr[term_numbers]
    if not len(sizes) or not sizes.min():
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    rare_first = np.argsort(sizes, kind="stable")
    found: tuple[U32, U32] = _intersect(
        ptr, docs, codes, table, pbytes, pptr, term_numbers[rare_first], offsets[rare_first]
    )
    return found


@njit(cache=True, nogil=True)
def encode(ptr: I64, counts: U32, positions: U32) -> tuple[U8, I64]:
    """``pbytes`` and ``pptr`` of positions that ascend within each posting.

    ``positions`` has those of posting 0, then those of posting 1, as many as ``counts`` says.
    """
    pptr = np.zeros(ptr.size, np.int64)
    at = total = 0
    for t in range(ptr.size - 1):
        for p in range(ptr[t], ptr[t + 1]):
            before = np.int64(0)
            for _ in range(counts[p]):
                step = np.int64(positions[at]) - before
                before += step
                at += 1
                total += 1
                while step > 0x7F:
                    step >>= 7
                    total += 1
        pptr[t + 1] = total
    pbytes = np.empty(total, np.uint8)
    at = end = 0
    for count in counts:
        before = np.int64(0)
        for _ in range(count):
            step = np.int64(positions[at]) - before
            before += step
            at += 1
            while step > 0x7F:
                pbytes[end] = step & 0x7F | 0x80
                step >>= 7
                end += 1
            pbytes[end] = step
            end += 1
    return pbytes, pptr


@njit(cache=True, nogil=True)
def decode(counts: U32, pbytes: U8) -> U32:
    """The positions of all postings: what ``encode`` was given."""
    positions = np.empty(counts.sum(), np.uint32)
    at = byte = 0
    for count in counts:
        before = np.int64(0)
        for _ in range(count):
            step, byte = _varint(pbytes, byte)
            before += step
            positions[at] = before
            at += 1
    return positions


@njit(cache=True, nogil=True)
def _intersect(
    ptr: I64,
    docs: U32,
    codes: Codes,
    table: U32,
    pbytes: U8,
    pptr: I64,
    terms: I64,
    offsets: I64,
) -> tuple[U32, U32]:
    """As ``occurrences``, of at least one term, the rarest first."""
    at = ptr[terms]  # of each term: the posting that is looked at
    ends = ptr[terms + 1]
    read = ptr[terms]  # and the one whose positions begin at `byte`
    byte = pptr[terms]
    places = np.empty(table.max(), np.int64)
    passages = np.empty(ends[0] - at[0], np.uint32)
    freqs = np.empty(ends[0] - at[0], np.uint32)
    found = 0
    for p in range(at[0], ends[0]):
        at[0] = p
        for s in range(1, terms.size):
            at[s] = _gallop(docs, at[s], ends[s], docs[p])
            if at[s] == ends[s]:
                return passages[:found], freqs[:found]
            if docs[at[s]] != docs[p]:
                break
        else:
            count = -1
            for s in range(terms.size):
                byte[s] = _skip(codes[read[s] : at[s]], table, pbytes, byte[s])
                read[s] = at[s] + 1
                size = table[codes[at[s]]]
                count, byte[s] = _keep(places, count, pbytes, byte[s], size, offsets[s])
                if not count:
                    break
            else:
                passages[found] = docs[p]
                freqs[found] = count
                found += 1
    return passages[:found], freqs[:found]


@njit(cache=True, nogil=True)
def _keep(
    places: I64, known: int, pbytes: U8, byte: int, size: int, offset: int
) -> tuple[int, int]:
    """Keep of the first ``known`` places those that a term has, too; below 0: all that it has.

    The term's ``size`` positions begin at ``byte``. Returns how many places are left, and where
    the next posting's positions begin.
    """
    position = np.int64(0)
    kept = old = 0
    for i in range(size):
        step, byte = _varint(pbytes, byte)
        position += step
        place = position - offset
        while old < known and places[old] < place:
            old += 1
        repeated = i > 0 and step == 0
        if not repeated and (known < 0 or (old < known and places[old] == place)):
            places[kept] = place
            kept += 1
    return kept, byte


@njit(cache=True, nogil=True)
def _gallop(docs: U32, at: int, end: int, doc: int) -> int:
    """The first posting of ``at:end`` whose passage is not before ``doc``."""
    low, step = at, 1
    while low + step < end and docs[low + step] < doc:
        low += step
        step <<= 1
    high = min(low + step, end)
    while low < high:
        middle = (low + high) >> 1
        if docs[middle] < doc:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _skip(codes: Codes, table: U32, pbytes: U8, byte: int) -> int:
    """Where the positions end of postings ``codes`` whose positions begin at ``byte``."""
    left = 0
    for code in codes:
        left += table[code]
    while left:
        left -= pbytes[byte] < 0x80
        byte += 1
    return byte


@njit(cache=True, nogil=True)
def _varint(pbytes: U8, byte: int) -> tuple[np.int64, int]:
    """The number that begins at ``byte``, and where the next one does."""
    value, shift = np.int64(0), 0
    while pbytes[byte] > 0x7F:
        value |= np.int64(pbytes[byte] & 0x7F) << shift
        shift += 7
        byte += 1
    return value | (np.int64(pbytes[byte]) << shift), byte + 1
