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
from collections.abc import Collection, Iterator
from itertools import islice, product

from rag.analysis import Analyser, cjk, is_morpheme, runs
from rag.errors import BadQuery
from rag.index.clauses import Clause, Occur, Query

_MARKS = f"{runs.MARKS}\u3099\u309a\uff9e\uff9f"
_QUOTES = '"“”„‟«»＂'
_CLAUSE = re.compile(
    r"(?<!\S)(?P<sign>[+-]?)(?:"
    rf"[{_QUOTES}](?P<phrase>[^{_QUOTES}]+)[{_QUOTES}]"
    rf"|(?P<prefix>[^\W_][\w{_MARKS}]++)\*(?![\w*])"
    r"|(?<=[+-])(?P<word>[^\W_]\S*))"
)
Placed = tuple[tuple[str, int], ...]
_OPTION = re.compile(rf"(?:[^{cjk.CHARACTERS}][{_MARKS}]*|\d[\d.,]*\W*\w?)[^\w{_MARKS}]*")
"""What a minus before does not exclude."""
_EAST = re.compile(f"[{cjk.CHARACTERS}]")
_NUMBERED = re.compile(r"(?<=[^\W\d_])[ -](?=\d)")
"""Between a word and its number, which some write as one: top 10, top-10."""
_OCCUR: dict[str, Occur] = {"": "should", "+": "must", "-": "must_not"}
_MOST = 50
"""Clauses, at most: each may look through all terms or all places of one."""
_SHORTEST = 2
"""Characters of a prefix, at least."""


def parse(
    text: str,
    analyser: Analyser,
    languages: Collection[str] = (),
    morpheme_weight: float = 0.5,
) -> Query:
    """The query that ``text`` stands for.

    What a clause would add nothing to stays free: stop words, and a quoted single term. A question
    of stop words alone asks for them as they are, of passages in whose language they are none.

    Parameters
    ----------
    languages
        Those of the passages, whose words have other stems than English ones.
    morpheme_weight
        What a morpheme weighs, as against the bigrams of its run, which have the rest of 1.

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
        if clause := _clause(found, analyser, languages):
            clauses.append(clause)
            free.append(text[end : found.start()])
            said.append(free[-1])
            if clause.occur != "must_not":
                said.append(found[0].lstrip("+").rstrip("*"))
            end = found.end()
    free.append(text[end:])
    said.append(free[-1])
    terms, choices = analyser.asked(" ".join(free), languages)
    if len(clauses) > _MOST:
        raise BadQuery(
            f"the question has {len(clauses)} phrases, signs and prefixes, the limit is {_MOST}",
            remedy='Leave out quotes, "+", "-" and "*" before and after words',
        )
    if clauses and not (terms or choices) and all(clause.occur == "must_not" for clause in clauses):
        raise BadQuery(
            "the question only says what not to find",
            remedy="Say what to find, too, as in: search -engine",
        )
    if not (terms or choices or clauses):
        clauses = list(_common(text, analyser, languages))
    weighed = {term: analyser.weight(term, morpheme_weight) for term in terms}
    weights = {term: weight for term, weight in weighed.items() if weight != 1}
    return Query(tuple(terms), tuple(clauses), "".join(said), tuple(choices), weights)


def _clause(found: re.Match[str], analyser: Analyser, languages: Collection[str]) -> Clause | None:
    occur = _OCCUR[found["sign"]]
    if occur == "must_not" and _OPTION.fullmatch(found["word"] or ""):
        return None
    word = found["prefix"]
    if word and not _EAST.search(word):
        folded = unicodedata.normalize("NFKC", word).casefold()
        if len(folded) >= _SHORTEST:
            stem, *others = [r[:1] for r in _readings(word, analyser, languages)] or [()]
            return Clause("prefix", occur, stem, folded, tuple(others))
    readings = _readings(found["phrase"] or word or found["word"], analyser, languages)
    if not readings:
        return None
    longest = max(map(len, readings))
    if longest == 1 and occur == "should":
        return None
    return Clause("phrase" if longest > 1 else "term", occur, readings[0], "", tuple(readings[1:]))


def _common(text: str, analyser: Analyser, languages: Collection[str]) -> Iterator[Clause]:
    """Stop words, as terms to which none is similar enough to stand for them."""
    for run in islice(runs.runs(text), _MOST):
        if readings := _readings(run[0], analyser, languages):
            yield Clause("term", "should", readings[0], "", tuple(readings[1:]))


def _readings(text: str, analyser: Analyser, languages: Collection[str]) -> list[Placed]:
    """What ``text`` may stand for in passages in English and in ``languages``, each once."""
    written = dict.fromkeys((text, _NUMBERED.sub("-", text), _NUMBERED.sub(" ", text)))
    every = product(written, ("en", *languages))
    found = (placed(one, analyser, language) for one, language in every)
    return [reading for reading in dict.fromkeys(found) if reading]


def placed(text: str, analyser: Analyser, language: str) -> Placed:
    """The terms of ``text`` with their positions, from 0; of a name the whole, not its parts.

    Of Korean the bigrams; but a word of one syllable has none, and is its morpheme.
    """
    found = analyser.positions(text, language)
    first: dict[int, str] = {}
    for term, position in found:
        if not is_morpheme(term):
            first.setdefault(position, term)
    if list(map(len, first.values())) == [1] and is_morpheme(found[0][0]):
        return ((found[0][0], 0),)
    return tuple((term, position - min(first)) for position, term in first.items())
