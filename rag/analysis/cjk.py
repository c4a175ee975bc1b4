"""Scripts whose words no blank tells apart: overlapping bigrams, which need no dictionary.

They are Hangul, Han, kana, Thai, Lao, Burmese and Khmer. Of stretches of these others make words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag.analysis.korean import HANGUL

CHARACTERS = (
    rf"{HANGUL}぀-ヿㇰ-ㇿ\uff66-\uff9f㐀-䶿一-鿿\uf900-\ufaff\U00020000-\U0003ffff"
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece\u1000-\u103f\u1780-\u17d3"
)
"""A regular expression's character class, without its brackets."""
STRETCH = 64
"""Characters of a stretch, at most: a longer one is several."""

# A decomposed syllable (macOS writes them) or kana with its sound mark counts as one character.
_UNIT = re.compile(
    "[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?|.[\u3099\u309a\uff9e\uff9f]?", re.DOTALL
)
_LOOSE = re.compile("[\u1100-\u11ff\u3099\u309a\uff66-\uff9f\uf900-\ufaff\U0002f800-\U0002fa1f]")
_HANGUL = re.compile(f"[{HANGUL}]")


def composed(run: str) -> bool:
    """Whether each code point of ``run`` is a character of its own, in NFC."""
    return not _LOOSE.search(run)


def units(run: str) -> list[tuple[int, int]]:
    """Start and end of each character of ``run``, composed or not."""
    return [unit.span() for unit in _UNIT.finditer(run)]


def bigrams(units: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Start and end of each bigram; a lone character stands for itself."""
    pairs = zip(units, units[1:] or units, strict=False)
    return [(first[0], last[1]) for first, last in pairs]


def stretches(run: str, units: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """First and last but one unit of each stretch of ``run``, and whether it is Hangul."""
    first = 0
    hangul = [bool(_HANGUL.match(run, start)) for start, _ in units]
    for i in range(1, len(units) + 1):
        if i == len(units) or hangul[i] != hangul[first] or i - first == STRETCH:
            yield first, i, hangul[first]
            first = i


def term(bigram: str) -> str:
    """One bigram's, or lone character's, term."""
    return unicodedata.normalize("NFKC", bigram)
