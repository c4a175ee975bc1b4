"""Why a document stands where it does for a question, stage by stage. Knows no prompts.

Ranks are exact: a retriever is asked for as many passages as it takes to reach the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.analysis import shown
from rag.conditions import All
from rag.errors import BadQuery, NotFound
from rag.index import Collection
from rag.index.matching import Matched
from rag.index.scorers import Kind
from rag.index.shares import Share
from rag.search import reasons
from rag.search.explanation import Explanation, Place, Stage
from rag.search.fuse import Scored
from rag.search.ranking import Ranking
from rag.search.searcher import LEGS, Searcher
from rag.types import Chunk, Filter, Mode

_AT_ONCE = 1000


def explain(
    searcher: Searcher,
    query: str,
    document: str,
    top_k: int | None = None,
    mode: Mode | None = None,
    filter: Filter | None = None,  # noqa: A002 - the field's word
) -> Explanation:
    """How ``query`` ranks a document, given by its id or path, or a passage, given by its id.

    Raises
    ------
    NotFound
        There is no such document or passage.
    BadQuery
        Several documents have that path; or as ``Searcher.search``.
    """
    passages = _passages(searcher.collection, document)
    ranking = searcher.rank(query, top_k, mode, filter)
    inquiry = _Inquiry(searcher, ranking, filter)
    passage = inquiry.best(passages)
    stages = tuple(inquiry.excluded(passage)) or tuple(inquiry.ranked(passage))
    first = inquiry.place(ranking.order, 0) if ranking.order else None
    return Explanation(
        query=ranking.query,
        mode=ranking.mode,
        top_k=ranking.top_k,
        document=passage.document,
        path=passage.path,
        passage=passage.id,
        position=passage.position,
        rank=_rank(ranking.order, passage.id),
        why=stages[-1].why,
        stages=stages,
        terms=tuple(inquiry.shares(passage.id)),
        first=first,
        first_terms=tuple(inquiry.shares(first.passage)) if first else (),
        corrected=ranking.corrected,
        warnings=ranking.warnings,
        rewritten={r.kind: r.queries for r in ranking.rewrites if r.queries},
    )


class _Inquiry:
    """One ranking, and what there is to ask about it."""

    def __init__(self, searcher: Searcher, ranking: Ranking, filter: Filter | None) -> None:  # noqa: A002
        self._searcher = searcher
        self._collection = searcher.collection
        self._ranking = ranking
        self._filter = filter
        self._legs = {leg: ranking.stages[leg] for leg in LEGS if leg in ranking.stages}
        self._scorer: Kind = "tfidf" if ranking.mode == "tfidf" else "bm25"

    def best(self, passages: Sequence[Chunk]) -> Chunk:
        """The passage that ranks highest, or would without filter and clauses."""
        of = {c.id: c for c in passages}
        within = Filter({"document": (passages[0].document,)})
        bare = replace(self._ranking.matched, bindings=())
        count = self._collection.count(within)
        alone = (self._ask(leg, count, within, bare) for leg in self._legs)
        for scored in (self._ranking.order, *alone):
            for id_, _ in scored:
                if id_ in of:
                    return of[id_]
        return passages[0]

    def excluded(self, passage: Chunk) -> Iterator[Stage]:
        """The stage that does not let the passage in, if there is one."""
        for name, condition in _conditions(self._filter):
            asked = condition.fields.get("document")
            one = replace(condition, fields={**condition.fields, "document": (passage.document,)})
            if (asked and passage.document not in asked) or not self._collection.count(one):
                yield Stage("filter", None, None, None, f"excluded by {name}")
                return
        if unmet := self._collection.unmet(self._ranking.matched, passage.id):
            yield Stage("required", None, None, None, reasons.unmet(unmet[0]))

    def ranked(self, passage: Chunk) -> list[Stage]:
        """How each stage has the passage."""
        legs = [self._leg(leg, passage.id) for leg in self._legs]
        stages = list(legs)
        if "fused" in self._ranking.stages:
            stages.append(self._fused(passage.id, legs))
        if "joined" in self._ranking.stages:
            stages.append(self._later("joined", passage.id, reasons.JOINED))
        if "reranked" in self._ranking.stages:
            stages.append(self._reranked(passage.id))
        if "boosted" in self._ranking.stages:
            stages.append(self._later("boosted", passage.id, reasons.BOOSTED))
        if "diversified" in self._ranking.stages:
            stages.append(self._later("diversified", passage.id, reasons.DIVERSIFIED))
        return [*stages, self._shown(passage.id, stages)]

    def _later(self, name: str, id_: str, why: str) -> Stage:
        """A step after the retrievers', whose reason is the same for all."""
        scored = self._ranking.stages[name]
        if (rank := _rank(scored, id_)) is None:
            return Stage(name, None, None, None, why)
        return self._stage(name, scored, rank, why if rank > 1 else reasons.FIRST)

    def shares(self, id_: str) -> list[Share]:
        how = self._searcher.parameters if self._scorer == "bm25" else {}
        found = self._collection.shares(self._ranking.matched, id_, self._scorer, **how)
        return [replace(share, words=tuple(map(shown, share.words))) for share in found]

    def place(self, scored: Scored, at: int) -> Place | None:
        id_, score = scored[at]
        found = self._collection.fetch([id_]).get(id_)
        return Place(id_, found.document, found.path, found.position, score) if found else None

    def _ask(self, leg: str, k: int, filter: Filter | None, matched: Matched) -> Scored:  # noqa: A002
        vector = self._ranking.question.vector
        if leg == "dense" and vector is not None:
            return self._searcher.dense(vector, matched, k, filter)[0]
        return self._searcher.lexical(matched, k, filter, self._scorer)

    def _leg(self, leg: str, id_: str) -> Stage:
        scored, k, more = self._legs[leg], _AT_ONCE, True
        while more and _rank(scored, id_) is None:
            scored = self._ask(leg, k, self._filter, self._ranking.matched)
            more = len(scored) == k
            k *= 10
        if (rank := _rank(scored, id_)) is None:
            return Stage(leg, None, None, None, self._unranked(leg, id_))
        if rank == 1:
            why = reasons.FIRST
        elif leg == "dense":
            why = reasons.dense(scored[rank - 1][1], scored[0][1])
        else:
            why = reasons.lexical(self.shares(id_), self.shares(scored[0][0]))
        return self._stage(leg, scored, rank, why)

    def _unranked(self, leg: str, id_: str) -> str:
        if leg != "dense":
            return reasons.NO_TERMS
        waiting = self._collection.without_vector([id_], encoder=self._searcher.space)
        return reasons.NO_VECTOR if waiting else reasons.NOT_REACHED

    def _fused(self, id_: str, legs: Sequence[Stage]) -> Stage:
        scored = self._ranking.stages["fused"]
        if (rank := _rank(scored, id_)) is None:
            return Stage("fused", None, None, None, self._too_deep(legs))
        why = self._behind(id_, scored[0][0], legs) if rank > 1 else reasons.FIRST
        return self._stage("fused", scored, rank, why)

    def _behind(self, id_: str, first: str, legs: Sequence[Stage]) -> str:
        """Why one passage is fused below another."""
        features = self._ranking.features
        if self._searcher.settings.fusion == "linear":
            weights = self._searcher.rerank_weights
            return reasons.weighed(features[id_], features[first], weights)
        name = reasons.costliest(self._legs, self._searcher.weights, id_, first)
        own = next(leg for leg in legs if leg.name == name)
        if own.rank is None or own.score is None:
            return f"{name}: {own.why}"
        scores = dict(self._legs[name])
        if first not in scores:
            return f"{name} has this at {own.rank}, and cannot tell of the first hit"
        if name == "dense":
            why = reasons.dense(own.score, scores[first])
        else:
            why = reasons.lexical(self.shares(id_), self.shares(first))
        return (
            f"{name} has it at {own.rank}, the first hit at {_rank(self._legs[name], first)}: {why}"
        )

    def _reranked(self, id_: str) -> Stage:
        scored = self._ranking.stages["reranked"]
        names = list(self._ranking.stages)
        before = self._ranking.stages[names[names.index("reranked") - 1]]
        depth = self._searcher.settings.rerank_depth
        if (rank := _rank(scored, id_)) is None:
            return Stage("reranked", None, None, None, "it is not among what is put in order again")
        if rank == 1:
            why = reasons.FIRST
        elif (_rank(before, id_) or 0) > depth:
            why = f"only the first {depth} are put in order again (rerank_depth)"
        elif self._searcher.reranker:
            named = self._searcher.reranker.name
            why = reasons.preferred(named, scored[rank - 1][1], scored[0][1])
        else:
            features = self._ranking.features
            weights = self._searcher.rerank_weights
            why = reasons.weighed(features[id_], features[scored[0][0]], weights)
        return self._stage("reranked", scored, rank, why)

    def _shown(self, id_: str, stages: Sequence[Stage]) -> Stage:
        order, top_k = self._ranking.order, self._ranking.top_k
        if (rank := _rank(order, id_)) is None:
            return Stage("shown", None, None, None, self._absent(stages))
        why = stages[-1].why
        if rank > top_k:
            why = f"only the first {top_k} are shown (top_k); {why}"
        return self._stage("shown", order, rank, why)

    def _absent(self, stages: Sequence[Stage]) -> str:
        """Why the passage is not even ranked."""
        legs, later = stages[: len(self._legs)], stages[len(self._legs) :]
        taken = any(leg.rank and leg.rank <= len(self._legs[leg.name]) for leg in legs)
        if later and (taken or any(stage.rank for stage in later)):
            return later[-1].why
        if all(leg.rank is None for leg in legs):
            return ", and ".join(leg.why for leg in legs)
        return self._too_deep(legs)

    def _too_deep(self, legs: Sequence[Stage]) -> str:
        had = [f"at {leg.rank}" if leg.rank else f"nowhere ({leg.why})" for leg in legs]
        names = [leg.name for leg in legs]
        said = f"{names[0]} has it {had[0]}" + "".join(
            f" and {name} {where}" for name, where in zip(names[1:], had[1:], strict=True)
        )
        each = " of each" if len(legs) > 1 else ""
        depth = max(map(len, self._legs.values()))
        setting = "depth" if each or "reranked" in self._ranking.stages else "top_k"
        return f"{said}; only the first {depth}{each} are taken ({setting})"

    def _stage(self, name: str, scored: Scored, rank: int, why: str) -> Stage:
        above = self.place(scored, rank - 2) if rank > 1 else None
        return Stage(name, rank, scored[rank - 1][1], above, why)


