"""The words that a judge model gets, kept in files that anyone may change.

Knows no model and no answer.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.errors import ConfigError

Kind = Literal["pointwise", "pairwise", "support", "reminder"]
_RUBRICS = Path(__file__).with_name("rubrics")
_TEXTS: dict[Kind, tuple[set[str], set[str]]] = {
    "pointwise": ({"question", "answer"}, {"reference", "passages"}),
    "pairwise": ({"question", "first", "second"}, {"reference", "passages"}),
    "support": ({"premise", "claim"}, set()),
    "reminder": (set(), set()),
}
"""Placeholders that a wording must have, and those that it may have."""
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_MARKUP = re.compile(r"<(?=\S)|\[(?=/?INST\])")


@dataclass(frozen=True, slots=True)
class Rubric:
    """The words that a judge gets.

    Attributes
    ----------
    scale
        The lowest and the highest score of ``pointwise``.
    wordings
        What is asked, by kind and language.
    """

    scale: tuple[float, float]
    wordings: Mapping[Kind, Mapping[str, str]]

    @classmethod
    def load(cls, path: Path | None = None) -> Rubric:
        """The rubric that comes with Saem, with the tables of ``path`` in place of its own.

        Raises
        ------
        ConfigError
            The file cannot be read, or lacks what a judge must be told.
        """
        found: dict[str, Any] = {}
        own = [_RUBRICS / "answer.toml", _RUBRICS / "pairwise.toml"]
        for file in [*own, path] if path else own:
            try:
                found |= tomllib.loads(file.read_text("utf-8"))
            except (OSError, ValueError) as e:
                raise ConfigError(f"rubric {file} cannot be read: {e}") from e
        where = f"rubric {path}"
        if unknown := found.keys() - _TEXTS.keys() - {"scale"}:
            known = ", ".join(["scale", *_TEXTS])
            raise ConfigError(f"{where} has an unknown entry '{min(unknown)}'",
                              remedy=f"Use {known}")  # fmt: skip
        wordings = {kind: _wording(where, kind, found[kind]) for kind in _TEXTS}
        return cls(_scale(where, found["scale"]), wordings)

    def fill(self, kind: Kind, language: str, **texts: str) -> str:
        """The wording of ``kind`` in ``language``, or else in its first one, with ``texts``."""
        table = self.wordings[kind]
        wording = table.get(language) or next(iter(table.values()))
        return _PLACEHOLDER.sub(lambda m: _harmless(texts[m[1]]) or "-", wording).strip()


def _harmless(text: str) -> str:
    """``text`` without what would end its tag, or what chat templates take for a new speaker."""
    return _MARKUP.sub("\\g<0>\u200b", text)


def _wording(where: str, kind: Kind, table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{where}: {kind} must be a table of wordings by language")
    needed, possible = _TEXTS[kind]
    for language, wording in table.items():
        if not isinstance(wording, str):
            raise ConfigError(f"{where}: {kind}.{language} must be text")
        used = set(_PLACEHOLDER.findall(wording))
        if missing := needed - used:
            raise ConfigError(f"{where}: {kind}.{language} lacks {{{min(missing)}}}")
        if unknown := used - needed - possible:
            known = ", ".join(f"{{{name}}}" for name in sorted(needed | possible))
            raise ConfigError(f"{where}: {kind}.{language} has an unknown {{{min(unknown)}}}",
                              remedy=f"Known are {known}" if known else "")  # fmt: skip
    return table


def _scale(where: str, scale: object) -> tuple[float, float]:
    match scale:
        case [int() | float() as low, int() | float() as high] if low < high:
            return float(low), float(high)
    raise ConfigError(f"{where}: scale must be a lower and a higher number, such as [1, 5]")
