"""Filters as people and programs write them, parsed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.conditions import All, Condition, joined, size
from rag.errors import BadQuery
from rag.search.expression import MOST_TESTS, parse
from rag.types import Filter, encodable

_MOST = 100


def parse_filter(given: str | Mapping[str, Any] | Sequence[str] | None) -> Filter | None:
    """A filter of ``"lang:ko AND year>=2024"``, or of fields and their values.

    Three forms mean it: an expression, as ``rag.search.expression`` has it; a mapping,
    ``{"language": "ko", "year": ["2024", "2025"], "path": "guide/**"}``; and a list of texts, all
    of which must hold, each an expression or ``field=value``, where a field given again means any
    of its values. In a mapping and in ``field=value`` values are texts, and names as they stand;
    ``path`` is a glob.

    Raises
    ------
    BadQuery
        Another shape, no value, or an expression that makes no sense.
    """
    if isinstance(given, str):
        return Filter(where=parse(encodable(given))) if given.strip() else None
    if not given:
        return None
    fields: dict[str, tuple[str, ...]] = {}
    conditions: list[Condition] = []
    if isinstance(given, Mapping):
        for name, value in given.items():
            fields[encodable(name)] = _values(name, value)
    else:
        for item in map(encodable, given):
            if pair := _pair(item):
                name, value = pair
                fields[name] = (*fields.get(name, ()), value)
            else:
                conditions.append(parse(item))
    paths = fields.pop("path", ())
    if len(paths) > 1:
        raise BadQuery("a filter takes one path", remedy="Use a glob such as guide/**")
    if len(fields) > _MOST or any(len(values) > _MOST for values in fields.values()):
        raise BadQuery(f"a filter takes at most {_MOST} fields of {_MOST} values")
    if sum(map(size, conditions)) > MOST_TESTS:
        raise BadQuery(f"expressions have at most {MOST_TESTS} tests together")
    where = joined(All, conditions) if conditions else None
    return Filter(fields, paths[0] if paths else None, where=where)


def _pair(item: str) -> tuple[str, str] | None:
    """Field and value of ``field=value``; ``None`` of what only an expression can be."""
    name, sign, value = item.partition("=")
    signs = any(c in name for c in '()":<>!')
    words = {"AND", "OR", "NOT"}.intersection(item.split())
    if not sign or signs or words or value.startswith('"'):
        return None
    if not (name and value):
        raise BadQuery(f"'{item}' is no filter", remedy="Write it as field=value")
    return name, value


def _values(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(v, str | int | float) for v in values):
        raise BadQuery(
            f"filter field '{name}' has the value {value!r}",
            remedy="Give a text or a list of texts",
        )
    return tuple(str(v).lower() if isinstance(v, bool) else encodable(str(v)) for v in values)
