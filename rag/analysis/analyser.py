"""Cuts text into runs by script and joins what each family makes of them."""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.analysis import cjk, latin
from rag.types import Term

FINGERPRINT = "bigram+snowball-english/1"
"""Changes whenever terms would change; a collection stores it and refuses another."""

# Combining marks are no word characters to `re`, but "é" may be written as "e" and its accent.
_RUN = re.compile(
    rf"(?P<cjk>[{cjk.CHARACTERS}]+)|(?P<latin>(?:[^\W{cjk.CHARACTERS}][\u0300-\u036f]*)+)"
)


def analyse(text: str) -> list[Term]:
    """The terms of ``text`` in order, each with the characters that it stands for."""
    out: list[Term] = []
    for run in _RUN.finditer(text):
        family = cjk if run.lastgroup == "cjk" else latin
        base = run.start()
        out += [Term(t, base + start, base + end) for t, start, end in family.terms(run[0])]
    return out


def matches(text: str, terms: Collection[str]) -> tuple[tuple[int, int], ...]:
    """Spans of ``text`` that ``terms`` match, joined where they touch or overlap."""
    wanted = frozenset(terms)
    spans: list[tuple[int, int]] = []
    for term in analyse(text):
        if term.text not in wanted:
            continue
        if spans and term.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], term.end))
        else:
            spans.append((term.start, term.end))
    return tuple(spans)
