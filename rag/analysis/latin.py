"""Words of alphabetic scripts: folded, without stop words, stemmed by Snowball.

The parts of ``snake_case`` and ``CamelCase`` names, of numbers, dates, versions and codes
(``1,234.5``, ``v0.1.0``, ``CVE-2024-5998``, ``IL6``) are terms beside the whole.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable

import Stemmer

from rag.analysis.stopwords import STOP_WORDS

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip
"""Snowball's name of each language that it stems; words of all others are taken for English."""
JOINTS = r"(?:(?<=[0-9])[.,]|-)(?=[0-9])"
"""What joins words to a number or code: a point or comma between digits, a hyphen before one."""
_LONGEST = 40
"""Longer numbers and codes are parts alone: rows of a table without blanks, say."""
_IDLE = re.compile(r"(?<=\d),(?=\d{3}(?!\d))|(?<=[^\W\d_])-(?=\d)")
"""What some write and others do not: 1,234 is 1234, IL-6 is IL6."""
_WORD = re.compile(r"[^.,-]+")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_MIXED = re.compile(  # a_b, aB, ABcd but not PDFs, a1, 1a
    r"_|[^\W\d_A-Z][A-Z]|[A-Z]{2}[^\W\d_A-Z]{2}|[^\W\d_]\d|\d[^\W\d_]"
)


class _Stemmers(threading.local):  # one is not safe across threads
    def __init__(self) -> None:
        self._known: dict[str, Callable[[str], str]] = {}

    def __getitem__(self, language: str) -> Callable[[str], str]:
        if language not in self._known:  # a cache of its own would cost more than it saves
            self._known[language] = Stemmer.Stemmer(STEMMERS[language], 0).stemWord
        return self._known[language]


_snowball = _Stemmers()


def stemmed(language: str) -> str:
    """The language by whose rules words of ``language`` are stemmed."""
    return language if language in STEMMERS else "en"


def terms(run: str, language: str = "en") -> list[tuple[str, int, int]]:
    """``(term, start, end)`` of the word, name, number or code ``run``; none of a stop word."""
    if run.isalpha() and run[1:].islower():  # most words; so told, they take half the time
        return [(word, 0, len(run))] if (word := _term(run, language)) else []
    if not ("-" in run or "." in run or "," in run):
        return _name(run, language)
    parts = [
        (term, found.start() + start, found.start() + end)
        for found in _WORD.finditer(run)
        for term, start, end in _name(found[0], language)
    ]
    whole = _IDLE.sub("", _folded(run).strip("-"))
    if len(run) > _LONGEST or not whole:
        return parts
    return [(whole, 0, len(run)), *(part for part in parts if part[0] != whole)]


def _name(run: str, language: str) -> list[tuple[str, int, int]]:
    whole = _term(run, language)
    out = [(whole, 0, len(run))] if whole else []
    if _MIXED.search(run):
        parts = [(_term(part[0], language), *part.span()) for part in _PART.finditer(run)]
        out += [part for part in parts if part[0] and part[0] != whole]
    return out


def _term(word: str, language: str) -> str:
    """``word`` folded and stemmed; nothing for a stop word (but "willing" is none: its stem is)."""
    folded = word.lower().strip("_") if word.isascii() else _folded(word)
    return "" if folded in STOP_WORDS.get(language, ()) else _snowball[language](folded)


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower().strip("_")
    folded = unicodedata.normalize("NFKC", word).casefold().strip("_")
    return folded.replace("i\u0307", "i")  # of İstanbul, which is Istanbul to most keyboards
