"""Text of others as a prompt may hold it: data that can pass for nothing else. Knows no prompt.

What is shown to a model is changed, never what is stored, searched or quoted.
"""

from __future__ import annotations

import re
import secrets

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Zero-width and bidirectional controls, variation tags, and other characters that nobody sees."""
_CONTROL = re.compile(
    r"<(?=[|｜]|/?s>|/?(?:start|end)_of_turn>|/?(?:think|tool_call|tool_response)>|[be]os>|/?INST>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\])"
    r"|<(?=<SYS>>|</SYS>>)"
)
"""The first character of what chat templates take for a change of speaker."""


def harmless(text: str) -> str:
    """``text`` without invisible characters, and with a blank within each token of a template."""
    return _CONTROL.sub(r"\g<0> ", _INVISIBLE.sub("", text))


def fence() -> str:
    """A mark that no text written before can hold."""
    return secrets.token_hex(6)
