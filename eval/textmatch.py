"""How well a text says an accepted answer: exact match, F1, and containment.

English by the rules of SQuAD's evaluation script (v2.0), Korean by KorQuAD 1.0's. Knows neither
questions nor citations.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_MARKERS = re.compile(r"(?:\s*\[\d+\])+")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_KOREAN_SIGNS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_JOINTS = re.compile(r"['’]s\b|[-‐-—/]")
_UNSPACED = ("ko", "ja", "zh")
"""Languages whose words are not told apart by blanks alone, so that characters are counted."""


def without_markers(text: str) -> str:
    """``text`` without its ``[n]`` markers and the blanks before them."""
    return _MARKERS.sub("", text)


def normalise(text: str, language: str) -> str:
    """``text`` as the official scripts compare it, markers aside.

    Lower case, no ASCII punctuation, single blanks; English loses its articles, Korean has quotes,
    angle and round brackets turned into blanks first.
    """
    text = without_markers(text)
    if language == "ko":
        text = text.translate(_KOREAN_SIGNS)
    text = text.lower().translate(_PUNCTUATION)
    if language not in _UNSPACED:
        text = _ARTICLES.sub(" ", text)
    return " ".join(text.split())


def exact_match(prediction: str, answers: Sequence[str], language: str) -> float:
    """1 if ``prediction`` is one of ``answers``, normalised; else 0."""
    said = normalise(prediction, language)
    return float(any(said == normalise(answer, language) for answer in answers))


def f1(prediction: str, answers: Sequence[str], language: str) -> float:
    """The best F1 to one of ``answers``: over words, over characters in Korean.

    Where either side is empty once normalised: 1 if both are, else 0, as SQuAD 2.0 has it.
    """
    said = _units(prediction, language)
    return max((_f1(said, _units(answer, language)) for answer in answers), default=0.0)


def contains(prediction: str, answers: Sequence[str], language: str) -> float:
    """1 if one of ``answers`` stands within ``prediction``, normalised; else 0.

    In whole words, those joined by a hyphen or with a genitive's s too; in Korean, whose particles
    are written to the word, anywhere and whatever the spacing, but not within a longer number or
    Latin word.
    """
    if language in _UNSPACED:
        said = normalise(prediction, language)
        return float(any(_within(said, normalise(a, language)) for a in answers))
    words = f" {normalise(_JOINTS.sub(' ', prediction), language)} "
    parts = [normalise(_JOINTS.sub(" ", answer), language) for answer in answers]
    return float(any(part and f" {part} " in words for part in parts))


def _within(said: str, answer: str) -> bool:
    if not answer:
        return False
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", answer) else ""
    after = r"(?![a-z0-9])" if re.search("[a-z0-9]$", answer) else ""
    spaced = r"\s?".join(re.escape(c) for c in answer if not c.isspace())
    return re.search(before + spaced + after, said) is not None


def _units(text: str, language: str) -> Counter[str]:
    normal = normalise(text, language)
    return Counter(normal.replace(" ", "") if language in _UNSPACED else normal.split())


def _f1(said: Counter[str], answer: Counter[str]) -> float:
    """The harmonic mean of precision and recall."""
    if not said or not answer:
        return float(said == answer)
    return 2 * (said & answer).total() / (said.total() + answer.total())
