"""Measures an answerer on a data set: its answers, their citations, when it abstains, its cost.

Knows neither how answers are made nor how results are shown.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

from eval import citations, textmatch
from eval.abstention import answered_at, aurc, operating, risk_coverage
from eval.citations import Supports
from eval.dataset import Dataset, Query
from eval.judge import Judge
from eval.metered import Call, Metered
from eval.result import Curve, PerQuery
from indexer.report import Progress, quiet
from rag.analysis import detect
from rag.answer import Answerer
from rag.errors import RagError
from rag.types import Answer, Mode, SearchResult

_RIGHT = 0.5
_MOST = (0.05, 0.1, 0.2, 0.5)
_JUDGED = 5
"""The judge sees as many passages, or more where a later one is cited."""


@dataclass(frozen=True, slots=True)
class AnswerMeasures:
    """What an answerer did.

    Attributes
    ----------
    values
        Measure to each query's value, 0 to 1, 0 where the answer failed. ``EM``, ``F1``,
        ``contains`` (of queries with accepted answers or known to have none),
        ``answer_in_citation`` (of those with accepted answers), ``citation_precision``,
        ``citation_recall``, ``support``, ``abstained_right`` and, with a judge, ``judge``. An
        abstention has 1 in all of them if the question has no answer, else 0: SQuAD 2.0's rule.
    milliseconds
        Stage to each query's time. ``total``; ``search``; where a language model was asked, the
        waiting for it, ``llm``, and of that the part before its first piece, ``first_token``.
    curves
        ``risk-coverage``: share of questions answered and share of those answered wrongly, by
        falling confidence. Wrong is an answer to a question without one; one that
        neither contains an accepted answer nor has F1 of 0.5; or, where none is known, one that
        the judge gives less than 0.5. The curve ends where the answerer itself abstains;
        ``min_confidence = 0`` gives all of it. ``operating``, where questions of both kinds are:
        share of unanswerable questions and share of answerable ones above each confidence.
    totals
        ``prompt_tokens``, ``answer_tokens``, ``cost``, ``abstained``, ``degraded`` (quotations
        because the model failed), and ``aurc``, of the risk-coverage curve.
    predictions
        The answers' texts.
    notes
        What could not be done or measured, and why.
    """

    values: Mapping[str, PerQuery]
    milliseconds: Mapping[str, PerQuery]
    curves: Mapping[str, Curve]
    totals: Mapping[str, float]
    predictions: Mapping[str, str]
    notes: tuple[str, ...]


def measure_answers(
    answerer: Answerer,
    dataset: Dataset,
    *,
    mode: Mode | None = None,
    top_k: int | None = None,
    judge: Judge | None = None,
    prices: tuple[float, float] = (0.0, 0.0),
    progress: Progress = quiet,
) -> AnswerMeasures:
    """Ask ``answerer`` every question of ``dataset``.

    Parameters
    ----------
    judge
        Marks the answers, and says whether passages bear out statements; without one, shared
        terms decide that.
    prices
        Of a million tokens of prompt and of answer.
    """
    unread = judge.unusable if judge else 0
    notes = _Notes()
    marker = _Marker(answerer, judge, notes)
    asked: list[_Asked] = []
    values: dict[str, dict[str, float]] = {}
    spent: dict[str, dict[str, float]] = {}
    for query in dataset.queries:
        one = _ask(answerer, query, mode, top_k)
        asked.append(one)
        for measure, value in marker.marks(one).items():
            values.setdefault(measure, {})[query.id] = value
        for stage, ms in one.milliseconds.items():
            spent.setdefault(stage, {})[query.id] = ms
        progress(len(asked), len(dataset.queries))
    if judge and judge.unusable > unread:
        notes.said.append(f"{judge.unusable - unread} judgement(s) could not be read")
    curve = _curve(asked, values)
    served = _operating(asked)
    notes.said += _refusing(asked, served) if served else []
    prompt = sum(one.call.prompt_tokens for one in asked)
    said = sum(one.call.answer_tokens for one in asked)
    return AnswerMeasures(
        values,
        spent,
        {"risk-coverage": curve} | ({"operating": served} if served else {}),
        {
            "prompt_tokens": prompt,
            "answer_tokens": said,
            "cost": (prompt * prices[0] + said * prices[1]) / 1e6,
            "abstained": sum(one.answer.abstained for one in asked if one.answer),
            "degraded": sum(bool(one.answer.degraded) for one in asked if one.answer),
        }
        | ({"aurc": aurc(curve)} if curve else {}),
        {one.query.id: one.answer.text for one in asked if one.answer},
        notes.all(asked, judge),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question and what came of it; ``failure`` says why there is no answer."""

    query: Query
    answer: Answer | None
    milliseconds: Mapping[str, float]
    call: Call
    failure: str = ""


