"""What OpenAI-compatible servers want said differently. Knows the bodies, not how they travel.

A body is first written as vLLM, llama.cpp, Ollama, SGLang and LM Studio all take it. What a
server refuses by name (``max_tokens``, ``temperature`` and ``stop`` by newer hosted models, a
schema by servers without guided decoding) is then taken out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from rag.types import Message

_TOO_LONG = re.compile(
    r"exceed_context|context_length_exceeded|maximum (?:context|model|allowed) len"
    r"|longer than the model's context",
    re.I,
)
_OPTIONAL = ("temperature", "stop")


def chat(
    model: str,
    messages: Sequence[Message],
    *,
    max_tokens: int,
    temperature: float,
    stop: Sequence[str],
    schema: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The body of a streamed chat completion."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "stream": True,
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    if stop:
        body["stop"] = list(stop)
    if schema is not None:
        form = {"name": "reply", "schema": dict(schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def refused(body: Mapping[str, Any], error: str) -> str:
    """The field of ``body`` that a server could not take, as far as its error tells; or none."""
    if "max_tokens" in body and "max_completion_tokens" in error:
        return "max_tokens"
    for name in _OPTIONAL:
        if name in body and re.search(rf"""["'`]{name}["'`\\]""", error):
            return name
    # What a server says of a schema that it cannot guide by has no common word.
    return "response_format" if "response_format" in body else ""


def without(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """``body`` without the fields ``names``; the limit of tokens goes by its newer name then."""
    kept = {name: value for name, value in body.items() if name not in names}
    if "max_tokens" in body and "max_tokens" not in kept:
        kept["max_completion_tokens"] = body["max_tokens"]
    return kept


def too_long(error: str) -> bool:
    """Whether ``error`` says that the prompt does not fit the model's window."""
    return bool(_TOO_LONG.search(error))


def retry_after(header: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait for, never below 0; none without one."""
    if not header:
        return None
    try:
        if re.fullmatch(r"\s*\d+(?:\.\d+)?\s*", header, re.ASCII):
            return float(header)
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
