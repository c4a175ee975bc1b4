"""Searches one collection: lexically, by vectors, or both. Knows neither prompts nor HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from rag.encode import Encoder
from rag.errors import BadQuery
from rag.index import Collection as Index
from rag.search import rerank
from rag.search.arranger import Arranger
from rag.search.ask import Ask
from rag.search.cache import ResultCache, key
from rag.search.clock import Clock
from rag.search.facets import facets
from rag.search.neighbours import expand
from rag.search.ranking import Ranking
from rag.search.rerankers import Reranker, apply
from rag.search.retriever import ENCODER_FAILED, LEGS, Retriever
from rag.search.rewrite import Lexicon, Rewrite, join, rewrite, standing
from rag.settings import Settings
from rag.types import MODES, Facet, Filter, Hit, Message, Mode, SearchResult, encodable

__all__ = ["LEGS", "MAX_TOP_K", "Searcher"]

MAX_TOP_K = 1000


class Searcher(Retriever):
    """Answers queries over ``collection``.

    Parameters
    ----------
    encoder
        Must be the one that the collection was encoded with. Without one, only lexical modes
        work, and hybrid search says so in its warnings.
    lacking
        Why there is no encoder.
    reranker
        The model that puts the best passages in order once more, where the settings name one.
    ask
        Asks the language model, for the ways of rewriting that need one.
    results
        Remembers results.
    """

    def __init__(
        self,
        collection: Index,
        encoder: Encoder | None = None,
        settings: Settings | None = None,
        *,
        lacking: str = "",
        reranker: Reranker | None = None,
        ask: Ask | None = None,
        results: ResultCache | None = None,
    ) -> None:
        super().__init__(collection, encoder, settings or Settings(), lacking)
        self.reranker = reranker
        self._ask = ask
        self._results = results
        self._arrange = Arranger(self.settings)

    def search(
        self,
        query: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        history: Sequence[Message] = (),
        *,
        facets: Sequence[str] = (),
    ) -> SearchResult:
        """The best ``top_k`` passages for ``query``.

        Parameters
        ----------
        history
            Earlier turns of the conversation, from which ``query`` may be made whole.
        facets
            Fields whose values are to be counted over all that was ranked.

        Raises
        ------
        BadQuery
            The query is empty or too long, ``top_k`` or ``mode`` is out of range.
        ConfigError
            ``mode`` is dense and there is no encoder.
        """
        started = time.perf_counter()
        query, top_k, mode = self._checked(query, top_k, mode)
        condensed = history and "condense" in self.settings.rewrite
        known = None
        if self._results is not None and not (condensed or facets):
            known = key(self, query, top_k, mode, filter)
            if found := self._results.get(known):
                took = (time.perf_counter() - started) * 1000
                return replace(found, took_ms=took, cached=True)
        ranking = self.rank(query, top_k, mode, filter, history, deep=bool(facets))
        result = SearchResult(
            query,
            ranking.mode,
            self._hits(ranking),
            (time.perf_counter() - started) * 1000,
            ranking.warnings,
            self._facets(ranking, facets),
            rewritten={r.kind: r.queries for r in ranking.rewrites if r.queries},
        )
        if self._results is not None and known and ranking.lasting:
            self._results.put(known, result)
        return result

    def rank(
        self,
        query: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002
        history: Sequence[Message] = (),
        *,
        deep: bool = False,
    ) -> Ranking:
        """As ``search``, but ids alone, and how each stage had them.

        With ``deep``, ``depth`` passages are ranked though fewer are asked for.
        """
        query, top_k, mode = self._checked(query, top_k, mode)
        rewrites = self._rewritten(query, filter, history)
        count = self._reranked_first(mode)
        beside = any(r.queries and not r.replaces for r in rewrites)
        wide = deep or count or beside or self._arrange.wanted
        depth = max(count, self.settings.depth) if wide else 0
        limit = self.settings.max_query_chars
        asked = standing(query, rewrites)[:limit]
        ranking = self.retrieve(asked, top_k, mode, filter, depth)
        if rewrites:
            ranking = self._joined(ranking, rewrites, filter, depth)
        if count and ranking.order:
            ranking = self._reranked(ranking, count)
        if self._arrange.wanted:
            ranking = self._arranged(ranking)
        return ranking

    def _rewritten(
        self,
        query: str,
        filter: Filter | None,  # noqa: A002
        history: Sequence[Message],
    ) -> tuple[Rewrite, ...]:
        if not (kinds := self.settings.rewrite):
            return ()
        lexicon = Lexicon(self.collection, self.analyser, filter)
        return rewrite(kinds, query, history, self._ask, lexicon)

    def _joined(
        self,
        ranking: Ranking,
        rewrites: Sequence[Rewrite],
        filter: Filter | None,  # noqa: A002
        depth: int,
    ) -> Ranking:
        """``ranking`` and what other queries find, which are searched beside the question."""
        limit, top_k, mode = self.settings.max_query_chars, ranking.top_k, ranking.mode
        bindings = ranking.matched.bindings
        lexical = mode in ("bm25", "tfidf")
        failed = [f"{r.kind}: {r.warning}" for r in rewrites if r.warning]
        others = []
        for one in rewrites:
            how: Mode = "dense" if one.dense else mode
            for text in () if one.replaces or (one.dense and lexical) else one.queries:
                try:
                    found = self.retrieve(text[:limit], top_k, how, filter, depth, bindings)
                except (BadQuery, *ENCODER_FAILED) as e:
                    failed.append(f"{one.kind}: not searched for: {e}")
                    continue
                others.append(found.order)
                if found.mode != how:
                    failed.append(f"{one.kind}: {'; '.join(found.warnings)}")
        said = [f"searched for {r.note}" for r in rewrites if r.kind == "repair" and r.note]
        order = join(ranking.order, others)
        return replace(
            ranking,
            order=order,
            stages={**ranking.stages, "joined": order} if others else ranking.stages,
            warnings=(*ranking.warnings, *failed, *said),
            rewrites=tuple(rewrites),
            lasting=not failed,
        )

    def _reranked_first(self, mode: Mode) -> int:
        """How many passages are put in order once more."""
        kind = self.settings.rerank
        if self.reranker is None and kind != "linear":
            return 0
        if mode == "hybrid" and kind == self.settings.fusion:
            return 0  # the fusion's order is the same weighted sum's
        return self.settings.rerank_depth

    def _reranked(self, ranking: Ranking, count: int) -> Ranking:
        """``ranking`` with its first ``count`` passages put in order once more."""
        clock, features, late = Clock(), ranking.features, ""
        head = [id_ for id_, _ in ranking.order[:count]]
        with clock("rerank"):
            if self.reranker:
                chunks, seconds = self.collection.fetch(head), self.settings.rerank_seconds
                asked = ranking.question.text
                order, late = apply(ranking.order, chunks, asked, self.reranker, seconds, count)
            else:
                features = self.features(ranking.question, head, ranking.stages)
                order = rerank.linear(ranking.order, features, self.rerank_weights)
        return replace(
            ranking,
            order=order,
            stages={**ranking.stages, "reranked": order},
            milliseconds={**ranking.milliseconds, **clock.ms},
            warnings=(*ranking.warnings, late) if late else ranking.warnings,
            features=features,
            lasting=ranking.lasting and not late,
        )

    def _arranged(self, ranking: Ranking) -> Ranking:
        """``ranking`` after boosts, age, grouping and diversity."""
        clock = Clock()
        with clock("arrange"):
            stages = self._arrange(ranking.order, self.collection, ranking.top_k)
        return replace(
            ranking,
            order=list(stages.values())[-1],
            stages={**ranking.stages, **stages},
            milliseconds={**ranking.milliseconds, **clock.ms},
        )

    def _checked(self, query: str, top_k: int | None, mode: Mode | None) -> tuple[str, int, Mode]:
        query = encodable(query).strip()
        if not query:
            raise BadQuery("the question is empty", remedy="Ask something")
        if len(query) > (limit := self.settings.max_query_chars):
            raise BadQuery(
                f"the question has {len(query):,} characters, the limit is {limit:,}",
                remedy="Shorten it, or raise max_query_chars",
            )
        top_k = self.settings.top_k if top_k is None else top_k
        if not 1 <= top_k <= MAX_TOP_K:
            raise BadQuery(f"top_k must be 1 to {MAX_TOP_K}, not {top_k}")
        mode = mode or self.settings.mode
        if mode not in MODES:
            raise BadQuery(f"mode must be one of {', '.join(MODES)}, not '{mode}'")
        return query, top_k, mode

    def _facets(self, ranking: Ranking, fields: Sequence[str]) -> dict[str, tuple[Facet, ...]]:
        if not fields:
            return {}
        return facets(self.collection, [id_ for id_, _ in ranking.order], fields)

    def _hits(self, ranking: Ranking) -> tuple[Hit, ...]:
        legs = {name: dict(ranking.stages[name]) for name in LEGS if name in ranking.stages}
        order = ranking.order[: ranking.top_k]
        chunks = self.collection.fetch([id_ for id_, _ in order])
        found = [(id_, score) for id_, score in order if id_ in chunks]
        matches = self.analyser.matcher({*ranking.terms, *ranking.matched.words})
        hits = tuple(
            Hit(
                rank=rank,
                score=score,
                chunk=chunks[id_],
                scores={leg: s[id_] for leg, s in legs.items() if id_ in s},
                matches=matches(chunks[id_].text),
            )
            for rank, (id_, score) in enumerate(found, 1)
        )
        count = self.settings.neighbours
        return expand(hits, count, self.collection.around) if count else hits
