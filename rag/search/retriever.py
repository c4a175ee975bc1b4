"""From a question to one list of passages: what it asks, the retrievers' lists, their fusion.

Knows no passage's text, and nothing of what is done with the list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.analysis import asked_in, load_analyser, terms
from rag.encode import Encoder
from rag.errors import (
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
from rag.index.clauses import Clause, Query
from rag.index.matching import Matched
from rag.index.scorers import Kind
from rag.search import crosslingual, fuse, rerank, weighing
from rag.search.clock import Clock
from rag.search.languages import spoken
from rag.search.query import parse
from rag.search.ranking import Ranking
from rag.search.weighing import Question, Row
from rag.settings import Settings
from rag.types import Filter, Mode

FOREIGN = 0.3
"""Share of the lexical weight that a passage in another language than the question's gets back.

Chosen on two sets (``eval/LOG.md``): with 1, foreign passages push aside right ones of the own
language; with 0, the only page that answers, in another language, stays below the first three.
"""
_METHODS = {"convex": fuse.convex, "rrf": fuse.rrf, "dbsf": fuse.dbsf, "isr": fuse.isr}
ENCODER_FAILED = (
    DependencyMissing, IncompatibleIndex, LLMTimeout, LLMUnavailable, ModelMissing, Overloaded,
    SourceError,
)  # fmt: skip
LEGS = ("bm25", "tfidf", "dense")


class Retriever:
    """Ranks the passages of ``collection`` for a question.

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
        encoder: Encoder | None,
        settings: Settings,
        lacking: str = "",
    ) -> None:
        self.collection = collection
        self.encoder = encoder
        self.settings = settings
        self._lacking = lacking or "no encoder is set"
        linear = "linear" in (settings.fusion, settings.rerank)
        self.rerank_weights = rerank.weights(settings.rerank_weights) if linear else {}
        self.analyser = load_analyser(settings)
        collection.check("analyser", self.analyser.fingerprint)
        if encoder:
            collection.check("encoder", encoder.fingerprint)

    def retrieve(
        self,
        query: str,
        top_k: int,
        mode: Mode,
        filter: Filter | None,  # noqa: A002 - the field's word
        depth: int = 0,
        bindings: tuple[Clause, ...] = (),
    ) -> Ranking:
        """The passages for ``query``, ``depth`` of each retriever at least.

        They also meet ``bindings``, another question's.

        Raises
        ------
        ConfigError
            ``mode`` is dense and there is no encoder.
        """
        warnings: list[str] = []
        mode = self._possible(mode, warnings)
        settings = self.settings
        depth = max(depth, top_k, settings.depth if mode == "hybrid" else 0)
        stages: dict[str, fuse.Scored] = {}
        clock = Clock()
        features: dict[str, Row] = {}
        with clock("analyse"):
            among = spoken(self.collection, query)
            parsed = self.parse(query, among)
            matched = self.collection.match(parsed, filter, tolerant=settings.fuzzy)
            matched = replace(matched, bindings=(*bindings, *matched.bindings))
            known = {term: near[0] for term, near in matched.corrected.items()}
            words = terms(parsed.text, asked_in(parsed.text, among))
            asked = [known.get(term, term) for term in words]
            question = Question(parsed.text, matched, tuple(among))
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
                question = replace(question, vector=vector, languages=languages)
            except ENCODER_FAILED as e:
                if mode == "dense":
                    raise
                warnings.append(f"searched without vectors: {e}")
                mode = "bm25"
        order = next(iter(stages.values()))
        if mode == "hybrid":
            with clock("fuse"):
                order, features = self._fused(question, stages)
            stages["fused"] = order
        for term, near in matched.corrected.items():
            warnings.append(f"no passage has '{term}'; searched for '{', '.join(near)}'")
        said = tuple(warnings)
        return Ranking(
            query, mode, order, top_k, asked, matched, stages, clock.ms, question, said, features
        )

    def parse(self, query: str, languages: Collection[str] | None = None) -> Query:
        """``query`` as this collection understands it; its passages' ``languages`` may be known."""
        among = spoken(self.collection, query) if languages is None else languages
        return parse(query, self.analyser, among, self.settings.morpheme_weight)

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

    def _unjudged(self, question: Question, legs: dict[str, fuse.Scored]) -> fuse.Unjudged:
        """Passages that a leg could say nothing of: without vector, or in another language."""
        lexical = [id_ for id_, _ in legs["bm25"]]
        waiting = self.collection.without_vector(lexical, encoder=self.space)
        return {
            "dense": dict.fromkeys(waiting, 1.0),
            "bm25": dict.fromkeys(question.foreign.difference(lexical), FOREIGN),
        }

    def _fused(
        self, question: Question, legs: dict[str, fuse.Scored]
    ) -> tuple[fuse.Scored, dict[str, Row]]:
        """The legs' passages in one order; and their features, where these make it."""
        method = self.settings.fusion
        if method == "linear":
            ids = list(dict.fromkeys(id_ for leg in legs.values() for id_, _ in leg))
            features = self.features(question, ids, legs)
            order = rerank.linear([(id_, 0.0) for id_ in ids], features, self.rerank_weights)
            return order, features
        unjudged = self._unjudged(question, legs)
        if method == "theoretical":
            bounds = weighing.bounds(self.collection, question, self.parameters, self.space)
            return fuse.theoretical(legs, self.weights, unjudged, bounds=bounds), {}
        return _METHODS[method](legs, self.weights, unjudged), {}

    @property
    def weights(self) -> dict[str, float]:
        """What each retriever weighs in a fusion of lists."""
        share = self.settings.dense_weight
        return {"bm25": 1 - share, "dense": share}

    def features(
        self, question: Question, ids: Sequence[str], stages: Mapping[str, fuse.Scored]
    ) -> dict[str, Row]:
        """What is known of each of the passages ``ids``, as `rag.search.weighing` has it."""
        return weighing.features(
            self.collection, self.analyser, question, ids, stages, self.parameters, self.space,
            weighing.freshness(self.collection, self.settings, ids),
        )  # fmt: skip
