"""Replies as they stream: what a model thinks is left out, and a reply ends where it should.

For servers that do neither themselves. Knows text in pieces cut anywhere, not where they are from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_THINK, _THOUGHT = "<think>", "</think>"


def said(pieces: Iterator[str]) -> Iterator[str]:
    """The reply without the ``<think>`` part that it begins with, if it does."""
    head = ""
    for piece in pieces:
        head += piece
        begun = head.lstrip()
        if begun.startswith(_THINK):
            _, closed, rest = begun.partition(_THOUGHT)
            if not closed:
                continue
            yield from _not_blank(_chain(rest, pieces))
            return
        if not _THINK.startswith(begun):
            yield head
            yield from pieces
            return
    if not head.lstrip().startswith(_THINK):
        yield from filter(None, [head])


def until(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """The reply up to where a text of ``stop`` begins in it; pieces that may be one wait."""
    stops = [text for text in stop if text]
    if not stops:
        yield from pieces
        return
    ends = re.compile("|".join(map(re.escape, stops)))
    held = ""
    for piece in pieces:
        held += piece
        if found := ends.search(held):
            yield from filter(None, [held[: found.start()]])
            return
        waiting = max(_begun(held, text) for text in stops)
        out, held = held[: len(held) - waiting], held[len(held) - waiting :]
        yield from filter(None, [out])
    yield from filter(None, [held])


def _begun(text: str, stop: str) -> int:
    """How many characters of ``stop`` ``text`` ends with."""
    longest = min(len(stop) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)


def _chain(first: str, pieces: Iterator[str]) -> Iterator[str]:
    yield first
    yield from pieces


def _not_blank(pieces: Iterator[str]) -> Iterator[str]:
    """``pieces`` without the blanks that they begin with."""
    for piece in pieces:
        if begun := piece.lstrip():
            yield begun
            yield from pieces
            return
