"""What a comparison found out, as plain values: what reports show and files keep.

Knows neither how it was measured nor how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Curve = tuple[tuple[float, float], ...]
"""Points ``(x, y)``, x ascending."""
PerQuery = Mapping[str, float]
"""A value for each query's id."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries and its 95 % bootstrap confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one configuration did.

    Attributes
    ----------
    name
        The configuration's, unique within a result.
    settings
        What sets it apart, as strings; enough to make it again.
    values
        Measure (``nDCG@10``, ``F1``) to each query's value; higher is better. Every query of the
        data has one, 0 where nothing was returned.
    summary
        Measure to its mean and interval.
    milliseconds
        Stage (``total``, ``encode``, ``bm25``, ``dense``, ``fuse``, ``rerank``, ``llm``) to each
        query's time in it.
    curves
        ``recall``: depth and R@depth. ``risk-coverage``: share answered and share of those wrong.
    totals
        Sums over all queries: ``prompt_tokens``, ``answer_tokens``, ``cost``.
    rankings
        Each query's retrieved places and scores, best first.
    notes
        What could not be done or measured, and why.
    """

    name: str
    settings: Mapping[str, str]
    values: Mapping[str, PerQuery]
    summary: Mapping[str, Interval]
    milliseconds: Mapping[str, PerQuery] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)
    rankings: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two configurations differ in a measure, over the same queries.

    ``difference`` is the mean of ``name - baseline``; ``p`` comes from a paired permutation test
    and is Holm-corrected over all comparisons of the result.
    """

    measure: str
    name: str
    baseline: str
    difference: Interval
    p: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A query that scored low, and where its relevant places were lost.

    ``ranks`` is the best rank of a relevant place in each stage's list, ``None`` where none is in
    it; ``stage`` names the one that lost it.
    """

    query: str
    value: float
    stage: str
    ranks: Mapping[str, int | None]
    relevant: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All of one run of ``rag eval``.

    ``measure`` is the leading one, by which ``outcomes`` are sorted, best first. ``queries`` maps
    ids to texts. ``lost`` is of the best configuration of ours, worst first.
    """

    dataset: str
    measure: str
    command: str
    date: str
    machine: str
    version: str
    documents: int
    passages: int
    queries: Mapping[str, str]
    outcomes: tuple[Outcome, ...]
    comparisons: tuple[Comparison, ...] = ()
    lost: tuple[Lost, ...] = ()
    warnings: tuple[str, ...] = ()
