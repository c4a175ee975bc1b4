"""Answers made of the documents' own sentences: which of them answer a question best.

Needs no language model; an encoder helps. Whether they answer it at all is for `confidence`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag.answer.evidence import Evidence, Sentence

SOURCES = 5
"""Passages that are looked through."""
_ENCODED = 12
"""Sentences that are compared by meaning; with 32 no more answers were found on SQuAD and KorQuAD,
in two to three times the time."""
_NEAR, _RANK = 0.3, 0.3
_GOOD = 0.8
"""A second sentence must come so near to the first."""
_ASKING = 0.5
_QUESTION = re.compile(r"[?？][\"'”’)\]]*$")
_FOOTNOTE = re.compile(r"\[([\d,\s]+)\]")
"""What would look like a marker of ours."""


class Ranked(NamedTuple):
    """A sentence and how well it answers a question.

    ``terms`` are its own, ``near`` also its neighbours' and those of the titles above it;
    ``cosine`` is ``None`` where it was not compared by meaning.
    """

    sentence: Sentence
    score: float
    near: frozenset[str]
    cosine: float | None


def ranked(question: str, evidence: Evidence, weights: Mapping[str, float]) -> list[Ranked]:
    """Sentences of ``evidence``, the best answer to ``question`` first.

    The share of the question's terms, each with its weight, that a sentence has with the titles
    above it; similarity of meaning, scaled to 0 to 1 over the sentences; and a little for its
    neighbours' terms and the rank of its passage. A sentence that asks is seldom an answer.

    Parameters
    ----------
    weights
        The question's terms in the language of ``evidence``, with their rarity.
    """
    total = sum(weights.values()) or 1.0

    def share(terms: frozenset[str]) -> float:
        return sum(weights[t] for t in weights.keys() & terms) / total

    found = []
    for n in dict.fromkeys(s.n for s in evidence.sentences):
        sentences, above = evidence.passage(n), evidence.above(n)
        for i, sentence in enumerate(sentences):
            around = sentences[max(0, i - 1) : i + 2]
            near = above.union(*(s.terms for s in around))
            score = share(sentence.terms | above) + _NEAR * share(near) + _RANK / n
            score -= _ASKING * bool(_QUESTION.search(sentence.text))
            found.append(Ranked(sentence, score, near, None))
    found.sort(key=_order)
    pool = found[:_ENCODED]
    cosines = evidence.cosines(question, [one.sentence for one in pool])
    if cosines is None:
        return found
    scaled = (cosines - cosines.min()) / (float(np.ptp(cosines)) or 1.0)
    better = [
        one._replace(score=one.score + float(like), cosine=float(cosine))
        for one, like, cosine in zip(pool, scaled, cosines, strict=True)
    ]
    return sorted(better, key=_order)


def chosen(found: Sequence[Ranked]) -> tuple[Sentence, ...]:
    """The best sentence, and the next that says something else where it comes near.

    One alone has F1 higher by 0.02 and holds the answer in 6 of 100 questions less (SQuAD and
    KorQuAD, ``eval/LOG.md``).
    """
    said: dict[str, Ranked] = {}
    for one in found:
        said.setdefault(" ".join(one.sentence.text.split()), one)
    best = list(said.values())[:2]
    return tuple(one.sentence for one in best if one.score >= _GOOD * best[0].score)


def quoted(quotes: Sequence[Sentence]) -> str:
    """The answer that ``quotes`` make, each with its marker."""
    plain = [_FOOTNOTE.sub(r"(\1)", " ".join(q.text.split())) for q in quotes]
    return " ".join(f"{said} [{q.n}]" for said, q in zip(plain, quotes, strict=True))


def _order(one: Ranked) -> tuple[float, int, int]:
    return -one.score, one.sentence.n, one.sentence.start
