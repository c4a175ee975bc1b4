"""Has the passages around a hit read with it. Knows the hits' places, not their texts.

A hit keeps its passage, which is what is ranked, shown and highlighted; its ``chunk.outer`` says
what an answer may be made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.types import Hit

Around = Callable[[Sequence[str], int], dict[str, tuple[int, int]]]
"""Spans of passages, by id, and so many neighbours on both sides: ``Collection.around``."""


def expand(hits: Sequence[Hit], count: int, around: Around) -> tuple[Hit, ...]:
    """``hits`` with ``count`` neighbours on both sides as what is read; where they meet, as one.

    A hit that has a larger passage around it already (``parent-child`` chunking) keeps that; one
    whose document is gone stays as it is.
    """
    spans = around([hit.chunk.id for hit in hits if hit.chunk.outer is None], count)
    places = defaultdict(list)
    for hit in hits:
        if hit.chunk.id in spans:
            places[hit.chunk.document, hit.chunk.version].append(hit.chunk)
    outer: dict[str, tuple[int, int]] = {}
    for chunks in places.values():
        together: list[str] = []
        last = start = stop = 0
        for chunk in sorted(chunks, key=lambda c: c.position):
            first, end = spans[chunk.id]
            if not together or chunk.position - count > last + count + 1:
                together, start, stop = [], first, end
            together.append(chunk.id)
            last, start, stop = chunk.position, min(start, first), max(stop, end)
            outer |= dict.fromkeys(together, (start, stop))
    return tuple(_with(hit, outer.get(hit.chunk.id)) for hit in hits)


def _with(hit: Hit, outer: tuple[int, int] | None) -> Hit:
    if outer in (None, (hit.chunk.start, hit.chunk.end)):
        return hit
    return replace(hit, chunk=replace(hit.chunk, outer=outer))
