"""The document found last, and where a string occurs in it. Knows no model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from rag.analysis import sentences
from rag.answer.context import Text
from rag.errors import NotFound
from rag.types import Hit

_AROUND = 600
"""Characters before and after an occurrence within which its sentence is looked for."""
_SCANNED = 500
_MOST = 50


class Page:
    """What `Lookup` walks through.

    Attributes
    ----------
    document
        Its id; empty before anything was found.
    """

    def __init__(self, text: Text) -> None:
        self._text = text
        self._hit: Hit | None = None
        self._string = ""
        self._found: list[Hit] = []
        self._at = 0

    @property
    def document(self) -> str:
        return self._hit.chunk.document if self._hit else ""

    def open(self, hit: Hit) -> None:
        self._hit = hit
        self._string = ""

    def more(self, string: str) -> bool:
        """Whether ``string`` is the one looked up last and occurs again."""
        return string == self._string and self._at < len(self._found)

    def look_up(self, string: str) -> tuple[Hit | None, str]:
        """The next sentence that holds ``string``, as a passage, and which it is: ``1 / 3``."""
        if string != self._string:
            self._string, self._at = string, 0
            self._found = list(islice(self._occurrences(string), _MOST))
        if self._at == len(self._found):
            return None, ""
        self._at += 1
        return self._found[self._at - 1], f"{self._at} / {len(self._found)}"

    def _occurrences(self, string: str) -> Iterator[Hit]:
        words = string.split()
        if not (self._hit and words):
            return
        chunk = self._hit.chunk
        try:
            text = self._text(chunk.document, chunk.version)
        except NotFound:  # replaced since it was found
            return
        pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        last = -1
        for found in islice(pattern.finditer(text), _SCANNED):
            start, end = _sentence(text, *found.span())
            if start > last:
                last = start
                sentence = replace(
                    chunk, start=start, end=end, text=text[start:end], heading=(), lead="",
                    outer=None,
                )  # fmt: skip
                yield replace(self._hit, chunk=sentence, matches=())


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around characters ``[start, end)``."""
    left = max(text.rfind("\n\n", 0, start), start - _AROUND, 0)
    stop = text.find("\n\n", end)
    right = min(end + _AROUND, len(text) if stop < 0 else stop)
    spans = ((left + a, left + b) for a, b in sentences(text[left:right]))
    return next((span for span in spans if span[0] <= start < span[1]), (start, end))
