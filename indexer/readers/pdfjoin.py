"""Lines put together to one text: words that were parted at a line's end are made whole.

Knows no places on a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

HYPHEN = "\u00ad"
"""Stands for a hyphen that PDFium takes for one that parts a word."""

_HANGUL = re.compile(r"[가-힣]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uff00-\uff65\u3001-\u301f]")
_LETTERS = re.compile(r"[^\W\d_]+$")
_WORD = re.compile(r"[\w'’-]+")


class Ended(Protocol):
    """A line; ``spaced``: the file holds a blank after it."""

    @property
    def text(self) -> str: ...
    @property
    def spaced(self) -> bool: ...


class Joiner:
    """Joins lines of a text whose words it knows.

    Korean lines may end within a word, and not every file keeps the blank at the end of a line
    that does not: where it is not there, what the text says elsewhere decides, and where that says
    nothing, what was found more often at the other ends of lines.
    """

    def __init__(self, lines: Iterable[Sequence[Ended]]) -> None:
        self._words: set[str] = set()
        ends: list[tuple[str, str]] = []
        for group in lines:
            last: Ended | None = None
            for line in group:
                words = _WORD.findall(line.text)
                self._words.update(words[1:-1])
                self._words.update(w for w in words[:1] + words[-1:] if not _HANGUL.search(w))
                if last is not None and not last.spaced and _HANGUL.match(last.text[-1:]):
                    ends.append((_last(last.text), _first(line.text)))
                last = line
        self._within = 0
        self._within = sum(self._evidence(a, b) for a, b in ends if _HANGUL.match(b))

    def __call__(self, lines: Sequence[Ended]) -> str:
        text = ""
        blank = False
        for line in lines:
            if text:
                whole = "" if blank else self._hyphenated(text, line.text)
                text = whole or (
                    text.replace(HYPHEN, "-")
                    + (" " if blank or self._apart(text, line.text) else "")
                )
            text += line.text
            blank = line.spaced
        return " ".join(text.replace(HYPHEN, "-").split())

    def _hyphenated(self, text: str, line: str) -> str:
        """``text`` without the hyphen that parts a word at its end, if there is one."""
        if not text.endswith(("-", HYPHEN)) or not line[:1].islower():
            return ""
        start = _LETTERS.search(text[:-1])
        if start is None:
            return ""
        whole = f"{start[0]}-{_first(line)}"
        if whole in self._words and whole.replace("-", "") not in self._words:
            return text[:-1] + "-"
        return text[:-1]

    def _apart(self, text: str, line: str) -> bool:
        last, first = text[-1:], line[:1]
        if last in ("-", HYPHEN) or (_UNSPACED.match(last) and _UNSPACED.match(first)):
            return False
        if _HANGUL.match(last) and _HANGUL.match(first):
            return (self._evidence(_last(text), _first(line)) or self._within) <= 0
        return True

    def _evidence(self, last: str, first: str) -> int:
        """1 where the two make one word, -1 where they are words each, 0 where nothing tells."""
        if last + first in self._words:
            return 1
        return -(last in self._words and first in self._words)


def _first(text: str) -> str:
    found = _WORD.match(text)
    return found[0] if found else ""


def _last(text: str) -> str:
    found = _WORD.findall(text[-40:])
    return found[-1] if found else ""
