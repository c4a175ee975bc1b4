"""When two short answers are one, however they are written. Knows no model."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_MARKER = re.compile(r"\[[\d,\s]+\]")
_NUMBER = re.compile(r"(?:(?<!\w)[-\u2212])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_WORD = re.compile(r"(?:(?<!\w)-)?\d+\.\d+\w*|(?:(?<!\w)-)?\d\w*|\w+")
_RUN = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_]+")
"""Digits or letters: a number stands apart from its unit."""
_ARTICLES = {"a", "an", "the"}
_PARTICLE = re.compile(
    r"(?<=[가-힣\d])(?:이었습니다|였습니다|입니다|이에요|예요|이다|으로|에서|에게"
    r"|은|는|이|가|을|를|의|에|로)$"
)
_SPACED = re.compile(r"(?<=[가-힣]) (?=[가-힣])")


def normalised(answer: str) -> str:
    """``answer`` without markers, punctuation, case, articles and Korean particles.

    Blanks within Korean do not count, nor how a number is written (``1,000.0`` is ``1000``).
    """
    text = unicodedata.normalize("NFKC", _MARKER.sub(" ", answer)).casefold()
    text = _NUMBER.sub(_plain, text)
    words = [_PARTICLE.sub("", word) for word in _WORD.findall(text)]
    runs = [run for word in words for run in _RUN.findall(word) if run not in _ARTICLES]
    return _SPACED.sub("", " ".join(runs))


def _plain(number: re.Match[str]) -> str:
    value = Decimal(number[0].replace(",", "").replace("\u2212", "-")).normalize()
    return f"{value:f}"
