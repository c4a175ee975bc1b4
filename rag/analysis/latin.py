"""Words of alphabetic scripts: folded, without English stop words, stemmed by Snowball's English.

The parts of ``snake_case`` and ``CamelCase`` names are terms beside the whole name.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import Stemmer

# Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET.
STOP_WORDS = frozenset(
    [
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into"),
        *("is", "it", "no", "not", "of", "on", "or", "such", "that", "the", "their", "then"),
        *("there", "these", "they", "this", "to", "was", "will", "with"),
    ]
)
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_MIXED = re.compile(r"_|[^\W\d_A-Z][A-Z]|[A-Z]{2}[^\W\d_A-Z]{2}")  # a_b, aB, ABcd; not PDFs
_local = threading.local()


@lru_cache(maxsize=1 << 18)
def terms(run: str) -> tuple[tuple[str, int, int], ...]:
    """``(term, start, end)`` of the word or name ``run``; nothing for a stop word."""
    whole = _term(run)
    out = [(whole, 0, len(run))] if whole else []
    if _MIXED.search(run):
        parts = [(_term(part[0]), *part.span()) for part in _PART.finditer(run)]
        out += [part for part in parts if part[0] and part[0] != whole]
    return tuple(out)


def _term(word: str) -> str:
    """``word`` folded and stemmed; nothing for a stop word (but "willing" is none: its stem is)."""
    folded = unicodedata.normalize("NFKC", word).casefold().strip("_")
    if folded in STOP_WORDS:
        return ""
    if not hasattr(_local, "stemmer"):  # a Snowball stemmer is not safe across threads
        _local.stemmer = Stemmer.Stemmer("english")
    stem: str = _local.stemmer.stemWord(folded)
    return stem
