"""Front matter: what a text says of itself above itself, in YAML or TOML. Knows no markup."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

import yaml

_YAML = re.compile(r"---[ \t]*\n(?=[\w\"'-]+[ \t]*:|#|---)")
_YAML_END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_TOML = re.compile(r"\+\+\+[ \t]*\n")
_TOML_END = re.compile(r"^\+\+\+[ \t]*(?:\n|\Z)", re.MULTILINE)
_LONGEST = 1 << 16
_VALUE = 2000


def front_matter(text: str) -> tuple[int, dict[str, str], tuple[str, ...]]:
    """Where the text proper starts, the front matter's top-level scalars and lists, and notes.

    Scalars are as they are written (``version: 1.10`` is ``"1.10"``), lists of scalars are joined
    by commas; what is nested deeper is passed over.
    """
    for head, tail, load in ((_YAML, _YAML_END, _yaml), (_TOML, _TOML_END, _toml)):
        begin = head.match(text)
        end = tail.search(text, begin.end(), begin.end() + _LONGEST) if begin else None
        if begin is None or end is None:
            continue
        try:
            found = load(text[begin.end() : end.start()])
        except (yaml.YAMLError, ValueError, RecursionError) as e:
            why = str(e).split("\n")[0] or "it is nested too deep"
            return end.end(), {}, (f"its front matter cannot be read: {why}",)
        return end.end(), scalars(found), ()
    return 0, {}, ()


def scalars(found: object) -> dict[str, str]:
    """Scalars and lists of scalars of a mapping, as text; nothing else of it."""
    if not isinstance(found, Mapping):
        return {}
    texts = {str(key): _text(value)[:_VALUE] for key, value in found.items()}
    return {key: value for key, value in texts.items() if key and value}


def _text(value: object) -> str:
    if isinstance(value, list):
        plain = not any(isinstance(part, (list, Mapping)) for part in value)
        return ", ".join(filter(None, map(_text, value))) if plain else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, Mapping) else " ".join(str(value).split())


def _yaml(text: str) -> object:
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506 - makes nothing but text


def _toml(text: str) -> object:
    return tomllib.loads(text, parse_float=str)
