"""Asks every configuration the same questions and says which is better, and how surely."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eval import measures, significance
from eval.answering import ANSWER_MEASURES, Answering
from eval.baselines import Baseline
from eval.bed import Beds, Watch, rank, unwatched
from eval.configuration import Configuration
from eval.dataset import Dataset, Query
from eval.explain import explain
from eval.machine import machine
from eval.places import Places
from eval.result import Comparison, Lost, Outcome, PerQuery, Result
from rag import __version__
from rag.errors import BadQuery
from rag.index import Collection
from rag.search.fuse import Scored
from rag.types import Chunk


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes
    ----------
    names
        Measures; configurations are sorted and compared by the first.
    baseline
        The configuration that all others are compared with, beside the best one.
    worst
        How many of the best configuration's worst queries are explained.
    answering
        Asks for answers, too, where wanted; measures of answers may then be named.
    """

    names: tuple[str, ...] = measures.DEFAULT
    baseline: str | None = None
    worst: int = 0
    seed: int = 0
    command: str = ""
    answering: Answering | None = None


def run(
    dataset: Dataset,
    configurations: Sequence[Configuration],
    existing: Collection | None = None,
    plan: Plan = Plan(),
    watch: Watch = unwatched,
) -> Result:
    """Measure ``configurations`` on ``dataset``, on one shared analysis and encoding.

    Raises
    ------
    BadQuery
        There is nothing to ask or to compare, or a measure is unknown.
    """
    answering = plan.answering
    if existing and dataset.documents:
        raise BadQuery(
            f"'{dataset.name}' brings documents of its own, so no collection can be asked",
            remedy="Leave --collection out",
        )
    if existing and any(c.cut for c in configurations):
        raise BadQuery(f"the passages of '{existing.name}' are cut already")
    leading, *_ = plan.names
    names = [n for n in plan.names if not (answering and n in ANSWER_MEASURES)]
    names = [str(m) for m in measures.parse(names)]
    judged = dataset.judged
    if not judged and answering and leading in names:
        leading, names = "F1", []  # the questions have answers, but no documents to find
    if not judged and not answering:
        raise BadQuery(
            f"no query of '{dataset.name}' has a relevant document",
            remedy="Check the qrels and the split",
        )
    if answering:  # the baselines give none
        configurations = [c for c in configurations if c.system == "saem"]
    if not configurations:
        raise BadQuery("there is no configuration that gives answers")
    if plan.baseline and plan.baseline not in {c.name for c in configurations}:
        raise BadQuery(f"no configuration that can be compared is called '{plan.baseline}'")
    beds = Beds(dataset, existing, watch)
    try:
        runners = {c.name: Runner(c, configurations, beds) for c in configurations}
        missing = _missing(next(iter(runners.values())).places, dataset)
        outcomes = [r.outcome(judged, dataset, names, plan.seed, watch) for r in runners.values()]
        if answering:
            outcomes = _answered(outcomes, runners, dataset, plan, answering, watch)
        if leading not in outcomes[0].values:
            raise BadQuery(f"'{dataset.name}' has nothing to measure {leading} by")
        outcomes.sort(key=lambda o: -o.summary[leading].mean)
        values = {o.name: o.values[leading] for o in outcomes}
        collection = runners[outcomes[0].name].collection
        return Result(
            dataset=dataset.name,
            measure=leading,
            command=plan.command,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            machine="{cpu} x {cores}, {memory_gb} GB, {platform}".format_map(machine()),
            version=__version__,
            documents=collection.status().documents,
            passages=collection.count(),
            queries={q.id: q.text for q in (dataset.queries if answering else judged)},
            outcomes=tuple(outcomes),
            comparisons=_comparisons(leading, values, plan),
            lost=_lost([runners[o.name] for o in outcomes], judged, values, plan.worst),
            warnings=(*dataset.warnings, *missing, *(answering.notes if answering else ())),
        )
    finally:
        beds.close()


def _missing(places: Places, dataset: Dataset) -> tuple[str, ...]:
    """A warning of judged documents that the collection does not have.

    Raises
    ------
    BadQuery
        It has none of them.
    """
    judged = {place for q in dataset.queries for place in q.right}
    gone = sorted(place for place in judged if not places.exists(place))
    if not gone:
        return ()
    if len(gone) == len(judged):
        raise BadQuery(
            f"none of the documents that '{dataset.name}' names is there, as '{gone[0]}'",
            remedy="Name the collection that the questions are about; paths are those that "
            "`rag status --collection NAME` shows",
        )
    return (f"{len(gone)} of {len(judged)} relevant places are not there, as '{gone[0]}'",)


