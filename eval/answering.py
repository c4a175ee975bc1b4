"""Answers of the configurations under comparison: how they are asked for, and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eval import measures, significance
from eval.answers import AnswerMeasures, measure_answers
from eval.dataset import Dataset, Query
from eval.judge import Judge, agreement
from eval.result import Interval, Outcome, PerQuery
from eval.rubric import Rubric
from indexer.report import Progress
from rag.answer import Answerer
from rag.answer.llm import HttpLLM, load_llm
from rag.errors import RagError
from rag.search import Searcher
from rag.settings import Settings

ANSWER_MEASURES = (
    "EM",
    "F1",
    "contains",
    "answer_in_citation",
    "citation_precision",
    "citation_recall",
    "support",
    "abstained_right",
    "judge",
    "preferred",
)


def measure_names(names: Sequence[str], *, answers: bool) -> tuple[str, ...]:
    """``names`` as results have them, each once; those of answers only where there are such.

    Raises
    ------
    BadQuery
        There is no such measure.
    """
    known = ANSWER_MEASURES if answers else ()
    found = (n if n in known else str(*measures.parse([n])) for n in names)
    return tuple(dict.fromkeys(found))


@dataclass(slots=True)
class Answering:
    """Asks each configuration for answers.

    Attributes
    ----------
    judge
        A language model that scores them, if there is one.
    prices
        Of a million prompt tokens and a million answer tokens.
    notes
        How far the judge agrees with people.
    """

    judge: Judge | None = None
    prices: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()
    measured: dict[str, AnswerMeasures] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        settings: Settings,
        rubric: Path | None,
        labels: Path | None,
        prices: tuple[float, float],
    ) -> Answering:
        """As the settings and the command line have it."""
        if not settings.judge_url:
            return cls(prices=prices)
        llm = HttpLLM(
            settings.judge_url, settings.judge_model, settings.judge_key, settings.llm_timeout
        )
        judge = Judge(llm, Rubric.load(rubric))
        if labels is None:
            return cls(judge, prices)
        found = agreement(judge, labels)
        note = (f"the judge {llm.name} agrees with {found.n} labels: accuracy "
                f"{found.accuracy:.2f}, Cohen's kappa {found.kappa:.2f}")  # fmt: skip
        return cls(judge, prices, (note,))

    def add(
        self, outcome: Outcome, searcher: Searcher, dataset: Dataset, seed: int, progress: Progress
    ) -> Outcome:
        """``outcome`` with the measures of its answers to all queries."""
        llm = load_llm(searcher.settings)
        try:
            found = measure_answers(Answerer(searcher, llm), dataset, judge=self.judge,
                                    prices=self.prices, progress=progress)  # fmt: skip
        finally:
            if llm:
                llm.close()
        self.measured[outcome.name] = found
        spent = {f"answer {stage}": ms for stage, ms in found.milliseconds.items()}
        return replace(
            outcome,
            values={**outcome.values, **found.values},
            summary={**outcome.summary, **_summary(found.values, seed)},
            milliseconds={**outcome.milliseconds, **spent},
            curves={**outcome.curves, **found.curves},
            totals=found.totals,
            notes=(*outcome.notes, *found.notes),
        )

    def preferred(
        self, outcomes: Sequence[Outcome], dataset: Dataset, baseline: str, seed: int
    ) -> list[Outcome]:
        """``outcomes`` with the judge's choice between each one's answers and the baseline's.

        1 where the answer is better, 0 where the baseline's is, 0.5 where they are alike.
        """
        if not self.judge or len(outcomes) < 2:
            return list(outcomes)
        base = self.measured[baseline].predictions
        found = []
        for outcome in outcomes:
            said = self.measured[outcome.name].predictions
            choice, failed = {}, 0
            for query in dataset.queries:
                if query.id in said and query.id in base:
                    try:
                        choice[query.id] = self._choice(query, said[query.id], base[query.id])
                    except RagError:
                        failed += 1
            values = {"preferred": choice} if choice else {}
            notes = (f"the judge compared all but {failed} answers",) if failed else ()
            found.append(
                replace(
                    outcome,
                    values={**outcome.values, **values},
                    summary={**outcome.summary, **_summary(values, seed)},
                    notes=(*outcome.notes, *notes),
                )
            )
        return found

    def _choice(self, query: Query, answer: str, other: str) -> float:
        if answer == other or self.judge is None:
            return 0.5
        reference = query.answers[0] if query.answers else ""
        verdict = self.judge.pairwise(query.text, answer, other, reference)
        return 0.5 if verdict is None else (verdict + 1) / 2


def _summary(values: Mapping[str, PerQuery], seed: int) -> dict[str, Interval]:
    return {name: significance.interval([*v.values()], seed) for name, v in values.items()}
