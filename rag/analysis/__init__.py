"""Text to terms, the same way for passages and questions. Knows no index.

Text is cut into runs by script; each run is analysed by its family: bigrams for Hangul, Han and
kana (``cjk``), with morphemes of Korean beside them (``korean``), stemmed words for the rest
(``latin``). An ``Analyser`` is what a collection is indexed and searched with; to compare texts
with each other, ``terms`` are enough, which need no dictionary.
"""

from __future__ import annotations

from rag.analysis.analyser import (
    Analyser,
    is_morpheme,
    language_term,
    load_analyser,
    shown,
    terms,
)
from rag.analysis.language import detect
from rag.analysis.question import asked_in
from rag.analysis.sentences import sentences

__all__ = [
    "Analyser",
    "asked_in",
    "detect",
    "is_morpheme",
    "language_term",
    "load_analyser",
    "sentences",
    "shown",
    "terms",
]
