"""Multiplies passages' scores by what their documents are: boosts by field or path, and recency.

Knows no passage's text. Scores that may be negative are first moved up until the lowest is 0, so
that a factor above 1 always lifts and one below 1 always lowers.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate

from rag.errors import ConfigError
from rag.index.passages import About
from rag.index.where import glob
from rag.search.fuse import Scored, ranked

MOST = 1000.0
_LEAST = 0.05
"""The least that age leaves of a score: very old documents keep the order among themselves."""
_NUMBERS = re.compile(r"\d+")
_FORMS = (
    re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?!\d)"),
    re.compile(
        r"(?P<y>\d{4})(?:\s*[-./년]\s*(?P<m>\d{1,2})(?!\d)(?:\s*[-./월]\s*(?P<d>\d{1,2})(?!\d))?)?(?!\d)"
    ),
    re.compile(r"(?P<d>\d{1,2})[-./](?P<m>\d{1,2})[-./](?P<y>\d{4})(?!\d)"),
)
"""ISO without and with separators, as far as it goes ("2024", "2024년 5월"); day, month, year."""


@dataclass(frozen=True, slots=True)
class Boost:
    """``factor`` for the passages whose document has ``value`` in ``field``.

    ``field`` is ``path`` (``value`` is a glob), ``title``, ``language``, ``document``, or one of
    its metadata, where a list ("tea, pot") has each of its parts.
    """

    field: str
    value: str
    factor: float

    def meets(self, about: About) -> bool:
        """Whether it is for passages of this document."""
        if self.field == "path":
            return glob(self.value, about.path)
        if self.field in ("title", "language", "document"):
            return bool(getattr(about, self.field) == self.value)
        found = about.metadata.get(self.field)
        return found is not None and f", {self.value}, " in f", {found}, "


def parse_boosts(written: Iterable[str]) -> tuple[Boost, ...]:
    """Boosts as settings write them: ``language=ko: 1.2``, ``path=guide/**: 1.5``.

    Raises
    ------
    ConfigError
        One is not of this form, or its factor is not 0 to ``MOST``.
    """
    return tuple(map(_boost, written))


def _boost(text: str) -> Boost:
    condition, _, number = (part.strip() for part in text.rpartition(":"))
    field, _, value = (part.strip() for part in condition.partition("="))
    factor = math.nan
    with suppress(ValueError):
        factor = float(number)
    if not (field and value and 0 <= factor <= MOST):
        raise ConfigError(
            f"boosts: '{text}' is no boost",
            remedy=f"Write field=value: factor, the factor 0 to {MOST:g}; "
            "for example language=ko: 1.2, or path=guide/**: 1.5",
        )
    return Boost(field, value, factor)


def boosted(
    order: Scored,
    about: Mapping[str, About],
    boosts: Sequence[Boost],
    *,
    recency_days: float = 0.0,
    recency_field: str = "date",
    today: date | None = None,
) -> Scored:
    """``order`` after each score is multiplied by all boosts that its document meets, and its age.

    Age takes ``0.5 ** (days / recency_days)``, but never below ``_LEAST``. A document whose
    ``recency_field`` is missing or no date counts as old as the median one here. What is of no
    known document is left as it is.

    Parameters
    ----------
    recency_days
        After how many days a document counts half; 0 for no such decay.
    today
        The day from which ages count; that of now (UTC) for ``None``.
    """
    factors = dict.fromkeys((id_ for id_, _ in order), 1.0)
    for boost in boosts:
        for id_, one in about.items():
            if id_ in factors and boost.meets(one):
                factors[id_] *= boost.factor
    if recency_days:
        dates = {id_: day(about[id_].metadata.get(recency_field, "")) for id_ in factors
                 if id_ in about}  # fmt: skip
        for id_, factor in decay(dates, recency_days, today).items():
            factors[id_] *= factor
    shift = min((score for _, score in order), default=0.0)
    return ranked({id_: (score - min(shift, 0.0)) * factors[id_] for id_, score in order})


def decay(
    dates: Mapping[str, date | None], half_life: float, today: date | None = None
) -> dict[str, float]:
    """What age leaves of each one's score, ``_LEAST`` to 1; a date to come is today's."""
    now = today or datetime.now(UTC).date()
    ages = {id_: max((now - d).days, 0) for id_, d in dates.items() if d}
    if not ages:
        return {}
    usual = statistics.median(ages.values())
    return {id_: max(0.5 ** (ages.get(id_, usual) / half_life), _LEAST) for id_ in dates}


def day(text: str) -> date | None:
    """The first day that ``text`` names; the middle of what it names of a year or month alone.

    ISO 8601 and its beginnings, ``2024.5.1``, ``2024년 5월 1일``, ``1.5.2024``, and mail's
    ``Wed, 01 May 2024 10:00``; ``None`` for anything else.
    """
    text = text.strip()
    for form in _FORMS:
        if found := form.match(text):
            year, month, number = (int(found[name] or 0) for name in "ymd")
            with suppress(ValueError):
                return date(year, month or 7, number or (15 if month else 1))
    parts = parsedate(text) or parsedate(f"{text} 00:00")  # mail's always has a time
    if parts and len(_NUMBERS.findall(text)) > 1:
        with suppress(ValueError, OverflowError):
            return date(*parts[:3])
    return None
