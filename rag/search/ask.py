"""A language model as searching uses one: a question and what it says. Knows no client of one."""

from __future__ import annotations

from collections.abc import Callable

Ask = Callable[[str, str, int], str]
"""Of system message, user message and output tokens, at most, the reply.

Raises ``RagError``: ``LLMUnavailable``, ``LLMTimeout``.
"""
