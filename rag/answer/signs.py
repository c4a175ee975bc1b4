"""What tells whether the best sentences answer a question, as numbers. Knows no weights.

The signs of a question that no passage answers: rare words, names and numbers that the best
sentence and its surroundings lack, words turned round, and little likeness of meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.analysis import terms
from rag.answer import cues
from rag.answer.evidence import Evidence
from rag.answer.extract import Ranked

LEXICAL = ("titled", "near", "passage", "rarest", "terms", "denied", "denied_alone", "turned",
           "undone", "extreme", "names", "numbers", "rank")  # fmt: skip
SIMILAR = ("similarity", "best_similarity", "spread", "margin")
"""Those that need an encoder."""
_TERMS = 12


def signs(
    question: str,
    evidence: Evidence,
    found: Sequence[Ranked],
    weights: Mapping[str, float],
    rarest: float,
    average: float | None,
) -> NDArray[np.float64]:
    """``LEXICAL`` and, if the sentences were compared by meaning, ``SIMILAR``, (n,) float64.

    Parameters
    ----------
    found
        As `rag.answer.extract.ranked`; not empty.
    weights
        The question's terms with their rarity.
    rarest
        The rarity of a term that no passage has.
    average
        The cosine of the question to the average passage, 0 on the scale of similarities; 1 is 1.
    """
    lexical = _lexical(question, evidence, found[0], weights, rarest)
    if average is None or any(one.cosine is None for one in found):
        return lexical
    similar = np.array([(one.cosine - average) / max(1 - average, 1e-9) for one in found])  # type: ignore[operator]
    rest = similar[1:].max(initial=similar.min())
    deviation = (similar[0] - similar.mean()) / (similar.std() + 0.01)
    return np.append(lexical, [similar[0], similar.max(), deviation, similar[0] - rest])


def _lexical(
    question: str,
    evidence: Evidence,
    best: Ranked,
    weights: Mapping[str, float],
    rarest: float,
) -> NDArray[np.float64]:
    sentence = best.sentence
    passage = evidence.passage(sentence.n)
    above = evidence.above(sentence.n)
    whole = above.union(*(s.terms for s in passage))
    at = passage.index(sentence)
    around = " ".join(s.text for s in passage[max(0, at - 1) : at + 2])
    asked = cues.words(question)
    said, said_near = cues.words(sentence.text), cues.words(around)
    denied = cues.denies(question)
    special = [question[start:end] for start, end in cues.names(question)]
    missing = [s for s in special if not whole.issuperset(terms(s, evidence.language))]
    numbers = sum(s[0].isdigit() for s in missing)
    total = sum(weights.values()) or 1.0

    def share(have: frozenset[str]) -> float:
        return sum(weights[t] for t in weights.keys() & have) / total

    def lack(have: frozenset[str]) -> float:
        return max((weights[t] for t in weights.keys() - have), default=0.0) / rarest

    every = " ".join(s.text for s in passage).lower()
    return np.array(
        [
            share(sentence.terms | above),
            share(best.near),
            share(whole),
            lack(sentence.terms | above),
            min(len(weights), _TERMS) / _TERMS,
            denied,
            denied and not cues.denies(sentence.text),
            cues.turned(asked, said),
            cues.undone(asked, said_near),
            sum(not re.search(rf"\b{word}", every) for word in cues.extremes(question)),
            min(len(missing) - numbers, 3),
            min(numbers, 2),
            1 / sentence.n,
        ],
        np.float64,
    )
