"""The languages that a question is looked up in. Knows no scores."""

from __future__ import annotations

import math

from rag.analysis import asked_in, language_term
from rag.analysis.latin import STEMMERS
from rag.index import Collection

_MARKS = {language_term(code): code for code in STEMMERS if code != "en"}
NOWHERE = "\0"
"""No passage's term; what any has weighs less."""
_ASKED = (*_MARKS, NOWHERE)
_RARE = math.log(5000)
"""BM25's weight of what 1 in 5,000 passages has."""


def spoken(collection: Collection, question: str) -> list[str]:
    """Languages of the passages whose words have other stems than English ones.

    Of rare ones the question's own alone: most such passages only seem to be in another language,
    as lists of names do, and looking their stems up takes longer (``eval/LOG.md``).
    """
    weights = collection.idf(_ASKED)
    there = {code: w for mark, code in _MARKS.items() if (w := weights[mark]) < weights[NOWHERE]}
    common = [code for code, weight in there.items() if weight < _RARE]
    if len(common) < len(there) and (own := asked_in(question, there)) != "en":
        return list(dict.fromkeys((*common, own)))
    return common
