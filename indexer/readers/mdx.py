"""What of an MDX source is prose: all but its imports, exports, tags and comments."""

from __future__ import annotations

import re

_BRACES = r"\{(?>(?:[^{}]++|\{(?>(?:[^{}]++|\{(?>(?:[^{}]++|\{[^{}]*+\})*)\})*)\})*)\}"
# Bounded, so that no opening is looked for to the end of a long text: a fence of 2,000 lines.
_CODE = (
    r"^[ \t]*(?P<fence>`{3,20}|~{3,20}).*\n(?:.*\n){0,2000}?[ \t]*(?P=fence)[`~]*[ \t]*$"
    r"|(?<!`)(?P<tick>`{1,3})(?!`)[^\n]{1,400}?(?<!`)(?P=tick)(?!`)"
)
_IMPORT = r"""^import\s*(?:["'{*]|[\w$]+\s*(?:,|from\b))(?>(?:[ \t]*\S.*\n?)+)"""
_EXPORT = r"^export\s+(?:const|let|var|function|default|class|async|\{|\*)(?>(?:[ \t]*\S.*\n?)+)"
_COMMENT = r"\{/\*(?>(?s:(?!\*/|\{/\*).)*)\*/\}"
_TAG = (
    r"</?(?:[A-Za-z][\w.]*+)?(?>(?:\s++[\w:-]++(?:\s*=\s*(?:\"[^\"]*+\"|'[^']*+'|"
    + _BRACES
    + r"))?|\s*+"
    + _BRACES
    + r")*)\s*+/?>"
)
_PARTS = re.compile(f"(?P<code>{_CODE})|{_IMPORT}|{_EXPORT}|{_COMMENT}|{_TAG}", re.MULTILINE)


def prose(text: str) -> str:
    """``text``, equally long, with blanks for what is not shown; code stays as it is."""
    return _PARTS.sub(lambda m: m[0] if m["code"] else re.sub(r"\S", " ", m[0]), text)
