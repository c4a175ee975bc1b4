"""Filters as people and programs write them, parsed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.errors import BadQuery
from rag.types import Filter, encodable

_MOST = 100


def parse_filter(given: Mapping[str, Any] | Sequence[str] | None) -> Filter | None:
    """``{"language": "ko", "year": ["2024", "2025"], "path": "guide/**"}``, or the same as strings.

    As strings, each is ``field=value``; a field given again means any of its values. All fields
    must hold. ``path`` is a glob.

    Raises
    ------
    BadQuery
        Another shape, or no value.
    """
    if not given:
        return None
    fields: dict[str, tuple[str, ...]] = {}
    if isinstance(given, Mapping):
        for name, value in given.items():
            fields[encodable(name)] = _values(name, value)
    else:
        for item in given:
            name, separator, value = item.partition("=")
            if not (separator and name and value):
                raise BadQuery(f"'{item}' is no filter", remedy="Write it as field=value")
            name = encodable(name)
            fields[name] = (*fields.get(name, ()), encodable(value))
    paths = fields.pop("path", ())
    if len(paths) > 1:
        raise BadQuery("a filter takes one path", remedy="Use a glob such as guide/**")
    if len(fields) > _MOST or any(len(values) > _MOST for values in fields.values()):
        raise BadQuery(f"a filter takes at most {_MOST} fields of {_MOST} values")
    return Filter(fields, paths[0] if paths else None)


def _values(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(v, str | int | float) for v in values):
        raise BadQuery(
            f"filter field '{name}' has the value {value!r}",
            remedy="Give a text or a list of texts",
        )
    return tuple(str(v).lower() if isinstance(v, bool) else encodable(str(v)) for v in values)