def _answered(
    outcomes: Sequence[Outcome],
    runners: Mapping[str, Runner],
    dataset: Dataset,
    plan: Plan,
    answering: Answering,
    watch: Watch,
) -> list[Outcome]:
    found = []
    for outcome in outcomes:
        searcher = runners[outcome.name].searcher
        with watch(f"{outcome.name}: answers", "queries") as progress:
            found.append(answering.add(outcome, searcher, dataset, plan.seed, progress))
    return answering.preferred(found, dataset, plan.baseline or found[0].name, plan.seed)


def _lost(
    runners: Sequence[Runner], queries: Sequence[Query], values: Mapping[str, PerQuery], count: int
) -> tuple[Lost, ...]:
    """The worst queries of the best configuration of ours."""
    ours = next((r for r in runners if r.configuration.system == "saem"), None)
    if not (count and ours):
        return ()
    judged = [q for q in queries if q.id in values[ours.name]]
    return explain(ours.searcher, ours.places, judged, values[ours.name], count)


class Runner:
    """One configuration over the collection that it needs."""

    def __init__(
        self,
        configuration: Configuration,
        among: Iterable[Configuration],
        beds: Beds,
    ) -> None:
        self.configuration = configuration
        self.name = configuration.name
        settings = configuration.settings
        if not configuration.vectors:  # share the collection of one that needs vectors
            same = (c.settings for c in among if c.vectors and _alike(c, configuration))
            other = next(same, settings.replace(encoder="none"))
            settings = settings.replace(encoder=other.encoder, encoder_model=other.encoder_model)
        shared = settings.encoder != "none"
        self.searcher = beds.searcher(settings, cut=configuration.cut, vectors=shared)
        self.collection = self.searcher.collection
        self.places = beds.places(self.collection)
        self._encoder = beds.encoder(settings) if configuration.vectors else None
        self._baseline: Baseline | None = None
        if configuration.system != "saem":
            self._baseline = Baseline(configuration.system, passages(self.collection))

    def rank(self, query: Query, depth: int) -> tuple[Scored, Mapping[str, float], tuple[str, ...]]:
        """Passages, milliseconds by stage, and warnings."""
        if self._baseline:
            started = time.perf_counter()
            ranked = self._baseline.rank(query.text, depth)
            return ranked, {"total": (time.perf_counter() - started) * 1000}, ()
        ranking = rank(self.searcher, query.text, depth)
        spent = dict(ranking.milliseconds)
        if self._encoder and "encode" in spent:  # maybe encoded for another configuration
            spent["encode"] = self._encoder.milliseconds[ranking.query]
        return ranking.order, spent | {"total": sum(spent.values())}, ranking.warnings

    def outcome(
        self,
        queries: Sequence[Query],
        dataset: Dataset,
        names: Sequence[str],
        seed: int,
        watch: Watch = unwatched,
    ) -> Outcome:
        rankings: dict[str, tuple[tuple[str, float], ...]] = {}
        spent: dict[str, dict[str, float]] = {}
        notes: dict[str, int] = {}
        depth = measures.deepest(measures.parse(names))
        with watch(self.name, "queries") as progress:
            for done, query in enumerate(queries, 1):
                ranked, stages, warnings = self.rank(query, depth)
                rankings[query.id] = self.places.of(query, ranked)
                for stage, ms in stages.items():
                    spent.setdefault(stage, {})[query.id] = ms
                for warning in warnings:
                    notes[warning] = notes.get(warning, 0) + 1
                progress(done, len(queries))
        values = measures.per_query(dataset, rankings, names)
        return Outcome(
            name=self.name,
            settings=self.configuration.described(),
            values=values,
            summary={m: significance.interval([*v.values()], seed) for m, v in values.items()},
            milliseconds=spent,
            curves={"recall": measures.recall_curve(dataset, rankings)},
            rankings=rankings,
            notes=tuple(f"{count} queries: {note}" for note, count in notes.items()),
        )


def passages(collection: Collection) -> list[Chunk]:
    """All live passages."""
    return [p for d in collection.documents() for p in collection.passages(d.id)]


def _alike(a: Configuration, b: Configuration) -> bool:
    """Whether both can search one collection."""
    ways = [(c.settings.chunk_tokens, c.settings.chunking) for c in (a, b)]
    return a.cut == b.cut and (ways[0] == ways[1] or not a.cut)


def _comparisons(
    leading: str, values: Mapping[str, Mapping[str, float]], plan: Plan
) -> tuple[Comparison, ...]:
    best, *others = values
    pairs = [(name, best) for name in others]
    if plan.baseline and plan.baseline != best:
        pairs += [(n, plan.baseline) for n in others if n != plan.baseline]
    return significance.compare(leading, values, pairs, plan.seed)
