"""What a tuning found out, as plain values. Knows neither how it was found nor how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eval.result import Comparison, Interval


@dataclass(frozen=True, slots=True)
class Part:
    """The present settings and the chosen ones on one part of the queries."""

    queries: int
    before: Interval
    after: Interval
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Threshold:
    """``min_confidence`` as it was and as chosen, by balanced accuracy on the held-out part.

    Balanced accuracy is the mean of the shares of answerable questions that are answered and of
    unanswerable ones that are refused.
    """

    before: float
    after: float
    accuracy_before: float
    accuracy_after: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was chosen, and how it fares.

    Attributes
    ----------
    settings
        Only those that differ from the present ones and won on the held-out part; these may be
        saved.
    tried
        What was chosen, whether it won or not.
    test
        A third part, if there is one, that was used for nothing but this figure.
    provenance
        What to keep with the settings: when, on what, by which version, with which figures.
    """

    measure: str
    settings: Mapping[str, Any]
    tried: Mapping[str, Any]
    chosen_on: Part
    held_out: Part
    test: Part | None = None
    threshold: Threshold | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
