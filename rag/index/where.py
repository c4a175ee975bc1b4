"""Filters as SQL conditions over the catalogue's documents. Knows no passages.

What a filter names and asks for is bound, never written into the SQL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from rag import conditions
from rag.conditions import All, Among, Compare, Condition, Exists, Not
from rag.errors import BadQuery
from rag.types import Filter

Sql = tuple[str, list[Any]]
"""A condition, and the parameters that it binds, in order."""
_COLUMNS = ("title", "language")
_PLACES = ("path", "document")
_GIVEN = "(SELECT value FROM json_each(?))"
_HAS = """EXISTS (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND EXISTS (
          SELECT 1 FROM json_each(?) v WHERE instr(', ' || m.value || ', ', ', ' || v.value || ', ')
          ))"""
"""A field has a value if it is it, or lists it: "green, tea"."""
_LISTED = """EXISTS (SELECT 1 FROM json_each(d.metadata) m,
             json_each('[' || replace(json_quote(m.value), ', ', '","') || ']') p
             WHERE m.key = ? AND {test})"""
_COLUMN = "EXISTS (SELECT 1 FROM (SELECT d.{column} AS value) p WHERE {test})"
_NUMBER = """CASE WHEN json_valid(p.value) THEN
             CASE WHEN json_type(p.value) IN ('integer', 'real')
             THEN json_extract(p.value, '$') {sign} ? END END"""
_SIGNS = {sign: sign for sign in ("=", "<", "<=", ">", ">=")}
_YEAR, _MONTH, _DAY = "[0-9][0-9][0-9][0-9]", "-[0-9][0-9]", "-[0-9][0-9]"
_SHAPES = (_YEAR, _YEAR + _MONTH, _YEAR + _MONTH + _DAY, _YEAR + _MONTH + _DAY + "[T ]*")
_DATE = f"""({" OR ".join(f"p.value GLOB '{shape}'" for shape in _SHAPES)})
         AND replace(substr(p.value, 1, ?), ' ', 'T') {{sign}} ?"""
"""Dates in ISO's form are in the order of their texts; the one asked for says how precisely."""


def plain(value: str) -> str:
    """``value`` without NUL, at which SQLite's JSON ends a text: "staff" NUL "x" is "staff"."""
    return value.replace("\0", "\ufffd")


def where(
    filter: Filter | None,  # noqa: A002 - the field's word
    *,
    dead: bool = False,
) -> Sql:
    """SQL condition over live ``documents d``, or also ``dead`` ones, and its parameters.

    Raises
    ------
    BadQuery
        A field without values.
    """
    parts: list[Sql] = [("TRUE" if dead else "d.died_in IS NULL", [])]
    if filter:
        parts += (_among(*each) for each in filter.fields.items())
        if filter.path is not None:
            parts.append(_among("path", (filter.path,)))
        if filter.groups is not None:
            shared = f"EXISTS (SELECT 1 FROM json_each(d.groups) WHERE value IN {_GIVEN})"
            parts.append((f"(d.groups = '[]' OR {shared})", [_json(filter.groups)]))
        if filter.where is not None:
            parts.append(_met(filter.where))
    return _joined(" AND ", parts)


def _met(condition: Condition) -> Sql:
    """What ``condition`` asks; true or false, never NULL."""
    match condition:
        case Not(part):
            sql, parameters = _met(part)
            return f"NOT {sql}", parameters
        case All(parts):
            return _joined(" AND ", map(_met, parts))
        case conditions.Any(parts):
            return _joined(" OR ", map(_met, parts))
        case Exists(field):
            return ("TRUE", []) if field in _PLACES else _some(field, "p.value != ''", [])
        case Among(field, values):
            return _among(field, values)
        case Compare(field, "="):
            same = _among(field, (condition.value,))
            typed = condition.number is not None or condition.date is not None
            return _joined(" OR ", [same, _compared(condition)]) if typed else same
        case Compare():
            return _compared(condition)


def _among(field: str, values: Sequence[str]) -> Sql:
    """That ``field`` is, or lists, one of ``values``; that the path meets one of them."""
    if not values:
        raise BadQuery(f"filter field '{field}' has no values")
    given = _json(values)
    if field == "path":
        return _joined(" OR ", (("glob_path(?, d.path)", [glob]) for glob in values))
    if field == "document":
        among = "IN (SELECT digest(value) FROM json_each(?) WHERE digest(value) IS NOT NULL)"
        return f"d.id {among}", [given]
    if field in _COLUMNS:
        return f"d.{field} IN {_GIVEN}", [given]
    return _HAS, [plain(field), given]


def _compared(asked: Compare) -> Sql:
    """That a value stands to the one asked for: as a number, as a date, else as a text."""
    sign = _SIGNS[asked.sign]
    ways: list[Sql] = []
    if (number := asked.number) is not None:
        ways.append((_NUMBER.format(sign=sign), [number]))
    if (date := asked.date) is not None:
        ways.append((_DATE.format(sign=sign), [len(date), date]))
    return _some(
        asked.field, *_joined(" OR ", ways or [(f"p.value {sign} ?", [plain(asked.value)])])
    )


def _some(field: str, test: str, parameters: list[Any]) -> Sql:
    """That a value ``p.value`` of ``field`` meets ``test``."""
    if field in _COLUMNS:
        return _COLUMN.format(column=field, test=test), parameters
    return _LISTED.format(test=test), [plain(field), *parameters]


def _joined(word: str, parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    sql = word.join(sql for sql, _ in found)
    return f"({sql})", [given for _, parameters in found for given in parameters]


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(map(plain, values)))


def glob(pattern: str, path: str) -> bool:
    """Whether ``path`` meets ``pattern``."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=1024)
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
