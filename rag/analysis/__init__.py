"""Text to terms, the same way for passages and questions. Knows no index.

Text is cut into runs by script; each run is analysed by its family: bigrams for Hangul, Han and
kana (``cjk``), stemmed words for the rest (``latin``).
"""

from __future__ import annotations

from rag.analysis.analyser import FINGERPRINT, analyse, matcher, terms
from rag.analysis.language import detect
from rag.analysis.sentences import sentences

__all__ = ["FINGERPRINT", "analyse", "detect", "matcher", "sentences", "terms"]
