"""Whether the passages that a sentence of an answer cites bear it out.

By the words that they share, each with its rarity where that is known; by numbers, exactly; by
names, denials and opposites; and by likeness of meaning where no words can be shared, as across
languages. A judge, if there is one, has the say on all but numbers. Knows no synonyms, and tells
who did what to whom only by the sentence in which the names stand.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.analysis import sentences, terms
from rag.answer import cues
from rag.answer.evidence import Evidence, Sentence
from rag.answer.quantities import quantities
from rag.answer.tongue import script
from rag.errors import BadQuery, LLMTimeout, LLMUnavailable
from rag.types import Hit, Statement, Support

Judge = Callable[[str, str], float | None]
"""How likely a premise entails a claim, 0 to 1; ``None`` where it cannot say."""
Rarity = Callable[[Sequence[str]], Mapping[str, float]]
"""How rare each term is."""
SUPPORTED, PARTLY = 0.6, 0.3
"""A sentence is supported, and partly so, from these scores on."""
_NEAR, _WHOLE = 0.85, 0.6
"""What the share of terms counts that only neighbouring sentences, or the passages, hold."""
_NAME, _OTHER = 0.5, 0.2
"""A score is at most so high where a name, or a number or denial, does not agree."""
_ALIKE, _SAME = 0.78, 0.84
"""Cosines, with the default encoder: of two sentences on one matter, and of translations."""
_SURROUNDINGS = 1
_MARKER = re.compile(r"\[(\d+)\]")
_MARKERS = re.compile(r"(?:\s*\[\d+\])+")
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*|\Z)", re.DOTALL | re.MULTILINE)
_ENDED = re.compile(r"[.!?。！？…][\"'”’)\]」』]*(?:\s*\[\d+\])+")
_CAPITAL = re.compile(r"(?<![\w.])[A-Z][\w’'-]*\w")
_TOPIC = re.compile(
    r"(?<![가-힣])([가-힣]{2,}?)(?:은|는|이|가|이다|이며|이고|이었다|였다|입니다|이에요|예요)(?![가-힣])"
)
"""What a Korean clause speaks of, or says that this is."""
_DIGITS = re.compile(r"\d[\d,.]*")
_CLAUSE = re.compile(r"[,;:()—]|(?<=며)\s|(?<=지만)\s")


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks answers.

    Attributes
    ----------
    rarity
        Weighs terms; all alike without it.
    judge
        An entailment model, or a language model.
    """

    rarity: Rarity | None = None
    judge: Judge | None = None

    def check(
        self, text: str, hits: Sequence[Hit], evidence: Evidence, until: float = math.inf
    ) -> tuple[Statement, ...]:
        """The statements of ``text``, whose ``[n]`` number ``hits``, each with its support.

        One that cites nothing, or a passage that does not exist, is unsupported. Blocks of code
        are no statements.

        Parameters
        ----------
        evidence
            That of ``hits``.
        until
            The `time.monotonic` after which no judge is asked; nor is one that has failed.
        """
        found = []
        by = self
        for start, end, cites in _statements(text):
            score = 0.0
            if cites and all(1 <= n <= len(hits) for n in cites):
                claim = _MARKERS.sub("", text[start:end])
                if time.monotonic() >= until:
                    by = replace(by, judge=None)
                try:
                    score = by._score(claim, cites, hits, evidence)
                except (BadQuery, LLMTimeout, LLMUnavailable):
                    by = replace(by, judge=None)
                    score = by._score(claim, cites, hits, evidence)
                score = min(max(score, 0.0), 1.0)
            found.append(Statement(start, end, cites, _support(score), round(score, 3)))
        return tuple(found)

    def _score(
        self, claim: str, cites: Sequence[int], hits: Sequence[Hit], evidence: Evidence
    ) -> float:
        premise = "\n".join(hits[n - 1].chunk.context for n in cites)
        among = [s for n in cites for s in evidence.passage(n)]
        if not among:
            return 0.0
        asked = frozenset(terms(_DIGITS.sub(" ", claim), evidence.language))
        weights = self.rarity([*asked]) if self.rarity else dict.fromkeys(asked, 1.0)
        total = sum(weights.values()) or 1.0

        def share(have: frozenset[str]) -> float:
            return sum(weights[t] for t in asked & have) / total

        best = max(among, key=lambda s: share(s.terms))
        around = _around(best, evidence)
        above = evidence.above(best.n)
        near = above.union(*(s.terms for s in around))
        whole = near.union(*(s.terms for s in among))
        shared = max(share(best.terms | above), _NEAR * share(near), _WHOLE * share(whole))
        foreign = script(claim) != script(best.text)
        score = shared if not foreign else 0.0
        if foreign or score < SUPPORTED:
            best, like = _likest(claim, among, best, evidence)
            score = max(score, like if foreign else min(like, (SUPPORTED + PARTLY) / 2))
        if self.judge:
            judged = self.judge(" ".join(s.text for s in _around(best, evidence)), claim)
            score = score if judged is None else judged
        elif not foreign:
            score = min(score, _agreement(claim, best, around, premise))
        return min(score, _numbers(claim, best, premise))


