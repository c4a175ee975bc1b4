"""Blanks in Korean that people left out or put within words. Knows no scores.

Where words begin is read off mecab's tags; which words there are, off the collection. Blanks that
are missing cost the lexical side little, whose bigrams and morphemes do not mind, but the encoder
much; blanks within words cost both (``eval/LOG.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rag.analysis import korean
from rag.search.rewrite.lexicon import Lexicon

_SYLLABLES = "가-힣"
_RUN = re.compile(f"[{_SYLLABLES}]+")
_WORDS = re.compile(rf"(?<![\w.,'’”\])}}])[{_SYLLABLES}]+(?: [{_SYLLABLES}]+)+(?!\w)")
_LONG, _LONGEST = 9, 100
"""Syllables of a run in which blanks are missed; with fewer it may be a compound."""
_MISSED = 2
"""Blanks that a run lacks, at least."""
_WORD_TAGS = ("NNG", "NNP", "VV", "VA", "MAG", "XR")
_BEGINNING = ("VV", "VA", "VX", "VCN", "XR", "XPN", "IC")
_VERBS = ("VV", "VA", "MM", "MAG")
Repair = tuple[str, str]
"""What was written, and what for it."""


def spaced(text: str, lexicon: Lexicon) -> tuple[str, list[Repair]]:
    """``text`` with blanks where long runs lack them and without those within words."""
    repairs: list[Repair] = []

    def noted(before: str, after: str) -> str:
        if before != after:
            repairs.append((before, after))
        return after

    text = _WORDS.sub(lambda m: noted(m[0], _joined(m[0], lexicon)), text)
    text = _RUN.sub(lambda m: noted(m[0], _cut(m[0], lexicon)), text)
    return text, repairs


def _joined(text: str, lexicon: Lexicon) -> str:
    """``text`` without blanks within a word that passages have, one of whose parts is a syllable.

    Such is a word if mecab, shown the words on both sides as one, takes it for one.
    """
    words = text.split(" ")
    covers: dict[int, str] = {}
    for i, (a, b) in enumerate(pairwise(words)):
        if 1 in (len(a), len(b)) and (cover := _over(a, b, lexicon)):
            covers[i] = cover
    known = lexicon.nouns(covers.values())
    out = words[0]
    for i, word in enumerate(words[1:]):
        out += word if covers.get(i) in known else f" {word}"
    return out


def _over(a: str, b: str, lexicon: Lexicon) -> str:
    """The word that begins in ``a`` and ends in ``b`` when there is no blank between."""
    begins = {start for start, *_ in _pieces(a, lexicon)}
    for start, end, tag, _ in _pieces(a + b, lexicon):
        if start < len(a) < end:
            return (a + b)[start:end] if tag in _WORD_TAGS and start in begins else ""
    return ""


def _cut(run: str, lexicon: Lexicon) -> str:
    """``run`` with blanks where a word begins after a particle or an ending, if any does.

    And then between two nouns, too, where no passage has them as one.
    """
    if not _LONG <= len(run) <= _LONGEST or lexicon.occurs(run):
        return run
    pieces = list(_pieces(run, lexicon))
    nouns = lexicon.nouns(run[p[0] : p[1]] for p in pieces if p[2].startswith("N"))
    cuts, compounds = [], []
    for left, right in pairwise(pieces):
        if left[3] == "XPN" or not (right[2][0] in "NM" or right[2] in _BEGINNING):
            continue
        a, b = run[left[0] : left[1]], run[right[0] : right[1]]
        if not (left[3].startswith("N") or left[3] in ("XR", "XSN")) or right[2] in _VERBS:
            cuts.append(right[0])
        elif {a, b} <= nouns and 1 not in (len(a), len(b)) and not lexicon.occurs(a + b):
            compounds.append(right[0])
    if len(cuts) + len(compounds) < _MISSED or not cuts:
        return run
    bounds = [0, *sorted(cuts + compounds), len(run)]
    return " ".join(run[i:j] for i, j in pairwise(bounds))


def _pieces(run: str, lexicon: Lexicon) -> Iterator[tuple[int, int, str, str]]:
    """Of each piece where it starts and ends, and the tags of its first and last part."""
    at = 0
    for surface, first, last in korean.tagged(run, lexicon.analyser.korean):
        yield at, at + len(surface), first, last
        at += len(surface)
