"""Which drafts are worth asking: what can be found again, and what was not asked before.

Knows neither how questions are made nor how many are wanted.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict

from eval.draft import Draft
from eval.passages import terms
from eval.places import covers
from rag.index import Collection
from rag.search import Searcher
from rag.types import Chunk

TOP = 20
"""A source must be among so many hits of one way to search."""
SIMILAR = 0.8
"""Two questions whose sets of terms have at least this Jaccard coefficient are the same."""
_DEPTH = 100
_EXACT = 1e-9
_ASKING = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|do|does|did|can|could|should|would|may"
    r"|has|have|had|i|me|my|you|your|we|our|about|from|than|there|between|each|know|work|___)\b"
    r"|(?<![가-힣])(?:무엇\w*|무슨|어떤|어떻게|어디\w*|언제\w*|누가|누구\w*|왜|얼마\w*|몇|각|들어갈"
    r"|말은)(?![가-힣])"
    r"|(?:하|되|있|없|인|한|된|했|됐|였|었)(?:나요|가요|습니까)|(?:합|됩|입|습)니까",
    re.IGNORECASE,
)


class RoundTrip:
    """Whether an oracle, the best of BM25, vectors and both, finds what a question is made from."""

    def __init__(self, searcher: Searcher) -> None:
        settings = searcher.settings.replace(depth=_DEPTH, rerank="none")
        self._searcher = Searcher(searcher.collection, searcher.encoder, settings)

    def fault(self, draft: Draft) -> str:
        """Why the question should be dropped; empty where it should not."""
        if len(draft.text) > self._searcher.settings.max_query_chars:
            return "too long"
        found = self._found(draft.text)
        if draft.kind == "unanswerable":
            wanted = substance(draft.text)
            if not wanted:
                return "too short"
            return "answered elsewhere" if any(wanted <= terms(c.context) for c in found) else ""
        spans = [_span(chunk) for chunk in found]
        again = (any(covers(span, _span(source)) for span in spans) for source in draft.sources)
        return "" if all(again) else "not found again"

    def _found(self, question: str) -> list[Chunk]:
        """The first ``TOP`` passages of each way to search."""
        ranking = self._searcher.rank(question, TOP, "hybrid")
        ids = {id_: None for stage in ranking.stages.values() for id_, _ in stage[:TOP]}
        return list(self._searcher.collection.fetch(list(ids)).values())


class Asked:
    """The questions so far."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._texts: set[str] = set()
        self._by_term: dict[str, list[frozenset[str]]] = defaultdict(list)

    def fault(self, text: str) -> str:
        """Why the question is no new one; empty, and it counts as asked, where it is.

        Only questions that share one of their rarest terms are compared: with all terms in one
        order, sets whose Jaccard coefficient is at least ``SIMILAR`` share one of their first
        ``len - ceil(SIMILAR * len) + 1`` terms (prefix filtering; Chaudhuri et al., ICDE 2006).
        """
        normal = normalized(text)
        if normal in self._texts:
            return "asked before"
        asked = frozenset(terms(text))
        rarity = self._collection.idf(asked)
        order = sorted(asked, key=lambda t: (-rarity[t], t))
        prefix = order[: len(order) - math.ceil(SIMILAR * len(order) - _EXACT) + 1]
        if any(jaccard(asked, other) >= SIMILAR for t in prefix for other in self._by_term[t]):
            return "nearly asked before"
        self._texts.add(normal)
        for term in prefix:
            self._by_term[term].append(asked)
        return ""


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def normalized(text: str) -> str:
    """The words of ``text``, case and width folded, with one blank between them."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def substance(question: str) -> set[str]:
    """The terms of ``question`` but for the words that only make it a question."""
    return terms(_ASKING.sub(" ", question))


def _span(chunk: Chunk) -> tuple[str, int, int]:
    return chunk.path, chunk.start, chunk.end
