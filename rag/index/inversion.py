"""Compiled loops that make postings: passages to terms' postings, and several postings to one.

All release the GIL. Knows no strings and no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit
from rag.index.lookup import ANY, view

_P_BLOCK, _P_ENDS, _P_WORDS, _P_PTR, _P_DOCS, _P_CODES, _P_BYTES, _P_BPTR = range(8)
_TO, _CODE, _COUNT, _WIDE = range(8, 12)


@njit(nogil=True, cache=True)
def invert(ids: Any, positions: Any, heads: Any, sizes: Any, words: int) -> Any:
    """Term-major postings of passages of ``sizes`` terms, the first ``heads`` of them of headings.

    ``(ptr, docs, body, head, positions)``, the positions in the order of the postings.
    """
    last = np.full(words, -1, np.int64)
    ptr = np.zeros(words + 1, np.int64)
    place = np.zeros(words + 1, np.int64)
    at = 0
    for d in range(len(sizes)):
        for _ in range(sizes[d]):
            t = ids[at]
            at += 1
            place[t + 1] += 1
            if last[t] != d:
                last[t] = d
                ptr[t + 1] += 1
    for t in range(words):
        ptr[t + 1] += ptr[t]
        place[t + 1] += place[t]
    total = ptr[words]
    docs, flat = np.empty(total, np.uint16), np.empty(at, np.uint32)
    body, head = np.zeros(total, np.uint32), np.zeros(total, np.uint32)
    after = ptr[:-1].copy()
    last[:] = -1
    at = 0
    for d in range(len(sizes)):
        for i in range(sizes[d]):
            t = ids[at]
            flat[place[t]] = positions[at]
            place[t] += 1
            at += 1
            if last[t] != d:
                last[t] = d
                docs[after[t]] = d
                after[t] += 1
            if i < heads[d]:
                head[after[t] - 1] += 1
            else:
                body[after[t] - 1] += 1
    return ptr, docs, body, head, flat


def times(book: NDArray[Any]) -> NDArray[np.uint32]:
    """How many places a posting of each code has: none where the book has learned weights."""
    if book.dtype.kind == "f":
        return np.zeros(len(book), np.uint32)
    return np.asarray(book.sum(axis=1), np.uint32)


def merge(
    parts: Sequence[tuple[NDArray[Any], ...]],
    renumbered: Sequence[NDArray[np.int32]],
    recoded: Sequence[NDArray[Any]],
    counts: Sequence[NDArray[np.uint32]],
) -> tuple[NDArray[Any], ...]:
    """``(block, ends, ptr, docs, codes, pbytes, pptr)`` of several such parts.

    ``renumbered`` gives each part's passages their new number, or -1 to leave them out;
    ``recoded`` its codes their new ones; ``counts`` how many places they mean.
    """
    table = np.zeros((len(parts), 12), np.int64)
    kept = []
    for row, (block, ends, ptr, docs, codes, pbytes, pptr), to, code, count in zip(
        table, parts, renumbered, recoded, counts, strict=True
    ):
        arrays = [np.ascontiguousarray(a) for a in (block, ends, ptr, docs, codes, pbytes, pptr)]
        kept += [*arrays, to, code, count]
        addresses = [a.ctypes.data for a in arrays]
        row[:] = [*addresses[:2], len(ends), *addresses[2:], to.ctypes.data,
                  code.ctypes.data, count.ctypes.data, codes.itemsize - 1]  # fmt: skip
    sizes = [sum(len(part[i]) for part in parts) for i in (0, 1, 3, 5)]
    new = recoded[0].dtype if recoded else np.dtype(np.uint8)
    block, ends, ptr, pptr, docs, codes, pbytes = (
        np.empty(sizes[0], np.uint8), np.empty(sizes[1], np.uint32),
        np.zeros(sizes[1] + 1, np.uint32), np.zeros(sizes[1] + 1, np.int64),
        np.empty(sizes[2], np.uint16), np.empty(sizes[2], new), np.empty(sizes[3], np.uint8),
    )  # fmt: skip
    words = _merge(table, block, ends, ptr, pptr, docs, codes, pbytes)
    size = int(ends[words - 1]) if words else 0
    return (block[:size].copy(), ends[:words].copy(), ptr[: words + 1].copy(),
            docs[: ptr[words]].copy(), codes[: ptr[words]].copy(),
            pbytes[: pptr[words]].copy(), pptr[: words + 1].copy())  # fmt: skip


@njit(nogil=True, cache=True)
def _merge(
    table: Any, block: Any, ends: Any, ptr: Any, pptr: Any, docs: Any, codes: Any, pbytes: Any
) -> Any:
    """Fill in the merged arrays; how many words there are."""
    parts = len(table)
    at = np.zeros(parts, np.int64)  # the next word of each part
    same = np.zeros(parts, np.bool_)
    words, size, out, byte = 0, 0, 0, 0
    while True:
        least = -1
        for i in range(parts):
            same[i] = False
            if at[i] == table[i, _P_WORDS]:
                continue
            order = _compare(table, i, at[i], least, at[least]) if least >= 0 else -1
            if order < 0:
                least = i
                same[:i] = False
            same[i] = order <= 0
        if least < 0:
            return words
        before = out
        for i in range(parts):
            if same[i]:
                out, byte = _take(table[i], at[i], out, byte, docs, codes, pbytes)
        if out > before:
            start, stop = _word(table[least], at[least])
            source = view(table[least, _P_BLOCK], ANY, np.uint8)
            for b in range(start, stop):
                block[size] = source[b]
                size += 1
            ends[words] = size
            words += 1
            ptr[words] = out
            pptr[words] = byte
        for i in range(parts):
            at[i] += same[i]


@njit(nogil=True, cache=True)
def _word(part: Any, number: Any) -> Any:
    ends = view(part[_P_ENDS], ANY, np.uint32)
    return (np.int64(ends[number - 1]) if number else np.int64(0)), np.int64(ends[number])


@njit(nogil=True, cache=True)
def _compare(table: Any, i: Any, a: Any, j: Any, b: Any) -> Any:
    """Below, at or above 0 as word ``a`` of part ``i`` comes before, is or comes after ``b``."""
    start, stop = _word(table[i], a)
    other, end = _word(table[j], b)
    mine = view(table[i, _P_BLOCK], ANY, np.uint8)
    its = view(table[j, _P_BLOCK], ANY, np.uint8)
    for k in range(min(stop - start, end - other)):
        if mine[start + k] != its[other + k]:
            return np.int64(mine[start + k]) - np.int64(its[other + k])
    return (stop - start) - (end - other)


@njit(nogil=True, cache=True)
def _take(part: Any, word: Any, out: Any, byte: Any, docs: Any, codes: Any, pbytes: Any) -> Any:
    """Copy the postings of a word whose passages are kept."""
    ptr = view(part[_P_PTR], ANY, np.uint32)
    pptr = view(part[_P_BPTR], ANY, np.int64)
    own = view(part[_P_DOCS], ANY, np.uint16)
    narrow = view(part[_P_CODES], ANY, np.uint8)
    wide = view(part[_P_CODES], ANY, np.uint16)
    places = view(part[_P_BYTES], ANY, np.uint8)
    to = view(part[_TO], ANY, np.int32)
    new8 = view(part[_CODE], ANY, np.uint8)
    new16 = view(part[_CODE], ANY, np.uint16)
    counts = view(part[_COUNT], ANY, np.uint32)
    read = pptr[word]
    for p in range(np.int64(ptr[word]), np.int64(ptr[word + 1])):
        code = np.int64(wide[p]) if part[_WIDE] else np.int64(narrow[p])
        first = read
        left = np.int64(counts[code])
        while left:
            left -= places[read] < 0x80
            read += 1
        doc = to[own[p]]
        if doc < 0:
            continue
        docs[out] = doc
        codes[out] = new8[code] if codes.itemsize == 1 else new16[code]
        out += 1
        for b in range(first, read):
            pbytes[byte] = places[b]
            byte += 1
    return out, byte
