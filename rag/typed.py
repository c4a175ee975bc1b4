"""Values of settings as files, variables and flags write them, made into what they are to be.

Knows no setting by name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from rag.errors import ConfigError
from rag.rules import Rule, read_rules

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_WORDS = {int: "a whole number", float: "a number", Path: "a path", str: "text",
          bool: "true or false"}  # fmt: skip


def typed(kind: Any, name: str, value: Any, origin: str) -> Any:  # noqa: ANN401
    """``value`` of setting ``name`` as a ``kind``; ``origin`` says who wrote it.

    Raises
    ------
    ConfigError
        It cannot be one.
    """
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise ConfigError(
                f"{origin}: {name} must be one of {', '.join(choices)}, not {value!r}"
            )
        return value
    if kind == tuple[Rule, ...]:
        return read_rules(value, origin)
    if get_origin(kind) is tuple:
        found = re.split(r"\s*,\s*", value.strip()) if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not all(isinstance(v, str) for v in found):
            raise ConfigError(f"{origin}: {name} must be a list of texts, not {value!r}")
        item, _ = get_args(kind)
        return tuple(typed(item, name, v, origin) for v in found if v)
    if kind is bool and str(value).lower() in _BOOLEANS:
        return _BOOLEANS[str(value).lower()]
    accepted = {int: (int, str), float: (float, int, str), Path: (Path, str), str: (str,), bool: ()}
    try:
        if isinstance(value, bool) or not isinstance(value, accepted[kind]):
            raise TypeError
        return Path(str(value)).expanduser() if kind is Path else kind(value)
    except (TypeError, ValueError) as e:
        raise ConfigError(f"{origin}: {name} must be {_WORDS[kind]}, not {value!r}") from e
