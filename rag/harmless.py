"""Text of others as a prompt may hold it: data that can pass for nothing else. Knows no prompt.

What is shown to a model is changed, never what is stored, searched or quoted.
"""

from __future__ import annotations

import re
import secrets

_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e01ef]"
)
"""Zero-width and bidirectional controls, variation selectors and tags, and others nobody sees."""
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


def fenced(passages: str, mark: str) -> str:
    """``passages``, harmless already, as prompts hold them: between marks made by `fence`."""
    return f"<passages {mark}>\n{passages}\n</passages {mark}>"
