"""The passages that a model has been shown for one question, numbered once and for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.answer.context import Count, Text, pack, render
from rag.harmless import fence, fenced
from rag.types import Hit

Place = tuple[str, int, int]
_LEAST = 64
"""Tokens below which a further passage is read whole or not at all."""


class Passages:
    """Numbers passages from 1, in the order in which they are read.

    Parameters
    ----------
    tokens
        Those that all of them together may be.

    Attributes
    ----------
    hits
        ``hits[n - 1]`` is passage ``n``.
    """

    def __init__(self, count: Count, text: Text, tokens: int) -> None:
        self._count = count
        self._text = text
        self._left = tokens
        self._shown: list[str] = []
        self._sizes: list[int] = []
        self._numbers: dict[Place, int] = {}
        self._fence = fence()
        self.hits: list[Hit] = []

    def read(self, hits: Iterable[Hit], budget: int) -> list[int]:
        """The numbers of ``hits`` that fit ``budget`` tokens; known ones first, with theirs."""
        numbers: list[int] = []
        new: list[Hit] = []
        for hit in hits:
            n = self._known(hit)
            if not n:
                new.append(hit)
            elif n not in numbers and self._sizes[n - 1] <= budget:
                numbers.append(n)
                budget -= self._sizes[n - 1]
        room = min(budget, self._left)
        first = len(self.hits) + 1
        if room < _LEAST and self.hits:
            new = [hit for hit in new if self._count(render(first, hit.chunk)) <= room]
        context, shown = pack(new, room, self._count, self._text, first)
        for n, hit in enumerate(context.hits, first):
            chunk = hit.chunk
            self._numbers[(chunk.document, chunk.start, chunk.end)] = n
        self.hits += context.hits
        self._shown += shown
        self._sizes += map(self._count, shown)
        self._left -= context.tokens
        return [*numbers, *range(first, len(self.hits) + 1)]

    def block(self, numbers: Sequence[int]) -> str:
        """Passages as a prompt holds them, between marks that none of them can hold."""
        body = "\n\n".join(self._shown[n - 1] for n in numbers)
        return fenced(body, self._fence)

    def _known(self, hit: Hit) -> int:
        chunk = hit.chunk
        places = [(chunk.start, chunk.end), *([chunk.outer] if chunk.outer else [])]
        found = (self._numbers.get((chunk.document, *place)) for place in places)
        return next((n for n in found if n), 0)
