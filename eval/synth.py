"""Synthetic questions from a collection's own passages, each with the place that answers it.

Draws passages evenly from the documents, has questions made of them (by a language model where
there is one, else by rule), and keeps those that survive the round trip. Knows no file format.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eval.asking import Asker
from eval.cloze import Floor
from eval.dataset import Dataset, Query
from eval.draft import KINDS, LANGUAGES, Draft, Kind, Rejected, place
from eval.passages import Passages
from eval.roundtrip import Asked, RoundTrip
from eval.worker import Worker
from indexer.report import Progress, quiet
from rag.answer.llm import LLM
from rag.errors import BadQuery, LLMTimeout, LLMUnavailable
from rag.search import Searcher
from rag.types import digest

_LLM_VISITS = 4
_FLOOR_VISITS = 20
"""Passages looked at for each question wanted, at most."""
_PATIENCE = 10
"""A language model that has so many tries and no question kept is given up."""


@dataclass
class Tally:
    """What became of the questions of one kind; ``dropped`` counts by reason."""

    generated: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made and what was dropped.

    Attributes
    ----------
    passages
        How many were looked at.
    kinds
        Kind of question to what became of it.
    notes
        What could not be done, and why.
    """

    passages: int
    kinds: Mapping[Kind, Tally]
    notes: tuple[str, ...] = ()


