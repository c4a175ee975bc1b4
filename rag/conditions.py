"""Conditions on documents, as values: ``lang:ko AND year>=2024 AND path:guide/**`` once parsed.

``str`` of one writes it so that it reads as the same again. Knows neither documents, nor how they
are kept, nor how a condition is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ALIASES = {"lang": "language", "doc": "document"}
SPECIAL = frozenset('()":=<>!*')
"""What stands for itself in quotes alone; in a value, some of these only where it begins."""
WORDS = ("AND", "OR", "NOT")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?)?)?")
_BEGINNING = "0001-01-01T00:00:00"
_EXACT = 18
"""Characters of a whole number that surely has no more than 64 bits."""

Sign = Literal["=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Exists:
    """The document has a value of ``field`` that is not empty."""

    field: str

    def __str__(self) -> str:
        return f"{_name(self.field)}:*"


@dataclass(frozen=True, slots=True)
class Among:
    """Its value of ``field`` is, or lists, one of ``values``; of ``path``, one of these globs."""

    field: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        said = " OR ".join(_value(v, globs=self.field == "path") for v in self.values)
        return f"{_name(self.field)}:{said if len(self.values) == 1 else f'({said})'}"


@dataclass(frozen=True, slots=True)
class Compare:
    """A value of ``field`` stands to ``value`` as ``sign`` says.

    As numbers, as dates (to the precision of ``value``), or, if it is neither or ``literal``, as
    texts.
    """

    field: str
    sign: Sign
    value: str
    literal: bool = False

    @property
    def number(self) -> float | None:
        """``value`` as a number, if it is one."""
        return None if self.literal else _number(self.value)

    @property
    def date(self) -> str | None:
        """``value`` if it is a date in ISO's form, or the beginning of one: a year, a month."""
        return self.value if not self.literal and _is_date(self.value) else None

    def __str__(self) -> str:
        quoted = self.literal and (self.sign != "=" or typed(self.value))
        value = _quoted(self.value) if quoted else _value(self.value)
        return f"{_name(self.field)}{self.sign}{value}"


@dataclass(frozen=True, slots=True)
class Not:
    """What does not meet ``part``."""

    part: Condition

    def __str__(self) -> str:
        return f"NOT {_within(self.part)}"


@dataclass(frozen=True, slots=True)
class All:
    """What meets all of ``parts``, two at least."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_within, self.parts))


@dataclass(frozen=True, slots=True)
class Any:
    """What meets one of ``parts``, two at least."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_within, self.parts))


Condition = Exists | Among | Compare | Not | All | Any


def typed(text: str) -> bool:
    """Whether ``text`` is a number or a date."""
    return _number(text) is not None or _is_date(text)


def joined(kind: type[All] | type[Any], parts: list[Condition]) -> Condition:
    """What meets all, or any, of ``parts``, one at least; flat where parts are joined alike."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(flat))


def size(condition: Condition) -> int:
    """How many values ``condition`` compares with."""
    if isinstance(condition, Not):
        return size(condition.part)
    if isinstance(condition, All | Any):
        return sum(map(size, condition.parts))
    return len(condition.values) if isinstance(condition, Among) else 1


def _number(text: str) -> float | None:
    """``text`` as a number, if it is written as JSON would write one."""
    if not _NUMBER.fullmatch(text):
        return None
    whole = text.removeprefix("-").isdigit() and len(text) <= _EXACT
    return int(text) if whole else float(text)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text + _BEGINNING[len(text) :])
    except ValueError:
        return False
    return True


def _within(part: Condition) -> str:
    return f"({part})" if isinstance(part, All | Any) else str(part)


def _name(field: str) -> str:
    plain = field and field not in (*WORDS, *ALIASES) and not field.startswith("-")
    special = any(c in SPECIAL or c.isspace() for c in field)
    return field if plain and not special else _quoted(field)


def _value(text: str, *, globs: bool = False) -> str:
    special = any(c in '()"' or (c == "*" and not globs) or c.isspace() for c in text)
    plain = text and text not in WORDS and text[0] not in ":=<>!"
    return text if plain and not special else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
