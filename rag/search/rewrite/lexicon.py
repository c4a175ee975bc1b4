"""Which words the passages have that may be found, as repairs ask. Knows no question."""

from __future__ import annotations

from collections.abc import Iterable

from rag.analysis import Analyser
from rag.analysis.analyser import MORPHEME
from rag.index import Collection
from rag.index.clauses import Clause, Query
from rag.index.matching import SHARE
from rag.search.languages import NOWHERE
from rag.search.query import placed
from rag.types import Filter


class Lexicon:
    """The terms of ``collection``'s passages that ``filter`` lets through."""

    def __init__(
        self,
        collection: Collection,
        analyser: Analyser,
        filter: Filter | None = None,  # noqa: A002 - the field's word
    ) -> None:
        self.analyser = analyser
        self._collection = collection
        self._filter = filter

    def known(self, terms: Iterable[str]) -> set[str]:
        """Those of ``terms`` that a passage has."""
        choices = tuple((NOWHERE, term) for term in dict.fromkeys(terms))
        found = self._collection.match(Query((), choices=choices), self._filter, tolerant=False)
        return set(found.terms) - {NOWHERE}

    def nouns(self, words: Iterable[str]) -> set[str]:
        """Those of the Korean ``words`` that a passage has as a morpheme."""
        return {term[len(MORPHEME) :] for term in self.known(MORPHEME + word for word in words)}

    def misspelt(self, term: str) -> bool:
        """Whether ``term``, which no passage has, is one slip from one that some have."""
        found = self._collection.match(Query((term,)), self._filter)
        return bool(found.corrected) and max(found.terms.values()) == SHARE[1]

    def occurs(self, text: str) -> bool:
        """Whether a passage has ``text`` as it is written, apart from stop words and endings."""
        terms = placed(text, self.analyser, "en")
        if len(terms) < 2:
            return bool(self.known(term for term, _ in terms))
        query = Query((), (Clause("phrase", "should", terms),))
        found = self._collection.match(query, self._filter, tolerant=False)
        return bool(found.phrases)
