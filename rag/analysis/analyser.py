"""Cuts text into runs by script and joins what each family makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from rag.analysis import cjk, latin
from rag.types import Term

FINGERPRINT = "bigram+snowball-english/1"
"""Changes whenever terms would change; a collection stores it and refuses another."""

Family = Callable[[str], Sequence[tuple[str, int, int]]]
"""Terms of a run, each with its start and end."""
_SHORT = 12
"""Longer runs are not remembered: there are too many different ones, of Chinese above all."""

# Combining marks are no word characters to `re`, but "é" may be written as "e" and its accent.
_RUN = re.compile(
    rf"(?P<cjk>[{cjk.CHARACTERS}]+)|(?P<latin>(?:[^\W{cjk.CHARACTERS}][\u0300-\u036f]*)+)"
)


def analyse(text: str) -> list[Term]:
    """The terms of ``text`` in order, each with the characters that it stands for."""
    out: list[Term] = []
    for run in _RUN.finditer(text):
        base = run.start()
        out += [Term(t, base + start, base + end) for t, start, end in _family(run)(run[0])]
    return out


def terms(text: str) -> list[str]:
    """The terms of ``text`` in order, without their places: several times faster."""
    out: list[str] = []
    for east, latin_run in _RUN.findall(text):
        out += _bare(latin.terms, latin_run) if latin_run else _bare(cjk.terms, east)
    return out


def matches(text: str, terms: Collection[str]) -> tuple[tuple[int, int], ...]:
    """Spans of ``text`` that ``terms`` match, joined where they touch or overlap."""
    wanted = frozenset(terms)
    spans: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        family = _family(run)
        if wanted.isdisjoint(_bare(family, run[0])):
            continue
        for term, start, end in family(run[0]):
            if term not in wanted:
                continue
            begin, stop = run.start() + start, run.start() + end
            if spans and begin <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
            else:
                spans.append((begin, stop))
    return tuple(spans)


def _family(run: re.Match[str]) -> Family:
    return cjk.terms if run.lastgroup == "cjk" else latin.terms


def _bare(family: Family, run: str) -> tuple[str, ...]:
    return _remembered(family, run) if len(run) <= _SHORT else _of(family, run)


def _of(family: Family, run: str) -> tuple[str, ...]:
    return tuple([term for term, _, _ in family(run)])


_remembered = lru_cache(maxsize=1 << 16)(_of)
