"""Words of alphabetic scripts: folded, without English stop words, stemmed by Snowball's English.

The parts of ``snake_case`` and ``CamelCase`` names are terms beside the whole name.
"""

from __future__ import annotations

import re
import threading
import unicodedata

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


class _Stemmer(threading.local):  # one is not safe across threads
    def __init__(self) -> None:
        self.stem = Stemmer.Stemmer("english", 0).stemWord  # a cache would cost more than it saves


_snowball = _Stemmer()


def terms(run: str) -> list[tuple[str, int, int]]:
    """``(term, start, end)`` of the word or name ``run``; nothing for a stop word."""
    whole = _term(run)
    out = [(whole, 0, len(run))] if whole else []
    plain = run[1:].islower() and "_" not in run  # four times as quick to tell as by the pattern
    if not plain and _MIXED.search(run):
        parts = [(_term(part[0]), *part.span()) for part in _PART.finditer(run)]
        out += [part for part in parts if part[0] and part[0] != whole]
    return out


def _term(word: str) -> str:
    """``word`` folded and stemmed; nothing for a stop word (but "willing" is none: its stem is)."""
    folded = unicodedata.normalize("NFKC", word).casefold().strip("_")
    if folded in STOP_WORDS:
        return ""
    stem: str = _snowball.stem(folded)
    return stem
