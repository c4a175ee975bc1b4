"""Packs passages into a token budget. Knows neither prompts' wording nor models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.types import Chunk, Context, Hit

Count = Callable[[str], int]
"""A text's size in tokens, by the model's own tokenizer."""


def render(n: int, chunk: Chunk) -> str:
    """Passage ``n`` as the prompt shows it."""
    head, _, _ = chunk.context.partition("\n") if chunk.title or chunk.heading else ("", "", "")
    return f"[{n}] {head}\n{chunk.text.strip()}"


def pack(hits: Sequence[Hit], budget: int, count: Count) -> tuple[Context, list[str]]:
    """The hits that fit ``budget`` tokens, best first, and their passages as rendered.

    A hit that does not fit is passed over for a later, shorter one; if not even the first fits
    alone, it is cut short.
    """
    chosen: list[Hit] = []
    shown: list[str] = []
    used = 0
    for hit in hits:
        text = render(len(chosen) + 1, hit.chunk)
        size = count(text)
        if not chosen and size > budget:
            text = _shortened(text, size, budget, count)
            size = count(text)
        if text and used + size <= budget:
            chosen.append(hit)
            shown.append(text)
            used += size
    return Context(tuple(chosen), used), shown


def _shortened(text: str, size: int, budget: int, count: Count) -> str:
    while text and size > budget:
        text = text[: min(int(len(text) * budget / size), len(text) - 1)]
        size = count(text)
    return text
