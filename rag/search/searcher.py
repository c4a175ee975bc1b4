"""Searches one collection: lexically, by vectors, or both. Knows neither prompts nor HTTP."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from rag.analysis import detect, language_term, load_analyser, terms
from rag.analysis.latin import STEMMERS, stemmed
from rag.encode import Encoder
from rag.errors import (
    BadQuery,
    ConfigError,
    DependencyMissing,
    IncompatibleIndex,
    LLMTimeout,
    LLMUnavailable,
    ModelMissing,
    Overloaded,
    SourceError,
)
from rag.index import Collection as Index
from rag.index.clauses import Query
from rag.index.matching import Matched
from rag.index.scorers import Kind
from rag.search import crosslingual, fuse, rerank
from rag.search.clock import Clock
from rag.search.query import parse
from rag.search.ranking import Ranking
from rag.settings import Settings
from rag.types import MODES, Chunk, Filter, Hit, Mode, SearchResult, encodable

MAX_TOP_K = 1000
FOREIGN = 0.3
"""Share of the lexical weight that a passage in another language than the question's gets back.

Chosen on two sets (``eval/LOG.md``): with 1, foreign passages push aside right ones of the own
language; with 0, the only page that answers, in another language, stays below the first three.
"""
_ENCODER_FAILED = (
    DependencyMissing, IncompatibleIndex, LLMTimeout, LLMUnavailable, ModelMissing, Overloaded,
    SourceError,
)  # fmt: skip
_NOWHERE = "\0"  # no passage's term; what any has weighs less
_MARKS = {language_term(code): code for code in STEMMERS if code != "en"}
LEGS = ("bm25", "tfidf", "dense")


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
        collection: Index,
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
        self.rerank_weights = rerank.weights(self.settings.rerank_weights) if linear else {}
        self.analyser = load_analyser(self.settings)
        collection.check("analyser", self.analyser.fingerprint)
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
        clock = Clock()
        languages: dict[str, tuple[str, ...]] = {}
        with clock("analyse"):
            spoken = self._languages()
            parsed = self.parse(query, spoken)
            matched = self.collection.match(parsed, filter, tolerant=settings.fuzzy)
            known = {term: near[0] for term, near in matched.corrected.items()}
            own = detect(parsed.text)
            words = terms(parsed.text, own if stemmed(own) in spoken else "en")
            asked = [known.get(term, term) for term in words]
        if mode == "tfidf":
            with clock("tfidf"):
                stages["tfidf"] = self.lexical(matched, depth, filter, "tfidf")
        if mode in ("bm25", "hybrid"):
            with clock("bm25"):
                stages["bm25"] = self.lexical(matched, depth, filter)
        if mode in ("dense", "hybrid") and self.encoder:
            try:
                with clock("encode"):
                    vector = self.encoder.query(parsed.text)
                with clock("dense"):
                    stages["dense"], languages = self.dense(vector, matched, depth, filter)
            except _ENCODER_FAILED as e:
                if mode == "dense":
                    raise
                warnings.append(f"searched without vectors: {e}")
                mode = "bm25"
        order = next(iter(stages.values()))
        if mode == "hybrid":
            with clock("fuse"):
                order = self._fused(stages, self._unjudged(own, stages, languages))
            stages["fused"] = order
        if again:
            with clock("rerank"):
                order, _, features = self.features(order, stages, asked, again)
                order = rerank.linear(order, features, self.rerank_weights)
            stages["reranked"] = order
        for term, near in matched.corrected.items():
            warnings.append(f"no passage has '{term}'; searched for '{', '.join(near)}'")
        said = tuple(warnings)
        return Ranking(query, mode, order, top_k, asked, matched, stages, clock.ms, said)

    def parse(self, query: str, languages: Collection[str] | None = None) -> Query:
        """``query`` as this collection understands it; its passages' ``languages`` may be known."""
        spoken = self._languages() if languages is None else languages
        return parse(query, self.analyser, spoken, self.settings.morpheme_weight)

    def _languages(self) -> list[str]:
        """Those of the passages whose words have other stems than English ones."""
        weights = self.collection.idf([*_MARKS, _NOWHERE])
        return [code for mark, code in _MARKS.items() if weights[mark] < weights[_NOWHERE]]

    def lexical(
        self,
        matched: Matched,
        k: int,
        filter: Filter | None,  # noqa: A002
        scorer: Kind = "bm25",
    ) -> fuse.Scored:
        """The best ``k`` passages by their terms."""
        how = self.parameters if scorer == "bm25" else {}
        return self.collection.sparse(matched, k, filter, scorer=scorer, **how)

    @property
    def parameters(self) -> dict[str, float]:
        """BM25's."""
        s = self.settings
        return {"k1": s.k1, "b": s.b, "head_weight": s.head_weight}

    def dense(
        self,
        vector: NDArray[np.float32],
        matched: Matched,
        k: int,
        filter: Filter | None,  # noqa: A002
    ) -> tuple[fuse.Scored, dict[str, tuple[str, ...]]]:
        """The best ``k`` passages by their vectors, and their languages, as ``crosslingual``."""
        bindings, space = matched.bindings, self.space
        return crosslingual.search(self.collection, vector, k, filter, bindings, space)

    @property
    def space(self) -> str | None:
        """The encoder whose vectors are searched, by its fingerprint; ``None`` before the first."""
        if self.encoder is None:
            return None
        own, among = self.encoder.fingerprint, self.collection.spaces()
        there = any(s.fingerprint == own or s.state == "serving" for s in among)
        return own if there else None

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
        if missing := self.collection.outstanding(encoder=self.space):
            total = self.collection.count()
            warnings.append(f"{missing:,} of {total:,} passages have no vector yet")
            if mode == "hybrid" and missing == total:
                return "bm25"
        return mode

    def _unjudged(
        self, own: str, legs: dict[str, fuse.Scored], languages: dict[str, tuple[str, ...]]
    ) -> fuse.Unjudged:
        """Passages that a leg could say nothing of: without vector, or in another language.

        A question in a language that no passage has, ``own``, counts as English.
        """
        lexical = [id_ for id_, _ in legs["bm25"]]
        if not any(own in group for group in languages.values()):
            own = "en"
        waiting = self.collection.without_vector(lexical, encoder=self.space)
        foreign = {id_ for id_, group in languages.items() if own not in group}
        return {
            "dense": dict.fromkeys(waiting, 1.0),
            "bm25": dict.fromkeys(foreign.difference(lexical), FOREIGN),
        }

    def _fused(self, legs: dict[str, fuse.Scored], unjudged: fuse.Unjudged) -> fuse.Scored:
        method = fuse.convex if self.settings.fusion == "convex" else fuse.rrf
        return method(legs, self.weights, unjudged)

    @property
    def weights(self) -> dict[str, float]:
        """What each retriever weighs in a fusion."""
        share = self.settings.dense_weight
        return {"bm25": 1 - share, "dense": share}

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
        matches = self.analyser.matcher({*ranking.terms, *ranking.matched.words})
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