def synthesize(
    searcher: Searcher,
    llm: LLM | None = None,
    *,
    count: int = 100,
    kinds: Sequence[Kind] = KINDS,
    languages: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> tuple[Dataset, Summary]:
    """At most ``count`` questions about the collection, the same for the same seed.

    Parameters
    ----------
    llm
        Asks the questions; what it cannot do is made by rule. With ``None`` all is.
    kinds
        Balanced where possible. ``paraphrase`` and ``cross`` need a language model.
    languages
        Of the passages, ``ko`` and ``en``; by default both, in the collection's proportion.

    Returns
    -------
    dataset
        Without documents: the questions are about the collection. Each one's labels say its
        ``language``, ``kind``, ``method`` (``cloze``, ``title``, ``llm``), ``source``,
        ``version``, ``seed`` and, by ``llm``, the ``model``.
    summary

    Raises
    ------
    BadQuery
        ``count`` is below 1, or a kind or language is unknown.
    """
    languages = LANGUAGES if languages is None else languages
    _check(count, kinds, languages)
    run = _Run(searcher, count, kinds, languages, seed, progress)
    run.go(llm)
    return run.dataset(), run.summary()


def _check(count: int, kinds: Sequence[str], languages: Sequence[str]) -> None:
    if count < 1:
        raise BadQuery(f"the number of questions must be 1 or more, not {count}")
    for what, given, known in (("kind", kinds, KINDS), ("language", languages, LANGUAGES)):
        remedy = f"Name some of {', '.join(known)}"
        if not given:
            raise BadQuery(f"no {what} of questions is named", remedy=remedy)
        if unknown := sorted(set(given).difference(known)):
            raise BadQuery(f"questions have no {what} '{unknown[0]}'", remedy=remedy)


def _query(draft: Draft, seed: int) -> Query:
    answerable = draft.kind != "unanswerable"
    labels = {
        "language": draft.language,
        "kind": draft.kind,
        "method": draft.method,
        "source": ", ".join(dict.fromkeys(c.path for c in draft.sources)),
        "version": ", ".join(dict.fromkeys(c.version for c in draft.sources)),
        "seed": str(seed),
    }
    return Query(
        id=f"synth-{digest(draft.text)[:12]}",
        text=draft.text,
        relevant={place(c): 1 for c in draft.sources} if answerable else {},
        answers=(draft.answer,) if draft.answer else (),
        answerable=answerable,
        labels=labels | ({"model": draft.model} if draft.model else {}),
    )


class _Run:
    """The questions kept so far, and what it takes to judge the next one."""

    def __init__(
        self,
        searcher: Searcher,
        count: int,
        kinds: Sequence[Kind],
        languages: Sequence[str],
        seed: int,
        progress: Progress,
    ) -> None:
        self._collection = searcher.collection
        self._round_trip = RoundTrip(searcher)
        self._asked = Asked(searcher.collection)
        self._count = count
        self._seed = seed
        self._progress = progress
        self._tallies = {kind: Tally() for kind in kinds}
        self._kept: list[Draft] = []
        self._by_language: Counter[str] = Counter()
        self._looked_at: set[str] = set()
        self._notes: list[str] = []
        self._shares = self._proportions(languages)

    def go(self, llm: LLM | None) -> None:
        """Make the questions: as many of each kind and language first, then what is lacking."""
        by_rule = Worker(
            Floor(self._collection),
            Passages(self._collection, self._seed),
            tuple(self._shares),
            visits=_FLOOR_VISITS * self._count,
            tries=len(Floor.kinds),
        )
        asking = self._asking(llm) if llm else None
        for even_kinds, even_languages in ((True, True), (False, True), (False, False)):
            if asking and even_languages and not self._asked_enough(asking, even_kinds):
                asking = None
            limit = self._limit(KINDS if asking else Floor.kinds, even_kinds)
            self._work(by_rule, limit, even_languages)
        if lacking := [k for k in self._tallies if not asking and k not in Floor.kinds]:
            self._notes.append(f"{' and '.join(lacking)} need a language model")
        if len(self._kept) < self._count:
            self._notes.append(f"the passages gave {len(self._kept)} of {self._count} questions")

    def dataset(self) -> Dataset:
        queries = tuple(_query(draft, self._seed) for draft in self._kept)
        return Dataset(name=f"{self._collection.name}-synthetic", queries=queries)

    def summary(self) -> Summary:
        return Summary(len(self._looked_at), self._tallies, tuple(self._notes))

    def _proportions(self, languages: Sequence[str]) -> dict[str, float]:
        """Share of the passages that each language has, among those wanted."""
        passages: Counter[str] = Counter()
        for document in self._collection.documents():
            passages[document.language] += document.chunks
        wanted = {la: passages[la] for la in languages if passages[la]}
        if not wanted:
            self._notes.append(f"the collection has no documents in {', '.join(languages)}")
        return {la: number / sum(wanted.values()) for la, number in wanted.items()}

    def _asking(self, llm: LLM) -> Worker | None:
        """The language model at its work; ``None`` where it cannot be reached."""
        try:
            spoken = [la for la in self._shares if not llm.languages or la in llm.languages]
            if silent := [la for la in self._shares if la not in spoken]:
                self._notes.append(f"{llm.name} does not write {', '.join(silent)}: made by rule")
        except (LLMUnavailable, LLMTimeout) as e:
            self._notes.append(f"made by rule: {e}")
            return None
        return Worker(
            Asker(llm, self._collection),
            Passages(self._collection, self._seed),
            spoken,
            visits=_LLM_VISITS * self._count,
            tries=1,
            patience=_PATIENCE,
        )

    def _asked_enough(self, asking: Worker, even_kinds: bool) -> bool:
        """Let the language model work; False, and noted, where it cannot go on."""
        try:
            self._work(asking, self._limit(KINDS, even_kinds), even_languages=True)
        except (LLMUnavailable, LLMTimeout) as e:
            self._notes.append(f"the rest is made by rule: {e}")
            return False
        if asking.hopeless:
            self._notes.append(
                f"of {_PATIENCE} replies by the language model none made a question: made by rule"
            )
        return not asking.hopeless

    def _limit(self, possible: Sequence[Kind], even: bool) -> int:
        kinds = [kind for kind in self._tallies if kind in possible]
        return math.ceil(self._count / len(kinds)) if even and kinds else self._count

    def _work(self, worker: Worker, limit: int, even_languages: bool) -> None:
        """Go through passages until there are enough questions or nothing more to make."""
        worker.resume()
        languages = list(worker.languages)
        while worker.visits > 0 and not worker.hopeless and len(self._kept) < self._count:
            kept = {k: t.kept for k, t in self._tallies.items() if k in worker.kinds}
            kept = {k: n for k, n in kept.items() if n < limit}
            if even_languages:
                languages = [la for la in languages if self._by_language[la] < self._due(la)]
            if not (kept and languages):
                return
            language = min(
                languages,
                key=lambda la: (self._by_language[la] + worker.seen[la]) / self._shares[la],
            )
            passage = worker.visit(language, kept, self._judge)
            if passage is None:
                languages.remove(language)
            else:
                self._looked_at.add(passage.id)
            self._progress(len(self._kept), self._count)

    def _due(self, language: str) -> int:
        return math.ceil(self._count * self._shares[language])

    def _judge(self, kind: Kind, draft: Draft | Rejected, language: str) -> bool:
        """Keep the question, or count why not."""
        tally = self._tallies[kind]
        tally.generated += 1
        if isinstance(draft, Rejected):
            fault = draft.reason
        else:
            fault = self._round_trip.fault(draft) or self._asked.fault(draft.text)
        if fault or isinstance(draft, Rejected):
            tally.dropped[fault] += 1
            return False
        tally.kept += 1
        self._by_language[language] += 1
        self._kept.append(draft)
        return True
