"""Follows an answer as it streams: keeps good ``[n]`` markers, drops bad ones, adds missing ones.

Knows neither the model nor the index.
"""

from __future__ import annotations

import re

from rag.answer.evidence import Evidence, Sentence

_BEGUN = re.compile(r"\[\s?(?:\d[\d,\s]{0,40})?")
_TOKEN = re.compile(r"\s+|\[\s?\d[\d,\s]{0,40}\]|\[|[^\s\[]+")
_MARKER = re.compile(r"\[\s?\d[\d,\s]{0,40}\]")
_LOOP = 20
"""A sentence of more characters is not said twice."""
_STUTTER = 4
"""So many times over the same 4 to 80 characters are not said."""
_UNITS = range(4, 81)
_WORDS = re.compile(r"\w")
_FENCE = ("```", "~~~")
_ENDED = re.compile(r"[.!?。！？…][\"'”’)\]」』]*$")


class CitedText:
    """Turns a stream of deltas into text whose every marker has a quotation.

    ``passages`` is how many passages the model was shown; ``[n]`` with another ``n`` is dropped
    and counted in ``dropped``, as is that of a passage without a sentence to quote. A sentence
    without a marker gets one if a passage bears it out. ``code`` tells of each line of code whether
    a passage holds it; ``looping``, that the model has begun to repeat itself.
    """

    def __init__(self, evidence: Evidence, passages: int) -> None:
        self.evidence = evidence
        self._passages = passages
        self._held = ""
        self._fenced = False
        self._ticks = 0
        self._at_name = False
        self._space = ""
        self._sentence = ""
        self._marked: list[int] = []
        self.quotes: list[Sentence] = []
        self.dropped = 0
        self.looping = False
        self._tail = ""
        self._said: set[str] = set()
        self.code: list[bool] = []

    def feed(self, delta: str) -> str:
        """What may be shown after ``delta``; never a part of a marker."""
        text = self._held + delta
        at = text.rfind("[")
        begun = at >= 0 and _BEGUN.fullmatch(text, at)
        cut = len((text[:at] if begun else text).rstrip())
        self._held = text[cut:]
        self._tail = (self._tail + delta)[-_STUTTER * _UNITS[-1] :]
        self.looping = self.looping or _stutters(self._tail)
        return "".join(self._token(token) for token in _TOKEN.findall(text[:cut]))

    def end(self) -> str:
        """The rest, once the model has finished."""
        rest = "".join(self._token(token) for token in _TOKEN.findall(self._held.rstrip()))
        self._held = ""
        return rest + self._close()

    def _token(self, token: str) -> str:
        if token.isspace():
            self._space += token
            self._at_name = False
            return ""
        if _MARKER.fullmatch(token) and not self._is_code(token):
            return self._mark(_numbers(token))
        added = ""
        if self._sentence and ("\n" in self._space or (self._space and self._is_over())):
            added = self._close()
        if "\n" in self._space:
            self._ticks = 0  # code within a line ends with it
        text = added + self._space + token
        self._sentence += self._space + token
        self._space = ""
        if token.startswith(_FENCE):
            self._fenced = not self._fenced
        else:
            self._ticks += token.count("`")
        self._at_name = token[-1].isalnum()
        return text

    def _is_code(self, token: str) -> bool:
        """Whether it is an index: within backquotes, or at a name and no passage's number."""
        known = all(1 <= n <= self._passages for n in _numbers(token))
        in_code = self._fenced or self._ticks % 2 == 1
        return in_code or (self._at_name and not known)

    def _is_over(self) -> bool:
        return bool(self._marked) or bool(_ENDED.search(self._sentence))

    def _mark(self, numbers: list[int]) -> str:
        known = [n for n in dict.fromkeys(numbers) if 1 <= n <= self._passages]
        good = [n for n in known if self.evidence.passage(n)]
        self.dropped += len(set(numbers)) - len(good)
        self._at_name = False
        space, self._space = self._space, ""
        self._marked += good
        return space + "".join(f"[{n}]" for n in good) if good else ""

    def _close(self) -> str:
        """End the sentence: quote what it cites, or cite what bears it out."""
        sentence, marked = self._sentence, self._marked
        self._sentence, self._marked = "", []
        plain = sentence.strip(" \n\t-*0123456789.").casefold()
        self.looping = self.looping or (len(plain) > _LOOP and plain in self._said)
        self._said.add(plain)
        if marked:
            for n in dict.fromkeys(marked):
                if quote := self.evidence.quote(n, sentence):
                    self._keep(quote)
            return ""
        if sentence.strip().startswith(_FENCE):
            return ""
        if self._fenced:
            self.code.append(self.evidence.contains(sentence))
            return ""
        if found := self.evidence.support(sentence):
            self._keep(found)
            return f" [{found.n}]"
        return ""

    def _keep(self, quote: Sentence) -> None:
        if quote not in self.quotes:
            self.quotes.append(quote)


def _stutters(tail: str) -> bool:
    """Whether ``tail`` ends with the same characters, words among them, several times over."""
    units = (tail[-size:] for size in _UNITS)
    return any(tail.endswith(unit * _STUTTER) and _WORDS.search(unit) for unit in units)


def _numbers(marker: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", marker)]
