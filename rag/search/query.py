"""The query language, Lucene's in small: text to free terms and clauses. Knows no index.

``"exact phrase"``, ``+required``, ``-excluded``, ``prefix*``; ``+`` and ``-`` before phrases and
prefixes, too. All else is plain text, so that no natural question is hurt by its punctuation: a
sign, a phrase and a prefix begin where a word does, and a sign stands directly before a letter, a
digit or a phrase. "C++", "e-mail", "- item" and a quote without its other half are plain, and so
are options of one letter and numbers below zero: "docker run -d", "-40 degrees".
"""

from __future__ import annotations

import re
import unicodedata

from rag import analysis
from rag.analysis import cjk
from rag.errors import BadQuery
from rag.index.clauses import Clause, Occur, Query

_MARKS = "\u0300-\u036f\u3099\u309a"
_QUOTES = '"“”„‟«»＂'
_CLAUSE = re.compile(
    r"(?<!\S)(?P<sign>[+-]?)(?:"
    rf"[{_QUOTES}](?P<phrase>[^{_QUOTES}]+)[{_QUOTES}]"
    rf"|(?P<prefix>[^\W_][\w{_MARKS}]++)\*(?![\w*])"
    r"|(?<=[+-])(?P<word>[^\W_]\S*))"
)
_OPTION = re.compile(rf"(?:[^{cjk.CHARACTERS}][{_MARKS}]*|\d[\d.,]*\W*\w?)[^\w{_MARKS}]*")
"""What a minus before does not exclude."""
_EAST = re.compile(f"[{cjk.CHARACTERS}]")
_OCCUR: dict[str, Occur] = {"": "should", "+": "must", "-": "must_not"}
_MOST = 50
"""Clauses, at most: each may look through all terms or all places of one."""
_SHORTEST = 2
"""Characters of a prefix, at least."""


def parse(text: str) -> Query:
    """The query that ``text`` stands for.

    What a clause would add nothing to stays free: stop words, and a quoted single term.

    Raises
    ------
    BadQuery
        It only excludes, or has more than ``_MOST`` clauses.
    """
    clauses: list[Clause] = []
    free: list[str] = []
    said: list[str] = []
    end = 0
    for found in _CLAUSE.finditer(text):
        if clause := _clause(found):
            clauses.append(clause)
            free.append(text[end : found.start()])
            said.append(free[-1])
            if clause.occur != "must_not":
                said.append(found[0].lstrip("+").rstrip("*"))
            end = found.end()
    free.append(text[end:])
    said.append(free[-1])
    terms = tuple(analysis.terms(" ".join(free)))
    if len(clauses) > _MOST:
        raise BadQuery(
            f"the question has {len(clauses)} phrases, signs and prefixes, the limit is {_MOST}",
            remedy='Leave out quotes, "+", "-" and "*" before and after words',
        )
    if clauses and not terms and all(clause.occur == "must_not" for clause in clauses):
        raise BadQuery(
            "the question only says what not to find",
            remedy="Say what to find, too, as in: search -engine",
        )
    return Query(terms, tuple(clauses), "".join(said))


def _clause(found: re.Match[str]) -> Clause | None:
    occur = _OCCUR[found["sign"]]
    if occur == "must_not" and _OPTION.fullmatch(found["word"] or ""):
        return None
    word = found["prefix"]
    if word and not _EAST.search(word):
        folded = unicodedata.normalize("NFKC", word).casefold()
        if len(folded) >= _SHORTEST:
            return Clause("prefix", occur, _placed(word)[:1], folded)
    placed = _placed(found["phrase"] or word or found["word"])
    if not placed or (len(placed) == 1 and occur == "should"):
        return None
    return Clause("phrase" if len(placed) > 1 else "term", occur, placed)


def _placed(text: str) -> tuple[tuple[str, int], ...]:
    """The terms of ``text`` with their positions, from 0; of a name the whole, not its parts."""
    first: dict[int, str] = {}
    for term, position in analysis.positions(text):
        first.setdefault(position, term)
    return tuple((term, position - min(first)) for position, term in first.items())
