"""Filters as SQL conditions over the catalogue's documents. Knows no passages."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from rag.errors import BadQuery
from rag.types import Filter

_COLUMNS = ("title", "language")
_HAS = """EXISTS (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND EXISTS (
          SELECT 1 FROM json_each(?) v WHERE instr(', ' || m.value || ', ', ', ' || v.value || ', ')
          ))"""
"""A field has a value if it is it, or lists it: "green, tea"."""


def plain(value: str) -> str:
    """``value`` without NUL, at which SQLite's JSON ends a text: "staff" NUL "x" is "staff"."""
    return value.replace("\0", "\ufffd")


def where(
    filter: Filter | None,  # noqa: A002 - the field's word
    *,
    dead: bool = False,
) -> tuple[str, list[Any]]:
    """SQL condition over live ``documents d``, or also ``dead`` ones, and its parameters.

    Raises
    ------
    BadQuery
        A field without values.
    """
    parts, parameters = ["TRUE" if dead else "d.died_in IS NULL"], list[Any]()
    for field, values in (filter.fields if filter else {}).items():
        if not values:
            raise BadQuery(f"filter field '{field}' has no values")
        among = "IN (SELECT value FROM json_each(?))"
        if field == "document":
            parts.append("d.id IN (SELECT digest(value) FROM json_each(?))")
        elif field in _COLUMNS:
            parts.append(f"d.{field} {among}")
        else:
            parts.append(_HAS)
            parameters.append(plain(field))
        parameters.append(json.dumps(list(map(plain, values))))
    if filter and filter.path is not None:
        parts.append("glob_path(?, d.path)")
        parameters.append(filter.path)
    if filter and filter.groups is not None:
        parts.append(
            "(d.groups = '[]' OR EXISTS (SELECT 1 FROM json_each(d.groups) "
            "WHERE value IN (SELECT value FROM json_each(?))))"
        )
        parameters.append(json.dumps(list(map(plain, filter.groups))))
    return " AND ".join(parts), parameters


def glob(pattern: str, path: str) -> bool:
    """Whether ``path`` meets ``pattern``."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` as a regular expression: ``**`` crosses ``/``, ``*`` and ``?`` do not.

    What stands between two ``**``, or two ``*``, may stop at its first match (an atomic group),
    so no pattern takes longer than the square of the path's length.
    """
    first, *rest = re.split(r"((?:(?<=/)|^)\*\*/|\*\*)", pattern)
    out = _between(first, last=not rest)
    for i in range(0, len(rest), 2):
        last = i + 2 == len(rest)
        gap = ".*?" if rest[i] == "**" else "(?:.*?/)??"
        piece = gap + _between(rest[i + 1], last=last)
        out += piece if last else f"(?>{piece})"
    return re.compile(out, re.DOTALL)


def _between(text: str, *, last: bool) -> str:
    first, *rest = (
        "".join("[^/]" if c == "?" else re.escape(c) for c in s) for s in text.split("*")
    )
    pieces = [f"[^/]*?{piece}" for piece in rest]
    end = pieces.pop() if last and pieces else ""  # must reach the end of the path, so may go on
    return first + "".join(f"(?>{piece})" for piece in pieces) + end
