"""Retrieval measures, through `ir_measures`. Knows no significance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.dataset import Dataset
from rag.errors import BadQuery, DependencyMissing

DEFAULT = ("nDCG@10", "R@100", "RR@10", "AP", "Success@3", "Judged@10")
TOP_K = 100
"""Places that are ranked, at least; AP looks at as many."""
DEEPEST = 1000
Rankings = Mapping[str, Sequence[tuple[str, float]]]
"""Each query's places and scores, best first."""
DEPTHS = (1, 3, 5, 10, 20, 50, 100)


def parse(names: Sequence[str]) -> list[Any]:
    """Measures by the names that `ir_measures` gives them (``nDCG@10``, ``R@100``, ``AP``).

    Raises
    ------
    BadQuery
        It knows none of that name.
    DependencyMissing
    """
    ir = _library()
    found = []
    for name in names:
        try:
            measure = ir.parse_measure(name)
            if not 1 <= measure.params.get("cutoff", 1) <= DEEPEST:
                raise ValueError
            list(ir.iter_calc([measure], {"q": {"d": 1}}, {"q": {"d": 1.0}}))
        except Exception as e:  # the library and its providers raise all sorts
            remedy = f"Known are, among others: {', '.join(DEFAULT)}"
            raise BadQuery(f"there is no measure '{name}'", remedy=remedy) from e
        found.append(measure)
    return found


def deepest(measures: Sequence[Any]) -> int:
    """How many places ``measures`` look at."""
    return max([TOP_K, *(int(m.params.get("cutoff", 0)) for m in measures)])


def per_query(
    dataset: Dataset, rankings: Rankings, names: Sequence[str] = DEFAULT
) -> dict[str, dict[str, float]]:
    """Each measure's value for each query that has a relevant place.

    A query without a ranking counts as zero, so leaving out hard ones cannot raise a mean.
    """
    ir = _library()
    measures = parse(names)
    judged = {q.id: dict(q.relevant) for q in dataset.judged}
    values: dict[str, dict[str, float]] = {
        str(measure): dict.fromkeys(judged, 0.0) for measure in measures
    }
    if not (judged and measures):
        return {}
    # Scores anew by rank: `ir_measures` sorts by score, and breaks ties by name.
    run = {
        id_: {place: float(-rank) for rank, (place, _) in enumerate(ranking)}
        for id_, ranking in rankings.items()
        if id_ in judged and ranking
    }
    for found in ir.iter_calc(measures, judged, run) if run else ():
        values[str(found.measure)][found.query_id] = float(found.value)
    return values


def recall_curve(dataset: Dataset, rankings: Rankings) -> tuple[tuple[float, float], ...]:
    """Mean R@depth for some depths."""
    found = per_query(dataset, rankings, [f"R@{depth}" for depth in DEPTHS])
    means = [sum(v.values()) / len(v) for v in found.values()]
    return tuple(zip(map(float, DEPTHS), means, strict=False))


def _library() -> Any:  # noqa: ANN401
    try:
        import ir_measures
    except ImportError as e:
        raise DependencyMissing("ir-measures", "eval") from e
    return ir_measures