def _ask(answerer: Answerer, query: Query, mode: Mode | None, top_k: int | None) -> _Asked:
    meter = Metered(answerer.llm) if answerer.llm else None
    answerer = copy(answerer)
    answerer.llm = meter
    answer: Answer | None = None
    failure = ""
    spent: dict[str, float] = {}
    started = time.perf_counter()
    try:
        for event in answerer.stream(query.text, top_k, mode):
            if isinstance(event, SearchResult):
                spent["search"] = (time.perf_counter() - started) * 1000
            elif isinstance(event, Answer):
                answer = event
    except RagError as e:
        failure = str(e)
    spent["total"] = (time.perf_counter() - started) * 1000
    call = meter.take() if meter else Call()
    if call.ms:
        spent |= {"llm": call.ms, "first_token": call.first_token_ms}
    return _Asked(query, answer, spent, call, failure)


class _Notes:
    """What went wrong, said once for each kind."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.unjudged: list[str] = []
        self.unresolved = 0

    def all(self, asked: Sequence[_Asked], judge: Judge | None) -> tuple[str, ...]:
        failures = [one.failure for one in asked if one.failure]
        warnings = Counter(w for one in asked if one.answer for w in one.answer.warnings)
        found = [f"{count} queries: {warning}" for warning, count in warnings.items()]
        if failures:
            found.append(f"{len(failures)} question(s) failed, the first: {failures[0]}")
        if self.unjudged:
            found.append(f"{len(self.unjudged)} judgement(s) failed, the first: {self.unjudged[0]}")
        if self.unresolved:
            found.append(f"{self.unresolved} citation(s) do not resolve")
        by = "by the judge" if judge else "by shared terms, which is lenient"
        return (*found, *self.said, f"citation measures are {by}")


class _Marker:
    """Marks answers."""

    def __init__(self, answerer: Answerer, judge: Judge | None, notes: _Notes) -> None:
        self._collection = answerer.searcher.collection
        self._judge = judge
        self._supports: Supports = cache(judge.supports) if judge else citations.by_terms
        self._notes = notes

    def marks(self, asked: _Asked) -> dict[str, float]:
        """Each measure that applies to the question, with its value."""
        query, answer = asked.query, asked.answer
        if answer is None:
            return dict.fromkeys(self._measures(query), 0.0)
        if answer.abstained:
            return dict.fromkeys(self._measures(query), float(not query.answerable))
        marks = dict.fromkeys(self._measures(query), 0.0)
        marks["abstained_right"] = float(query.answerable)
        if query.answerable and query.answers:
            language = query.labels.get("language") or detect(query.text)
            marks["EM"] = textmatch.exact_match(answer.text, query.answers, language)
            marks["F1"] = textmatch.f1(answer.text, query.answers, language)
            marks["contains"] = textmatch.contains(answer.text, query.answers, language)
            marks["answer_in_citation"] = citations.answer_in_citation(
                answer, query.answers, language
            )
        self._cite(answer, marks)
        if self._judge and query.answerable:
            self._mark(self._judge, query, answer, marks)
        return marks

    def _measures(self, query: Query) -> list[str]:
        names = ["citation_precision", "citation_recall", "support", "abstained_right"]
        if query.answers or not query.answerable:
            names += ["EM", "F1", "contains"]
        if query.answers and query.answerable:
            names.append("answer_in_citation")
        return [*names, "judge"] if self._judge else names

    def _cite(self, answer: Answer, marks: dict[str, float]) -> None:
        self._notes.unresolved += sum(
            not citations.resolves(c, self._collection) for c in answer.citations
        )
        found = citations.statements(answer.text)
        passages = [hit.chunk.context for hit in answer.hits]
        try:
            marks |= {
                "citation_precision": citations.precision(found, passages, self._supports),
                "citation_recall": citations.recall(found, passages, self._supports),
                "support": citations.support(
                    found, answer.citations, self._collection, self._supports
                ),
            }
        except RagError as e:
            self._notes.unjudged.append(str(e))
            for name in ("citation_precision", "citation_recall", "support"):
                del marks[name]

    def _mark(self, judge: Judge, query: Query, answer: Answer, marks: dict[str, float]) -> None:
        shown = max([_JUDGED, *(c.n for c in answer.citations)])
        passages = [hit.chunk.context for hit in answer.hits[:shown]]
        reference = " / ".join(query.answers)
        del marks["judge"]
        try:
            verdict = judge.pointwise(query.text, answer.text, reference, passages)
        except RagError as e:
            self._notes.unjudged.append(str(e))
        else:
            marks |= {"judge": verdict.score} if verdict else {}


def _curve(asked: Sequence[_Asked], values: Mapping[str, PerQuery]) -> Curve:
    """Risk against coverage, over the questions whose answers can be told right from wrong."""
    known = {
        one.query.id: right for one in asked if (right := _right(one.query, values)) is not None
    }
    answered = [
        (one.answer.confidence, not known[one.query.id])
        for one in asked
        if one.answer and not one.answer.abstained and one.query.id in known
    ]
    return risk_coverage([c for c, _ in answered], [w for _, w in answered], len(known))


def _operating(asked: Sequence[_Asked]) -> Curve:
    """Which questions each threshold would answer, whatever the one in force; failed ones last."""
    return operating([_sure(one) for one in asked], [one.query.answerable for one in asked])


def _sure(one: _Asked) -> float:
    return one.answer.confidence if one.answer else -1.0


def _refusing(asked: Sequence[_Asked], curve: Curve) -> list[str]:
    """What abstaining does here, and what other thresholds would, in words."""
    thresholds = sorted({_sure(one) for one in asked}, reverse=True)
    points = []
    for most in _MOST:
        within = [t for t, (wrong, _) in zip(thresholds, curve, strict=True) if wrong <= most]
        least = f"{math.floor(within[-1] * 1000) / 1000:.3f}" if within else "1"
        points.append(f"{answered_at(curve, most):.1%} at {most:.0%} (min_confidence {least})")
    shares = []
    for answerable in (True, False):
        of = [one.answer for one in asked if one.query.answerable is answerable]
        given = [a for a in of if a and not a.abstained]
        sure = sum(not a.unsure for a in given)
        shares.append(f"{len(given) / len(of):.1%} ({sure / len(of):.1%} without a warning)")
    return [
        f"answered: {shares[0]} of the answerable questions, {shares[1]} of the others",
        f"answerable questions answered by the share of others that are: {', '.join(points)}",
    ]


def _right(query: Query, values: Mapping[str, PerQuery]) -> bool | None:
    """Whether its answer, if it has one, is right; ``None`` where that is not known."""
    if not query.answerable:
        return False
    if query.answers:
        return bool(values["contains"][query.id]) or values["F1"][query.id] >= _RIGHT
    score = values.get("judge", {}).get(query.id)
    return None if score is None else score >= _RIGHT
