"""What documents get by their path: metadata, and who may see them. Knows no documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Rule:
    """What documents get whose path meets ``glob``: metadata fields, and groups that may see them.

    ``**`` in a glob crosses ``/``. Of several rules that a path meets and that name one field, or
    groups, the last counts.
    """

    glob: str
    fields: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def read_rules(value: Any, origin: str) -> tuple[Rule, ...]:  # noqa: ANN401
    """Rules as ``rag.toml`` writes them: tables with ``glob``, ``fields`` and ``groups``.

    Raises
    ------
    ConfigError
        One makes no sense.
    """
    if isinstance(value, tuple) and all(isinstance(v, Rule) for v in value):
        return value
    rules = []
    for number, given in enumerate(value if isinstance(value, list) else [value], 1):
        where = f"{origin}: rule {number}"
        if not isinstance(given, dict) or not isinstance(given.get("glob"), str):
            raise ConfigError(
                f"{where} must be a table with a glob",
                remedy='Write it as [[rules]] with glob = "hr/**" and groups = ["hr"]',
            )
        if unknown := given.keys() - {"glob", "fields", "groups"}:
            raise ConfigError(f"{where} has an unknown key '{min(unknown)}'")
        values, groups = given.get("fields", {}), given.get("groups", [])
        named = isinstance(groups, list) and all(isinstance(g, str) and g for g in groups)
        if not isinstance(values, dict) or not named:
            raise ConfigError(f"{where}: fields must be a table, groups a list of names")
        fields_ = {str(k): v if isinstance(v, str) else str(v) for k, v in values.items()}
        rules.append(Rule(given["glob"], fields_, tuple(groups)))
    return tuple(rules)
