"""Chooses settings that answer a data set's questions best, and says whether they hold.

Settings are chosen on one part of the queries and compared with the present ones on another, the
held-out part, which nothing was chosen on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Names
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np

from eval import learn, measures, significance
from eval.abstention import best_threshold
from eval.bed import Beds, Watch, needs_vectors, rank, unwatched
from eval.dataset import Dataset, Query
from eval.draft import RULES
from eval.tuning import Part, Threshold, Tuning
from rag import __version__
from rag.analysis import detect
from rag.answer.grounds import grounds
from rag.errors import BadQuery, DependencyMissing
from rag.index import Collection
from rag.search import Searcher
from rag.settings import Fusion, Settings

_DEPTHS = (30, 100, 200)
_LIKELY = 0.5
"""What wins with a higher p-value is as likely as not no better."""
_FOLDS = 3
_FEWEST = 20
"""Judged queries below which nothing is learned."""


class Tuner:
    """Tunes ``base`` on ``dataset``.

    Parameters
    ----------
    existing
        The user's collection, where the data set brings no documents.
    chunk_tokens
        Sizes to try, where documents are cut; the data set's documents are whole otherwise.
    fixed
        Settings to leave as they are.
    folder
        As in ``Beds``.
    """

    def __init__(
        self,
        dataset: Dataset,
        base: Settings,
        existing: Collection | None = None,
        *,
        measure: str = "nDCG@10",
        trials: int = 60,
        seed: int = 0,
        chunk_tokens: Sequence[int] = (),
        fixed: Names[str] = (),
        watch: Watch = unwatched,
        folder: Path | None = None,
    ) -> None:
        (parsed,) = measures.parse([measure])
        self.measure = str(parsed)
        self._deep = measures.deepest([parsed])
        self._stage = "fusion" if base.mode == "hybrid" else "rerank"
        self._dataset = dataset
        kept = needs_vectors(base) or base.mode == "tfidf"
        self._base = base if kept else base.replace(mode="bm25")
        self._trials = trials
        self._seed = seed
        self._sizes = sorted({base.chunk_tokens, *chunk_tokens}) if chunk_tokens else []
        self._fixed = fixed
        self._watch = watch
        self._beds = Beds(dataset, existing, watch, folder)

    def run(self, test: Dataset | None = None) -> Tuning:
        """Choose, then compare.

        Raises
        ------
        BadQuery
            There are too few judged queries.
        """
        judged = self._dataset.judged
        if len(judged) < _FEWEST:
            raise BadQuery(
                f"{len(judged)} judged queries are too few to tune on",
                remedy=f"Bring {_FEWEST} or more; `rag synth` can make some",
            )
        if test:
            test = _apart(test, self._dataset)
        first, second = self._dataset.halves(0.7, self._seed)
        tried = self._chosen(first.judged)
        after = self._base.with_values(tried, "tuning")
        held = self._part(second.judged, after)
        won = held.comparison.difference.mean > 0 and held.comparison.p < _LIKELY
        settings = dict(tried) if won else {}
        threshold = self._threshold(first, second, after if won else self._base)
        if threshold and threshold.accuracy_after > threshold.accuracy_before:
            settings["min_confidence"] = threshold.after
        return Tuning(
            measure=self.measure,
            settings=settings,
            tried=tried,
            chosen_on=self._part(first.judged, after),
            held_out=held,
            test=self._part(test.judged, after) if test else None,
            threshold=threshold,
            provenance={
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "version": __version__,
                "data": self._dataset.name,
                "queries": len(judged),
                "trials": self._trials,
                "seed": self._seed,
                "measure": self.measure,
                "held_out_before": round(held.before.mean, 4),
                "held_out_after": round(held.after.mean, 4),
                "p": round(held.comparison.p, 4),
            },
        )

    def close(self) -> None:
        self._beds.close()

    def _chosen(self, queries: Sequence[Query]) -> dict[str, Any]:
        """The settings that do best on ``queries``, less those that are the present ones.

        Compared are the present ones, the best that were searched for, and both of them reranked.
        """
        best = self._searched(queries)
        values = self._values(queries, self._base.with_values(best, "tuning"))
        found = [(float(np.mean([*values.values()])), best)]
        if not {self._stage, "rerank_weights"}.intersection(self._fixed):
            found += [self._reranking(queries, start) for start in ({}, best)]
        _, chosen = max(found, key=lambda one: one[0])
        return {name: v for name, v in chosen.items() if v != getattr(self._base, name)}

    def _searched(self, queries: Sequence[Query]) -> dict[str, Any]:
        """The best of ``trials`` points by Optuna's TPE, the present settings among them."""
        try:
            import optuna
        except ImportError as e:
            raise DependencyMissing("optuna", "eval") from e
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        base, space = self._base, self._space()
        if not space:
            return {}

        def objective(trial: Any) -> float:  # noqa: ANN401
            values = {name: suggest(trial) for name, suggest in space.items()}
            found = self._values(queries, base.with_values(values, "tuning"))
            trial.set_user_attr("values", values)
            return float(np.mean([*found.values()]))

        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=self._seed)
        )
        study.enqueue_trial({name: getattr(base, name) for name in space})
        with self._watch("Tuning", "trials") as progress:
            study.optimize(
                objective,
                n_trials=self._trials,
                callbacks=[lambda s, _: progress(len(s.trials), self._trials)],
            )
        return dict(study.best_trial.user_attrs["values"])

    def _space(self) -> dict[str, Callable[[Any], Any]]:
        """What is tried: setting to how a trial suggests a value of it."""
        space: dict[str, Callable[[Any], Any]] = {}
        if self._base.mode in ("bm25", "hybrid"):
            space |= {
                "k1": lambda trial: round(trial.suggest_float("k1", 0.1, 4.0), 2),
                "b": lambda trial: round(trial.suggest_float("b", 0.0, 1.0), 2),
                "head_weight": lambda t: round(t.suggest_float("head_weight", 0.0, 5.0), 1),
            }
            asked = (query.text for query in self._dataset.queries)
            if self._base.korean != "bigrams" and any(detect(text) == "ko" for text in asked):
                space["morpheme_weight"] = lambda t: round(
                    t.suggest_float("morpheme_weight", 0.0, 1.0), 2
                )
        if self._base.mode == "hybrid":
            depths = sorted({*_DEPTHS, self._base.depth})
            space |= {
                "fusion": lambda trial: trial.suggest_categorical("fusion", get_args(Fusion)),
                "dense_weight": lambda trial: round(trial.suggest_float("dense_weight", 0, 1), 2),
                "depth": lambda trial: trial.suggest_categorical("depth", depths),
            }
        if self._sizes:
            space["chunk_tokens"] = lambda t: t.suggest_categorical("chunk_tokens", self._sizes)
        return {name: suggest for name, suggest in space.items() if name not in self._fixed}

    def _reranking(
        self, queries: Sequence[Query], start: Mapping[str, Any]
    ) -> tuple[float, dict[str, Any]]:
        """The mean by cross-validation of a learned sum of features after ``start``, and both.

        In a hybrid search it is the fusion, elsewhere it puts one retriever's list in order again.
        """
        linear = {**start, self._stage: "linear"}
        searcher = self._searcher(self._base.with_values(linear, "tuning"))
        places = self._beds.places(searcher.collection)
        with self._watch("Reranking", "queries") as progress:
            found = []
            for done, query in enumerate(queries, 1):
                found.append(learn.candidates(searcher, places, query, self._deep))
                progress(done, len(queries))
        ranked = {}
        for fold in range(_FOLDS):
            rest = [c for i, c in enumerate(found) if i % _FOLDS != fold]
            if (weights := learn.learn(rest)) is None:
                return 0.0, {}
            for one in found[fold::_FOLDS]:
                ranked[one.query.id] = places.of(one.query, one.reranked(weights))
        learned = learn.learn(found) or {}
        text = ", ".join(f"{name}={weight:g}" for name, weight in learned.items())
        return self._mean(queries, ranked), {**linear, "rerank_weights": text}

    def _threshold(self, first: Dataset, second: Dataset, settings: Settings) -> Threshold | None:
        """``min_confidence`` chosen on ``first``, judged on ``second``; ``None`` if all alike.

        Questions made by rule are surer than people's, whom a threshold for them would refuse.
        """
        if any(q.labels.get("method") in RULES for q in self._dataset.queries):
            return None
        searcher = self._searcher(settings)
        parts = []
        for part in (first, second):
            answerable = [q.answerable for q in part.queries]
            if all(answerable) or not any(answerable):
                return None
            sure = [grounds(searcher, searcher.search(q.text)).confidence for q in part.queries]
            parts.append((sure, answerable))
        chosen = math.floor(best_threshold(*parts[0])[0] * 1000) / 1000  # not above it
        before, after = (balanced_accuracy(*parts[1], t) for t in (settings.min_confidence, chosen))
        return Threshold(settings.min_confidence, chosen, before, after)

    def _part(self, queries: Sequence[Query], after: Settings) -> Part:
        both = {"before": self._values(queries, self._base), "after": self._values(queries, after)}
        (comparison,) = significance.compare(self.measure, both, [("after", "before")], self._seed)
        before, now = (significance.interval([*v.values()], self._seed) for v in both.values())
        return Part(len(queries), before, now, comparison)

    def _values(self, queries: Sequence[Query], settings: Settings) -> dict[str, float]:
        searcher = self._searcher(settings)
        places = self._beds.places(searcher.collection)
        ranked = {q.id: places.of(q, rank(searcher, q.text, self._deep).order) for q in queries}
        return self._measured(queries, ranked)

    def _mean(self, queries: Sequence[Query], ranked: measures.Rankings) -> float:
        return float(np.mean([*self._measured(queries, ranked).values()]))

    def _measured(self, queries: Sequence[Query], ranked: measures.Rankings) -> dict[str, float]:
        part = Dataset(self._dataset.name, tuple(queries), pages=self._dataset.pages)
        return measures.per_query(part, ranked, [self.measure])[self.measure]

    def _searcher(self, settings: Settings) -> Searcher:
        return self._beds.searcher(settings, cut=bool(self._sizes))


def _apart(test: Dataset, dataset: Dataset) -> Dataset:
    """``test`` without the questions that ``dataset`` has, too.

    Raises
    ------
    BadQuery
        None is left.
    """
    known = {q.text for q in dataset.queries}
    left = replace(test, queries=tuple(q for q in test.queries if q.text not in known))
    if not left.judged:
        raise BadQuery(
            f"the test part of '{test.name}' has no judged question that is not tuned on, too",
            remedy="Give it questions of its own (`rag synth` with another --seed and --split)",
        )
    return left


def balanced_accuracy(sure: Sequence[float], answerable: Sequence[bool], least: float) -> float:
    """Mean of the shares of answerable questions answered and of unanswerable ones refused."""
    answered, right = np.asarray(sure) >= least, np.asarray(answerable, bool)
    return float((answered[right].mean() + (~answered)[~right].mean()) / 2)
