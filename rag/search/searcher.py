"""Searches one collection: lexically, by vectors, or both. Knows neither prompts nor HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag import analysis
from rag.analysis import FINGERPRINT, detect, matcher
from rag.encode import Encoder
from rag.errors import (
    BadQuery,
    ConfigError,
    DependencyMissing,
    LLMTimeout,
    LLMUnavailable,
    ModelMissing,
    Overloaded,
)
from rag.index import Collection
from rag.search import crosslingual, fuse, rerank
from rag.settings import Settings
from rag.types import MODES, Chunk, Filter, Hit, Mode, SearchResult, encodable

MAX_TOP_K = 1000
FOREIGN = 0.3
"""Share of the lexical weight that a passage in another language than the question's gets back.

Chosen on two sets (``eval/LOG.md``): with 1, foreign passages push aside right ones of the own
language; with 0, the only page that answers, in another language, stays below the first three.
"""
_ENCODER_FAILED = (DependencyMissing, LLMTimeout, LLMUnavailable, ModelMissing, Overloaded)


LEGS = ("bm25", "tfidf", "dense")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages' ids for one query, best first, and how they came to be.

    ``order`` has all that were ranked, of which ``top_k`` were asked for. ``stages`` are the lists
    of each retriever (``bm25``, ``tfidf``, ``dense``), ``fused`` and ``reranked``, as far as there
    were such; ``milliseconds`` says what each step took.
    """

    query: str
    mode: Mode
    order: fuse.Scored
    top_k: int
    terms: list[str]
    stages: Mapping[str, fuse.Scored]
    milliseconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()


