"""Hangul, Han and kana: overlapping character bigrams, which need no dictionary."""

from __future__ import annotations

import re
import unicodedata

CHARACTERS = "ᄀ-ᇿ㄰-㆏가-힣぀-ヿㇰ-ㇿ㐀-䶿一-鿿\uf900-\ufaff\U00020000-\U0003ffff"
"""A regular expression's character class, without its brackets."""


# A decomposed syllable (macOS writes them) or kana with its sound mark counts as one character.
_UNIT = re.compile("[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?|.[\u3099\u309a]?", re.DOTALL)


def terms(run: str) -> list[tuple[str, int, int]]:
    """``(term, start, end)`` of each bigram; a lone character stands for itself."""
    units = [unit.span() for unit in _UNIT.finditer(run)]
    pairs = zip(units, units[1:] or units, strict=False)
    spans = [(first[0], last[1]) for first, last in pairs]
    return [(term(run[start:end]), start, end) for start, end in spans]


def term(bigram: str) -> str:
    """One bigram's, or lone character's, term."""
    return unicodedata.normalize("NFKC", bigram)
