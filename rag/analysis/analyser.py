"""Cuts text into runs by script and joins what each family makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

from rag.analysis import cjk, latin
from rag.types import Term

FINGERPRINT = "bigram+snowball-english/1"
"""Changes whenever terms would change; a collection stores it and refuses another."""

Family = Callable[[str], Sequence[tuple[str, int, int]]]
"""Terms of a run, each with its start and end."""
_LONGEST: dict[Family, int] = {latin.terms: 32, cjk.terms: 12}
"""Longer runs are not remembered: there are too many different ones, of Chinese above all."""

# Combining marks are no word characters to `re`, but "é" may be written as "e" and its accent.
_RUN = re.compile(
    rf"(?P<latin>(?:[A-Za-z0-9_]++[\u0300-\u036f]*+|[^\W{cjk.CHARACTERS}][\u0300-\u036f]*+)++)"
    rf"|(?P<cjk>[{cjk.CHARACTERS}]++)"
)
_ASCII = re.compile("(?P<latin>[A-Za-z0-9_]++)")


def analyse(text: str) -> list[Term]:
    """The terms of ``text`` in order, each with the characters that it stands for."""
    out: list[Term] = []
    for run in _runs(text):
        base = run.start()
        out += [Term(t, base + start, base + end) for t, start, end in _family(run)(run[0])]
    return out


def terms(text: str) -> list[str]:
    """The terms of ``text`` in order, without their places: several times faster."""
    out: list[str] = []
    if text.isascii():
        for word in _ASCII.findall(text):
            out += _bare(latin.terms, word)
    else:
        for word, east in _RUN.findall(text):
            out += _bare(latin.terms, word) if word else _bare(cjk.terms, east)
    return out


def positions(text: str) -> list[tuple[str, int]]:
    """The terms of ``text`` in order, each with its place among the words, stop words included.

    A name's parts stand where it does; bigrams stand one after another.
    """
    out: list[tuple[str, int]] = []
    at = 0
    for run in _runs(text):
        family = _family(run)
        found = _bare(family, run[0])
        if family is cjk.terms:
            out += zip(found, range(at, at + len(found)), strict=True)
            at += len(found)
        else:
            out += [(term, at) for term in found]
            at += 1
    return out


Spans = tuple[tuple[int, int], ...]


def matcher(terms: Collection[str]) -> Callable[[str], Spans]:
    """Finds the spans of a text that ``terms`` match, joined where they touch or overlap."""
    wanted = frozenset(terms)
    places: dict[str, Sequence[tuple[int, int]]] = {}  # of the wanted terms within a run

    def spans(text: str) -> Spans:
        found: list[tuple[int, int]] = []
        for run in _runs(text):
            word = run[0]
            if (within := places.get(word)) is None:
                family = _family(run)
                within = [] if wanted.isdisjoint(_bare(family, word)) else [
                    (start, end) for term, start, end in family(word) if term in wanted
                ]  # fmt: skip
                places[word] = within
            for start, end in within:
                begin, stop = run.start() + start, run.start() + end
                if found and begin <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], stop))
                else:
                    found.append((begin, stop))
        return tuple(found)

    return spans


def _runs(text: str) -> Iterator[re.Match[str]]:
    return (_ASCII if text.isascii() else _RUN).finditer(text)


def _family(run: re.Match[str]) -> Family:
    return cjk.terms if run.lastgroup == "cjk" else latin.terms


def _bare(family: Family, run: str) -> tuple[str, ...]:
    return _remembered(family, run) if len(run) <= _LONGEST[family] else _of(family, run)


def _of(family: Family, run: str) -> tuple[str, ...]:
    return tuple([term for term, _, _ in family(run)])


_remembered = lru_cache(maxsize=1 << 16)(_of)
