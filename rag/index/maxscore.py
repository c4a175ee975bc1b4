"""The best passages of a query: compiled, term at a time, skipping what cannot matter.

After MaxScore (Turtle and Flood 1995): terms are added in the order given, heaviest first, until
what is left cannot lift a passage among the best; only passages near that line are then looked up
in the rest. Adding is so cheap (some 1.2 ns a posting) that nothing finer paid. Sums are always
made in the same order, so scores do not depend on what was skipped. Knows neither scoring formulas
nor files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rag.compiled import njit
from rag.index import heaps
from rag.index.lookup import (
    ANY,
    MOST,
    P_BOUND,
    P_CODES,
    P_COUNT,
    P_DOCS,
    P_JUMP,
    P_SHIFT,
    P_TABLE,
    P_WIDE,
    view,
)

LANES, ROWS = 64, 16
"""Passages ``LANES`` apart share one maximum, ``ROWS`` of them."""
COLUMNS = MOST // ROWS
_COSTLY = 8192
"""Postings of a term from which it pays to look first whether the term is needed."""
_PER_COLUMN = 100
"""Postings that can be added in the time that it takes to look at a column."""
_STEP = 4
"""Groups of which one is looked at to judge how many columns are near."""
_LEAST = np.float32(1e-30)
_NEARLY = np.float32(0.999998)
"""Sums in another order differ by less: what comes so near to the threshold is looked at."""


@njit(nogil=True, cache=True)
def _score(weight: Any, x: Any, saturation: Any, constant: Any, slope: Any, length: Any) -> Any:
    return weight * x / (saturation * x + constant + slope * length)


@njit(nogil=True, cache=True)
def _bound(place: Any, form: Any, slope: Any, lengths: Any) -> Any:
    """The highest score that a posting of the term has, for a weight of 1."""
    if place[P_COUNT] == 0:
        return np.float32(0)
    known = view(place[P_BOUND], 1, np.float32)
    if known[0] < 0:
        docs = view(place[P_DOCS], place[P_COUNT], np.uint16)
        codes = view(place[P_CODES], ANY, np.uint8)
        table = view(place[P_TABLE], ANY, np.float32)
        best = np.float32(0)
        for p in range(place[P_COUNT]):
            x = table[_code(codes, place[P_WIDE], p)]
            best = max(best, _score(np.float32(1), x, form[0], form[1], slope, lengths[docs[p]]))
        known[0] = best
    return known[0]


@njit(nogil=True, cache=True, inline="always")
def _code(codes: Any, wide: Any, p: Any) -> Any:
    if wide:
        return np.int64(codes[2 * p]) | (np.int64(codes[2 * p + 1]) << 8)
    return np.int64(codes[p])


@njit(nogil=True, cache=True)
def _add(place: Any, weight: Any, form: Any, lengths: Any, scores: Any) -> None:
    """Add what a term gives to each of its passages."""
    saturation, constant, slope = form[0], form[1], form[2]
    docs = view(place[P_DOCS], place[P_COUNT], np.uint16)
    codes = view(place[P_CODES], ANY, np.uint8)
    table = view(place[P_TABLE], ANY, np.float32)
    if place[P_WIDE]:
        for p in range(place[P_COUNT]):
            d = docs[p]
            x = table[_code(codes, 1, p)]
            scores[d] += _score(weight, x, saturation, constant, slope, lengths[d])
    else:
        for p in range(place[P_COUNT]):
            d = docs[p]
            scores[d] += _score(weight, table[codes[p]], saturation, constant, slope, lengths[d])


@njit(nogil=True, cache=True)
def _one(place: Any, weight: Any, form: Any, lengths: Any, doc: Any) -> Any:
    """What a term gives to passage ``doc``."""
    docs = view(place[P_DOCS], place[P_COUNT], np.uint16)
    low, high = np.int64(0), place[P_COUNT]
    if place[P_JUMP]:
        low = np.int64(view(place[P_JUMP], MOST, np.uint16)[doc >> place[P_SHIFT]])
        while low < high and docs[low] < doc:
            low += 1
    else:
        last = high
        while low < last:
            middle = (low + last) >> 1
            if docs[middle] < doc:
                low = middle + 1
            else:
                last = middle
    if low == high or docs[low] != doc:
        return np.float32(0)
    codes = view(place[P_CODES], ANY, np.uint8)
    table = view(place[P_TABLE], ANY, np.float32)
    x = table[_code(codes, place[P_WIDE], low)]
    return _score(weight, x, form[0], form[1], form[2], lengths[doc])


@njit(nogil=True, cache=True)
def _maxima(scores: Any, groups: Any, step: Any, maxima: Any) -> None:
    """The best score of each column, of every ``step``-th group.

    A column is ``ROWS`` passages ``LANES`` apart, so that the processor compares ``LANES`` at a
    time; a group is ``LANES`` columns.
    """
    rows, out = scores.reshape((-1, ROWS, LANES)), maxima.reshape((-1, LANES))
    for group in range(0, groups, step):
        for lane in range(LANES):
            best = rows[group, 0, lane]
            for row in range(1, ROWS):
                score = rows[group, row, lane]
                best = score if score > best else best
            out[group, lane] = best


@njit(nogil=True, cache=True)
def _near(groups: Any, step: Any, maxima: Any, line: Any) -> Any:
    """How many columns reach the line, judged by every ``step``-th group."""
    by_group, found = maxima.reshape((-1, LANES)), 0
    for group in range(0, groups, step):
        for lane in range(LANES):
            found += by_group[group, lane] >= line
    return found * step


@njit(nogil=True, cache=True)
def _raised(threshold: Any, scores: Any, groups: Any, maxima: Any, heap: Any) -> Any:
    """The threshold, or the ``k``-th best of all maxima if above: so good are ``k`` passages."""
    _maxima(scores, groups, 1, maxima)
    heap[:] = threshold
    if len(heap) <= groups * LANES:
        for i in range(groups * LANES):
            if maxima[i] > heap[0]:
                heaps.sift(heap, maxima[i], len(heap))
    return heap[0]


@njit(nogil=True, cache=True)
def _heaviest_first(weights: Any) -> Any:
    order = np.arange(len(weights))
    for i in range(1, len(weights)):
        this, j = order[i], i
        while j > 0 and weights[order[j - 1]] < weights[this]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = this
    return order


@njit(nogil=True, cache=True)
def _needed(
    found: Any, weights: Any, order: Any, form: Any, lengths: Any, known: Any, rest: Any,
    threshold: Any, groups: Any, scores: Any, maxima: Any, heap: Any,
) -> Any:  # fmt: skip
    """Add terms as long as that costs less than to look passages up in them; how many, and what
    the best are known to reach: no more than before if ``known``.
    """
    for z in range(len(order)):
        i = order[z]
        reachable = max(threshold, rest[0] - rest[z])
        if found[i, P_COUNT] > _COSTLY and reachable > rest[z]:
            if known:
                _maxima(scores, groups, _STEP, maxima)
            else:
                threshold = _raised(threshold, scores, groups, maxima, heap)
            line = threshold * _NEARLY - rest[z]
            if line > 0:
                near = _near(groups, _STEP if known else 1, maxima, line)
                if near * _PER_COLUMN < found[i, P_COUNT]:
                    return z, threshold
        _add(found[i], weights[i], form, lengths, scores)
    return len(order), threshold


@njit(nogil=True, cache=True)
def _collect(
    s: Any, ids: Any, groups: Any, found: Any, weights: Any, order: Any, needed: Any, rest: Any,
    form: Any, lengths: Any, scores: Any, maxima: Any, threshold: Any, held: Any, best: Any,
    docs: Any,
) -> Any:  # fmt: skip
    """Offer the passages near the threshold to the heap and clear the scores, group by group;
    how many the heap holds, and the threshold.
    """
    rows = scores.reshape((-1, ROWS, LANES))
    for group in range(groups):
        _maxima(scores[group * LANES * ROWS :], 1, 1, maxima)
        line = max(threshold * _NEARLY - rest[needed], _LEAST)
        if _near(1, 1, maxima, line):
            for lane in range(LANES):
                if maxima[lane] < line:
                    continue
                for row in range(ROWS):
                    score = rows[group, row, lane]
                    if score < line:
                        continue
                    d = (group * ROWS + row) * LANES + lane
                    for z in range(needed, len(order)):
                        if score + rest[z] < threshold * _NEARLY:
                            break
                        i = order[z]
                        score += _one(found[i], weights[i], form, lengths, d)
                    else:
                        held = heaps.offer(ids, best, docs, held, score, (s << 16) | d)
                        if held == len(best):
                            threshold = max(threshold, best[0])
        rows[group] = 0
    return held, threshold


@njit(nogil=True, cache=True)
def search(
    sizes: Any, ids: Any, lengths_at: Any, masks: Any, slopes: Any, slacks: Any, found: Any,
    weights: Any, form: Any, scores: Any, maxima: Any, heap: Any, best: Any, docs: Any,
) -> Any:  # fmt: skip
    """Fill ``best`` and ``docs`` (k,) with the best passages in order; how many there are.

    Parameters
    ----------
    sizes, ids, lengths_at, masks
        Of each segment: its passages, and the addresses of their ids (16 bytes each), lengths
        (float32) and a mask of those that may be found (bytes; 0: all).
    slopes, slacks
        Of each segment: the ``form[2]`` with which its bounds are made, and the factor by which
        scores may exceed them.
    found
        (segments, terms, 8): where the terms have their postings, as ``lookup`` gives it.
    weights, form
        A posting of term ``i`` and code ``c`` in passage ``d`` is worth ``weights[i] * x /
        (form[0] * x + form[1] + form[2] * lengths[d])`` with ``x = table[c]``.
    scores, maxima, heap
        Working space: (``MOST``,) zeros, which they are again at the end; (``COLUMNS``,); (k,).
    docs
        Passages as ``segment << 16 | number``.
    """
    terms = len(weights)
    order = _heaviest_first(weights)
    rest = np.zeros(terms + 1, np.float32)
    pruning = weights.min() >= 0
    threshold, held = np.float32(0), 0
    for s in range(len(sizes)):
        lengths = view(lengths_at[s], sizes[s], np.float32)
        groups = (sizes[s] + LANES * ROWS - 1) // (LANES * ROWS)
        for z in range(terms - 1, -1, -1):
            i = order[z]
            highest = _bound(found[s, i], form, slopes[s], lengths) * slacks[s]
            rest[z] = rest[z + 1] + highest * weights[i]
        if pruning and (rest[0] <= 0 or rest[0] < threshold * _NEARLY):
            continue
        known, needed = held == len(best) or masks[s] != 0, terms
        if pruning:
            needed, threshold = _needed(
                found[s], weights, order, form, lengths, known, rest, threshold,
                groups, scores, maxima, heap,
            )  # fmt: skip
        else:
            for z in range(terms):
                _add(found[s, order[z]], weights[order[z]], form, lengths, scores)
        if masks[s]:
            allowed = view(masks[s], sizes[s], np.uint8)
            for d in range(sizes[s]):
                scores[d] *= allowed[d]
        if held < len(best):
            threshold = _raised(threshold, scores, groups, maxima, heap)
        held, threshold = _collect(
            s, ids, groups, found[s], weights, order, needed, rest,
            form, lengths, scores, maxima, threshold, held, best, docs,
        )  # fmt: skip
    heaps.sort(ids, best, docs, held)
    return held