class Searcher:
    """Answers queries over ``collection``.

    Parameters
    ----------
    encoder
        Must be the one that the collection was encoded with. Without one, only lexical modes
        work, and hybrid search says so in its warnings.
    lacking
        Why there is no encoder.
    """

    def __init__(
        self,
        collection: Collection,
        encoder: Encoder | None = None,
        settings: Settings | None = None,
        *,
        lacking: str = "",
    ) -> None:
        self.collection = collection
        self.encoder = encoder
        self.settings = settings or Settings()
        self._lacking = lacking or "no encoder is set"
        linear = self.settings.rerank == "linear"
        self._weights = rerank.weights(self.settings.rerank_weights) if linear else {}
        collection.check("analyser", FINGERPRINT)
        if encoder:
            collection.check("encoder", encoder.fingerprint)

    def search(
        self,
        query: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002 - the field's word
    ) -> SearchResult:
        """The best ``top_k`` passages for ``query``.

        Raises
        ------
        BadQuery
            The query is empty or too long, ``top_k`` or ``mode`` is out of range.
        ConfigError
            ``mode`` is dense and there is no encoder.
        """
        started = time.perf_counter()
        ranking = self.rank(query, top_k, mode, filter)
        hits = self._hits(ranking)
        took = (time.perf_counter() - started) * 1000
        return SearchResult(ranking.query, ranking.mode, hits, took, ranking.warnings)

    def rank(
        self,
        query: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002
    ) -> Ranking:
        """As ``search``, but ids alone, and how each stage had them."""
        query, top_k, mode = self._checked(query, top_k, mode)
        warnings: list[str] = []
        mode = self._possible(mode, warnings)
        settings = self.settings
        again = settings.rerank_depth if settings.rerank != "none" else 0
        depth = max(settings.depth, top_k, again) if mode == "hybrid" or again else top_k
        stages: dict[str, fuse.Scored] = {}
        clock = _Clock()
        languages: dict[str, tuple[str, ...]] = {}
        with clock("analyse"):
            terms = analysis.terms(query)
        if mode == "tfidf":
            with clock("tfidf"):
                stages["tfidf"] = self.collection.sparse(terms, depth, filter, scorer="tfidf")
        if mode in ("bm25", "hybrid"):
            with clock("bm25"):
                k1, b = settings.k1, settings.b
                stages["bm25"] = self.collection.sparse(terms, depth, filter, k1=k1, b=b)
        if mode in ("dense", "hybrid") and self.encoder:
            try:
                with clock("encode"):
                    vector = self.encoder.query(query)
                with clock("dense"):
                    found = crosslingual.search(self.collection, vector, depth, filter)
                stages["dense"], languages = found
            except _ENCODER_FAILED as e:
                if mode == "dense":
                    raise
                warnings.append(f"searched without vectors: {e}")
                mode = "bm25"
        order = next(iter(stages.values()))
        if mode == "hybrid":
            with clock("fuse"):
                order = self._fused(stages, self._unjudged(query, stages, languages))
            stages["fused"] = order
        if again:
            with clock("rerank"):
                order, _, features = self.features(order, stages, terms, again)
                order = rerank.linear(order, features, self._weights)
            stages["reranked"] = order
        return Ranking(query, mode, order, top_k, terms, stages, clock.ms, tuple(warnings))

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

    def _possible(self, mode: Mode, warnings: list[str]) -> Mode:
        """``mode``, or the part of it that can be done, with a warning."""
        if mode in ("bm25", "tfidf"):
            return mode
        if self.encoder is None:
            if mode == "dense":
                raise ConfigError(f"dense search is not possible: {self._lacking}")
            warnings.append(f"searched without vectors: {self._lacking}")
            return "bm25"
        if missing := self.collection.outstanding():
            total = self.collection.count()
            warnings.append(f"{missing:,} of {total:,} passages have no vector yet")
            if mode == "hybrid" and missing == total:
                return "bm25"
        return mode

    def _unjudged(
        self, query: str, legs: dict[str, fuse.Scored], languages: dict[str, tuple[str, ...]]
    ) -> fuse.Unjudged:
        """Passages that a leg could say nothing of: without vector, or in another language."""
        lexical = [id_ for id_, _ in legs["bm25"]]
        own = detect(query)
        foreign = {id_ for id_, group in languages.items() if own not in group}
        return {
            "dense": dict.fromkeys(self.collection.without_vector(lexical), 1.0),
            "bm25": dict.fromkeys(foreign.difference(lexical), FOREIGN),
        }

    def _fused(self, legs: dict[str, fuse.Scored], unjudged: fuse.Unjudged) -> fuse.Scored:
        share = self.settings.dense_weight
        weights = {"bm25": 1 - share, "dense": share}
        method = fuse.convex if self.settings.fusion == "convex" else fuse.rrf
        return method(legs, weights, unjudged)

    def features(
        self, order: fuse.Scored, stages: Mapping[str, fuse.Scored], terms: list[str], count: int
    ) -> tuple[fuse.Scored, list[Chunk], NDArray[np.float64]]:
        """``order`` without what is gone of its first ``count``; these, and what a reranker sees.

        The features are ``(n, len(rerank.FEATURES)) float64``.
        """
        chunks = self.collection.fetch([id_ for id_, _ in order[:count]])
        left = [(id_, score) for id_, score in order[:count] if id_ in chunks]
        head = [chunks[id_] for id_, _ in left]
        idf = self.collection.idf(terms)
        found = rerank.features(terms, idf, head, {"fused": order, **stages})
        return left + order[count:], head, found

    def _hits(self, ranking: Ranking) -> tuple[Hit, ...]:
        legs = {name: dict(ranking.stages[name]) for name in LEGS if name in ranking.stages}
        order = ranking.order[: ranking.top_k]
        chunks = self.collection.fetch([id_ for id_, _ in order])
        found = [(id_, score) for id_, score in order if id_ in chunks]
        matches = matcher(ranking.terms)
        return tuple(
            Hit(
                rank=rank,
                score=score,
                chunk=chunks[id_],
                scores={leg: s[id_] for leg, s in legs.items() if id_ in s},
                matches=matches(chunks[id_].text),
            )
            for rank, (id_, score) in enumerate(found, 1)
        )


class _Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.ms[stage] = (time.perf_counter() - started) * 1000
