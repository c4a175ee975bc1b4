"""What servers say, in the words that they say it in."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from rag.answer import dialects
from rag.types import Message

BODY = dialects.chat(
    "m",
    [Message("user", "차?")],
    max_tokens=9,
    temperature=0.0,
    stop=("\n",),
    schema={"type": "object"},
)


@pytest.mark.parametrize(
    "error",
    [
        # llama.cpp, vLLM, SGLang (both places), OpenAI
        '{"error": {"type": "exceed_context_size_error"}}',
        "This model's maximum context length is 8192 tokens. However, you requested 9000",
        "Input length (700001 tokens) exceeds the maximum allowed length (536826 tokens).",
        "The input (12345 tokens) is longer than the model's context length (8192 tokens).",
        '{"error": {"code": "context_length_exceeded"}}',
    ],
)
def test_prompts_that_are_too_long(error: str) -> None:
    assert dialects.too_long(error)


@pytest.mark.parametrize(
    ("error", "field"),
    [
        ("Unsupported parameter: 'max_tokens' ... Use 'max_completion_tokens' instead.",
         "max_tokens"),
        ("Unsupported value: 'temperature' does not support 0 with this model.", "temperature"),
        ('{"error": {"param": "stop", "code": "unsupported_parameter"}}', "stop"),
        ("`temperature` is not supported for this model", "temperature"),
        ("'response_format.type' must be 'text'", "response_format"),
        ("The provided JSON schema contains features not supported by xgrammar.",
         "response_format"),
    ],
)  # fmt: skip
def test_the_field_that_is_refused(error: str, field: str) -> None:
    assert not dialects.too_long(error)
    assert dialects.refused(BODY, error) == field
    left = dialects.without(BODY, {field})
    assert field not in left
    assert left.get("max_completion_tokens") == (9 if field == "max_tokens" else None)


def test_an_error_that_names_no_field_leaves_nothing_to_try() -> None:
    bare = dialects.without(BODY, {"response_format"})
    assert dialects.refused(bare, "the model does not exist") == ""
    assert dialects.refused(bare, "stop") == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("3", 3.0), (" 0.5 ", 0.5), ("soon", None), ("-1", None),
     ("nan", None), ("Fri, 01 Jan 1999 00:00:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert dialects.retry_after(header) == seconds


def test_retry_after_a_date() -> None:
    seconds = dialects.retry_after(formatdate(time.time() + 100, usegmt=True))
    assert seconds is not None
    assert 60 < seconds <= 100
