"""Words of Latin letters that people ran together or split: "fastapi", "data base".

Changed is only what no passage has as it is written while some have it as it would be. Words that
passages lack for other reasons are corrected when they are looked up (``rag.index.fuzzy``).
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag import analysis
from rag.analysis.stopwords import STOP_WORDS
from rag.search.rewrite.lexicon import Lexicon

_WORD = re.compile(r"(?<![\w.@/-])[A-Za-z]+(?![\w@/-]|\.\w)")
_SHORTEST, _LONGEST = 6, 40
"""Letters of a word that may be several."""
_PART = 3
"""Letters of a part, at least; a stop word may have fewer."""
_STOPS = STOP_WORDS["en"]
Repair = tuple[str, str]


def split(text: str, lexicon: Lexicon) -> tuple[str, list[Repair]]:
    """``text`` with blanks in words that no passage has."""
    words = [m[0] for m in _WORD.finditer(text) if _SHORTEST <= len(m[0]) <= _LONGEST]
    known = lexicon.known(_term(word) for word in words)
    repairs = {}
    for word in words:
        if _term(word) not in known and word.lower() not in _STOPS:
            parts = _parts(word, lexicon)
            if parts[1:] and _together(parts, lexicon) and not lexicon.misspelt(_term(word)):
                repairs[word] = " ".join(parts)
    return _WORD.sub(lambda m: repairs.get(m[0], m[0]), text), list(repairs.items())


def join(text: str, lexicon: Lexicon) -> tuple[str, list[Repair]]:
    """``text`` without the blank between two words that passages have as one only."""
    repairs: list[Repair] = []
    found = list(_WORD.finditer(text))
    pairs = [
        (a, b)
        for a, b in pairwise(found)
        if text[a.end() : b.start()] == " "
        and len(a[0] + b[0]) >= _SHORTEST
        and not {a[0].lower(), b[0].lower()} & _STOPS
        and b[0][1:].islower() | (len(b[0]) == 1)
    ]
    known = lexicon.known(_term(a[0] + b[0]) for a, b in pairs)
    out, at = "", 0
    for a, b in pairs:
        pair = text[a.start() : b.end()]
        if a.start() >= at and _term(a[0] + b[0]) in known and not lexicon.occurs(pair):
            repairs.append((pair, a[0] + b[0]))
            out += text[at : a.start()] + a[0] + b[0]
            at = b.end()
    return out + text[at:], repairs


def _parts(word: str, lexicon: Lexicon) -> list[str]:
    """``word`` as the fewest words that passages have or that are stop words; itself without."""
    size = len(word)
    spans = [(i, j) for i in range(size) for j in range(i + 2, size + 1) if (i, j) != (0, size)]
    terms = {
        (i, j): _term(word[i:j])
        for i, j in spans
        if j - i >= _PART and word[i:j].lower() not in _STOPS
    }
    known = lexicon.known(terms.values())
    best: list[tuple[int, int, list[str]] | None] = [(0, 0, []), *[None] * size]
    for i, j in sorted(spans, key=lambda span: span[1]):
        before = best[i]
        if before and (word[i:j].lower() in _STOPS or terms.get((i, j)) in known):
            parts = [*before[2], word[i:j]]
            one = (before[0] + 1, before[1] - (j - i) ** 2, parts)
            best[j] = min(best[j] or one, one)
    last = best[size]
    return last[2] if last else [word]


def _together(parts: list[str], lexicon: Lexicon) -> bool:
    """Whether each two words that tell something stand so in a passage."""
    pairs = [pair for pair in pairwise(parts) if not {p.lower() for p in pair} & _STOPS]
    return all(lexicon.occurs(" ".join(pair)) for pair in pairs)


def _term(word: str) -> str:
    return next(iter(analysis.terms(word.lower(), "en")), "")