def _passages(collection: Collection, named: str) -> list[Chunk]:
    """The passages of the document with this id or path; or the one passage with this id."""
    if one := collection.fetch([named]):
        found = [c for c in collection.passages(one[named].document) if c.id == named]
    else:
        known = collection.documents(Filter({"document": (named,)}))
        known = known or [d for d in collection.documents(Filter(path=named)) if d.path == named]
        if len(known) > 1:
            ids = ", ".join(d.id for d in known)
            why = f"several documents have the path '{named}'"
            raise BadQuery(why, remedy=f"Give the id of one: {ids}")
        found = collection.passages(known[0].id) if known else []
    if not found:
        raise NotFound(
            f"no passage is of a document '{named}', or is called so",
            remedy=f"`rag status -c {collection.name}` lists the documents",
        )
    return found


def _conditions(filter: Filter | None) -> Iterator[tuple[str, Filter]]:  # noqa: A002
    """Each condition of a filter by itself, and how it is written."""
    if filter is None:
        return
    for name, values in filter.fields.items():
        yield f"{name}={' or '.join(values)}", Filter({name: values})
    if filter.path is not None:
        yield f"path={filter.path}", Filter(path=filter.path)
    if filter.groups is not None:
        yield "its access groups", Filter(groups=filter.groups)
    for part in filter.where.parts if isinstance(filter.where, All) else (filter.where,):
        if part is not None:
            yield str(part), Filter(where=part)


def _rank(scored: Scored, id_: str) -> int | None:
    return next((i for i, (other, _) in enumerate(scored, 1) if other == id_), None)