def _statements(text: str) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Where each sentence of an answer is, with the passages named in it or right after it."""
    text = _FENCED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    cuts = [0, *(found.end() for found in _ENDED.finditer(text)), len(text)]
    for begin, stop in pairwise(cuts):
        plain = _MARKERS.sub(lambda found: " " * len(found[0]), text[begin:stop])
        spans = [(begin + a, begin + b) for a, b in sentences(plain)]
        for i, (start, end) in enumerate(spans):
            until = spans[i + 1][0] if i + 1 < len(spans) else stop
            if terms(text[start:end]) or re.search(r"\w", _MARKERS.sub("", text[start:end])):
                cites = dict.fromkeys(int(n) for n in _MARKER.findall(text[start:until]))
                yield start, end, tuple(cites)


def _agreement(claim: str, best: Sentence, around: Sequence[Sentence], premise: str) -> float:
    """At most so high a score do names, denials and opposites allow."""
    words = cues.words(claim)
    clauses = [best.text, *_CLAUSE.split(best.text)]
    clause = max(clauses, key=lambda c: (len(words & cues.words(c)), -len(c)))
    if cues.denies(claim) != cues.denies(clause) or cues.turned(words, cues.words(clause)):
        return _OTHER
    surroundings = " ".join(s.text for s in around)
    for pattern in (_CAPITAL, _TOPIC):
        said, known = set(pattern.findall(claim)), set(pattern.findall(best.text))
        if any(name.lower() not in premise.lower() for name in said if pattern is _CAPITAL):
            return _NAME
        lacking = {name for name in said if name not in best.text}
        others = {name for name in known if name not in claim}
        if lacking and others and (pattern is _CAPITAL or not lacking <= {*surroundings.split()}):
            return _NAME
    return 1.0


def _numbers(claim: str, best: Sentence, premise: str) -> float:
    """At most so high a score do numbers allow."""
    said = quantities(claim)
    known, held = quantities(premise), quantities(best.text)
    if any(not any(a.same(b) for b in known) for a in said):
        return _OTHER
    lacking = [a for a in said if not any(a.same(b) for b in held)]
    others = [b for b in held if not any(a.same(b) for a in said)]
    rivals = any(a.unit == b.unit for a in lacking for b in others)
    return _OTHER if rivals else 1.0


def _likest(
    claim: str, among: Sequence[Sentence], best: Sentence, evidence: Evidence
) -> tuple[Sentence, float]:
    """The sentence nearest in meaning, and how near, 0 to 1; ``best`` without an encoder."""
    cosines = evidence.cosines(claim, among)
    if cosines is None:
        return best, 0.0
    at = int(cosines.argmax())
    like = SUPPORTED * (float(cosines[at]) - _ALIKE) / (_SAME - _ALIKE)
    return among[at], min(max(like, 0.0), 1.0)


def _around(best: Sentence, evidence: Evidence) -> list[Sentence]:
    passage = evidence.passage(best.n)
    at = passage.index(best)
    return passage[max(0, at - _SURROUNDINGS) : at + _SURROUNDINGS + 1]


def _support(score: float) -> Support:
    return "supported" if score >= SUPPORTED else "partly" if score >= PARTLY else "unsupported"
