"""Which of a collection's languages a question is in. Knows no terms and no index."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from rag.analysis.language import detect
from rag.analysis.stopwords import STOP_WORDS

_WORD = re.compile(r"[^\W\d_]+")


def asked_in(text: str, languages: Collection[str]) -> str:
    """Which of ``languages`` a question is in; none of them is ``en``.

    One with English stop words and none of the others' is English; the model, which takes longer
    than the analysis, is asked of the rest.
    """
    if not languages:
        return "en"
    words = _WORD.findall(text.lower())
    if _foreign(frozenset(languages)).isdisjoint(words) and not STOP_WORDS["en"].isdisjoint(words):
        return "en"
    return own if (own := detect(text)) in languages else "en"


@lru_cache(maxsize=64)
def _foreign(languages: frozenset[str]) -> frozenset[str]:
    """Stop words of ``languages`` that are no English ones."""
    words = frozenset[str]().union(*(STOP_WORDS.get(code, ()) for code in languages))
    return words - STOP_WORDS["en"]
