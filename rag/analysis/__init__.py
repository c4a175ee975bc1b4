"""Text to terms, the same way for passages and questions. Knows no index.

Text is cut into runs by script; each run is analysed by its family: bigrams for Hangul, Han and
kana (``cjk``), stemmed words for the rest (``latin``). ``rag.analysis.batch`` does many texts at
once for an index; it loads numba, so it is imported by name.
"""

from __future__ import annotations

from rag.analysis.analyser import FINGERPRINT, analyse, matcher, positions, terms
from rag.analysis.language import detect
from rag.analysis.sentences import sentences

__all__ = ["FINGERPRINT", "analyse", "detect", "matcher", "positions", "sentences", "terms"]
