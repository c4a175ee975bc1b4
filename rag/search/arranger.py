"""The last steps of a ranking: boosts and age, few passages of a document, no two that are alike.

Knows passages by their ids; asks the collection for what each step needs, and for nothing if no
step is wanted.
"""

from __future__ import annotations

from rag import analysis
from rag.index import Collection
from rag.search.boosts import boosted, parse_boosts
from rag.search.diversify import grouped, mmr, similarity
from rag.search.fuse import Scored
from rag.settings import Settings


class Arranger:
    """Does what ``boosts``, ``recency_days``, ``per_document`` and ``diversity`` say.

    Raises
    ------
    ConfigError
        A boost is not written as one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._boosts = parse_boosts(settings.boosts)
        self._boosting = bool(self._boosts or settings.recency_days)
        self.wanted = bool(self._boosting or settings.per_document or settings.diversity)

    def __call__(self, order: Scored, collection: Collection, top_k: int) -> dict[str, Scored]:
        """``order`` after each step that is wanted, in turn: ``boosted``, ``diversified``."""
        stages: dict[str, Scored] = {}
        settings = self._settings
        if self._boosting or settings.per_document:
            about = collection.about([id_ for id_, _ in order])
        if self._boosting:
            order = stages["boosted"] = boosted(
                order,
                about,
                self._boosts,
                recency_days=settings.recency_days,
                recency_field=settings.recency_field,
            )
        if settings.per_document:
            documents = {id_: one.document for id_, one in about.items()}
            order = stages["diversified"] = grouped(order, documents, settings.per_document)
        if settings.diversity:
            order = stages["diversified"] = self._diverse(order, collection, top_k)
        return stages

    def _diverse(self, order: Scored, collection: Collection, top_k: int) -> Scored:
        ids = [id_ for id_, _ in order[: max(self._settings.depth, top_k)]]
        vectors = collection.vectors(ids)
        read = collection.fetch(ids) if len(vectors) < len(ids) else {}
        terms = {
            id_: analysis.terms(chunk.context, analysis.detect(chunk.text))
            for id_, chunk in read.items()
        }
        means = collection.centroids().values() if vectors else ()
        usual = sum(float(mean @ mean) for mean in means) / max(len(means), 1)
        similar = similarity(ids, vectors, terms, usual)
        return mmr(order, similar, self._settings.diversity, top_k)
