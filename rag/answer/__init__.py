"""From hits to an answer with citations: context, prompt, language model. Knows no HTTP."""

from __future__ import annotations

from rag.answer.answerer import Answerer

__all__ = ["Answerer"]
