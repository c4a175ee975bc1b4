"""Packs passages into a token budget. Knows neither prompts' wording nor models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.errors import NotFound
from rag.harmless import harmless
from rag.types import Chunk, Context, Hit

Count = Callable[[str], int]
"""A text's size in tokens, by the model's own tokenizer."""
Text = Callable[[str, str], str]
"""The text of a version of a document; raises `NotFound` where that is gone."""


def render(n: int, chunk: Chunk) -> str:
    """Passage ``n`` as the prompt shows it: title, headings and lead above its text."""
    return harmless(f"[{n}] {chunk.above}\n{chunk.text.strip()}")


def pack(
    hits: Sequence[Hit], budget: int, count: Count, text: Text, first: int = 1
) -> tuple[Context, list[str]]:
    """The hits that fit ``budget`` tokens, best first, and their passages as rendered.

    They are numbered from ``first``.

    A passage within a larger one is read as that, once however many of its parts were found; where
    the larger one does not fit, the passage itself is. A hit that does not fit is passed over for
    a later, shorter one; if not even the first fits alone, it is cut short.
    """
    chosen: list[Hit] = []
    shown: list[str] = []
    read: set[tuple[str, tuple[int, int] | None]] = set()
    used = 0
    for hit in hits:
        place = (hit.chunk.document, hit.chunk.outer)
        if place in read:
            continue
        large = _large(hit, text)
        for one in (large, hit) if large else (hit,):
            passage = render(len(chosen) + first, one.chunk)
            size = count(passage)
            if one is hit and not chosen and size > budget:
                passage = _shortened(passage, size, budget, count)
                size = count(passage)
            if passage and used + size <= budget:
                chosen.append(one)
                shown.append(passage)
                used += size
                if one is large:
                    read.add(place)
                break
    return Context(tuple(chosen), used), shown


def _large(hit: Hit, text: Text) -> Hit | None:
    """``hit`` with the larger passage that its own is within, if there is one."""
    small = hit.chunk
    if small.outer is None:
        return None
    start, end = small.outer
    try:
        whole = text(small.document, small.version)[start:end]
    except NotFound:
        return None
    lead = "\n".join(line for line in small.lead.split("\n") if line not in whole)
    chunk = replace(small, start=start, end=end, text=whole, lead=lead, outer=None)
    before = small.start - start
    return replace(
        hit, chunk=chunk, matches=tuple((a + before, b + before) for a, b in hit.matches)
    )


def _shortened(text: str, size: int, budget: int, count: Count) -> str:
    while text and size > budget:
        text = text[: min(int(len(text) * budget / size), len(text) - 1)]
        size = count(text)
    return text
