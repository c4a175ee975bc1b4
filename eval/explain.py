"""The queries that scored lowest, and the stage of the search that lost them."""

from __future__ import annotations

from collections.abc import Sequence

from eval.bed import rank
from eval.dataset import Query
from eval.places import Places
from eval.result import Lost, PerQuery
from rag.search import Searcher
from rag.search.fuse import Scored

DEPTH = 100
GOOD = 10
"""A place within this rank counts as found."""
_FOUND = 5


def explain(
    searcher: Searcher, places: Places, queries: Sequence[Query], values: PerQuery, count: int
) -> tuple[Lost, ...]:
    """The ``count`` queries of lowest value, worst first; perfect ones are left out."""
    by_value = sorted((q for q in queries if values[q.id] < 1), key=lambda q: (values[q.id], q.id))
    return tuple(_lost(searcher, places, query, values[query.id]) for query in by_value[:count])


def _lost(searcher: Searcher, places: Places, query: Query, value: float) -> Lost:
    ranking = rank(searcher, query.text, DEPTH)
    ranks = {stage: _rank(places, query, scored) for stage, scored in ranking.stages.items()}
    found = tuple(place for place, _ in places.of(query, ranking.order))[:_FOUND]
    stage = "corpus" if not any(places.exists(p) for p in query.right) else blame(ranks)
    return Lost(query.id, value, stage, ranks, query.right, found)


def blame(ranks: dict[str, int | None]) -> str:
    """The stage that lost a query, given the best rank of a relevant place after each.

    ``retrieval``: no retriever had it; ``depth``: none had it near the top; ``fusion`` and
    ``reranking``: it was near the top before that stage and not after it; ``order``: it stayed
    near the top, but not first.
    """
    combined = ("fused", "reranked")
    legs = [rank for stage, rank in ranks.items() if stage not in combined and rank is not None]
    if not legs:
        return "retrieval"
    if min(legs) > GOOD:
        return "depth"
    for stage, name in zip(combined, ("fusion", "reranking"), strict=True):
        if stage in ranks and (ranks[stage] or GOOD + 1) > GOOD:
            return name
    return "order"


def _rank(places: Places, query: Query, scored: Scored) -> int | None:
    """The best rank of a relevant place."""
    found = enumerate(places.of(query, scored), 1)
    return next((rank for rank, (place, _) in found if place in query.right), None)
