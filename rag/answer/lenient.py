"""What models were asked to write in a form, read although they rarely keep to it.

Nothing here takes longer than its text is long. Knows neither models nor prompts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

LINE = 300
"""Characters of a line that a model wrote which are kept."""
_LONGEST = 8000
_TRIES = 20
_REFERRED = 200
_ITEM = re.compile(
    r"\s*(?:[*_#]{1,4}\s?)?(?:(?:(?:sub-?)?question|step|하위 질문|질문|단계)\s?)?"
    r"(?:\d{1,2}\s?(?:단계)?\s?[.):](?!\d)|[-*•]\s)[\s*_]{0,4}",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"\s?\[\s?\d[\d,\s]{0,40}\]")
_REFERENCE = re.compile(r"#(\d{1,2})(?!\d)")
_WORDS = re.compile(r"\w")


def line(text: str, longest: int = LINE) -> str:
    """``text`` on one line, cut to ``longest`` characters."""
    return " ".join(text[: 4 * longest].split())[:longest].rstrip()


def plain(text: str) -> str:
    """``text`` without ``[n]``."""
    return _MARKERS.sub("", text).strip()


def cited(text: str) -> list[int]:
    """The numbers within ``[1]`` or ``[1, 2]``, in order."""
    return [int(n) for marker in _MARKERS.findall(text) for n in re.findall(r"\d{1,6}", marker)]


def items(text: str, most: int) -> list[str]:
    """Up to ``most`` entries of a list, one a line; without any, the lines that are questions."""
    lines = [part for part in text[:_LONGEST].splitlines() if _WORDS.search(part)]
    found = [part[match.end() :] for part in lines if (match := _ITEM.match(part))]
    found = found or [part for part in lines if part.rstrip().endswith(("?", "？"))]
    entries = (line(entry).strip("*_ ") for entry in found)
    return list(dict.fromkeys(entry for entry in entries if _WORDS.search(entry)))[:most]


def json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object within ``text``, whatever stands around it."""
    text = text[:_LONGEST]
    decoder = json.JSONDecoder()
    at = text.find("{")
    for _ in range(_TRIES):
        if at < 0:
            break
        try:
            found: dict[str, Any] = decoder.raw_decode(text, at)[0]
            return found
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
    return None


def referred(text: str, answers: Sequence[str]) -> str:
    """``text`` with the first, second, ... of ``answers`` for each ``#1``, ``#2``, ..."""

    def answer(found: re.Match[str]) -> str:
        n = int(found[1])
        if not 1 <= n <= len(answers):
            return found[0]
        return line(plain(answers[n - 1]), _REFERRED).rstrip(".。 ")

    return line(_REFERENCE.sub(answer, text), 2 * LINE)
