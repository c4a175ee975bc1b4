"""Settings are chosen on one part, judged on another, and saved only if they win there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eval.dataset import Dataset, Query
from eval.learn import Candidates, learn
from eval.tune import Tuner, balanced_accuracy
from rag.errors import BadQuery
from rag.search.weighing import FEATURES
from rag.settings import Settings
from rag.types import Document
from tests.support.questions import dataset

COVERAGE, BM25 = FEATURES.index("coverage"), FEATURES.index("bm25")
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def by_length(count: int = 60) -> Dataset:
    """Short documents that name a word once are right, long ones that repeat it are wrong.

    Only little saturation and much length normalisation (small k1, b near 1) find them.
    """
    documents, queries = [], []
    for i in range(count):
        word = f"{WORDS[i % 10]}{i}"
        right = f"{word} {' '.join(WORDS[:3])}"
        wrong = f"{word} {word} {word} {' '.join(WORDS * 2)}"
        documents += [Document(f"x/{n}{i}", f"{n}{i}", "", t)
                      for n, t in (("right", right), ("wrong", wrong))]  # fmt: skip
        queries.append(Query(str(i), word, {f"right{i}": 1}))
    return Dataset("by length", tuple(queries), tuple(documents))


@pytest.fixture
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cache = tmp_path_factory.getbasetemp() / "tuning"
    return Settings(encoder="none", cache=cache, k1=4.0, b=0.0)


def test_what_wins_is_found_and_may_be_saved(base: Settings) -> None:
    tuning = Tuner(by_length(), base, trials=15).run()
    assert tuning.held_out.before.mean < 0.7
    assert tuning.held_out.after.mean > 0.9
    assert tuning.held_out.comparison.p < 0.05
    assert tuning.settings == tuning.tried
    assert tuning.settings
    assert base.with_values(tuning.settings, "test")
    assert tuning.chosen_on.queries + tuning.held_out.queries == 60
    assert tuning.provenance["data"] == "by length"
    assert tuning.provenance["queries"] == 60


def test_what_does_not_win_is_not_saved(base: Settings) -> None:
    settled = base.replace(k1=0.1, b=1.0)
    tuning = Tuner(by_length(), settled, trials=5).run()
    assert tuning.held_out.comparison.difference.mean == 0
    assert tuning.settings == {}


def test_a_test_part_is_only_reported(base: Settings) -> None:
    data = by_length()
    test = replace(
        data,
        queries=tuple(replace(q, id=f"t{q.id}", text=f"{q.text} alpha") for q in data.queries[:7]),
    )
    tuning = Tuner(data, base, trials=5).run(test)
    assert tuning.test is not None
    assert tuning.test.queries == 7


def test_questions_that_were_tuned_on_are_no_test(base: Settings) -> None:
    data = by_length()
    with pytest.raises(BadQuery, match="that is not tuned on"):
        Tuner(data, base, trials=2).run(data)
    other = Query("new", "alpha5 beta", {"right5": 1})
    tuning = Tuner(data, base, trials=2).run(replace(data, queries=(*data.queries, other)))
    assert tuning.test is not None
    assert tuning.test.queries == 1


def test_settings_that_are_fixed_are_not_tried(base: Settings) -> None:
    tuning = Tuner(by_length(), base, trials=8, fixed={"k1", "rerank"}).run()
    assert set(tuning.tried) <= {"b", "head_weight"}


@pytest.mark.parametrize("fixed", ["rerank", "rerank_weights"])
def test_a_stage_that_is_fixed_is_not_learned(base: Settings, fixed: str) -> None:
    searched = {"k1", "b", "head_weight", "morpheme_weight"}
    assert Tuner(by_length(), base, trials=2, fixed=searched | {fixed}).run().tried == {}


def test_the_same_seed_gives_the_same(base: Settings) -> None:
    first, second = (Tuner(by_length(), base, trials=6, seed=3).run() for _ in range(2))
    assert first.tried == second.tried


def test_vectors_and_passage_sizes_are_tuned_too(base: Settings) -> None:
    settings = base.replace(encoder="hashing", k1=1.2, b=0.75)
    tuning = Tuner(dataset(6), settings, trials=8, chunk_tokens=[20, 60]).run()
    known = {"k1", "b", "head_weight", "fusion", "dense_weight", "depth", "chunk_tokens", "rerank",
             "rerank_weights"}  # fmt: skip
    assert set(tuning.tried) <= known


def test_the_threshold_parts_answerable_from_unanswerable(base: Settings) -> None:
    data = by_length()
    strange = tuple(Query(f"u{i}", f"nothing{i}", answerable=False) for i in range(40))
    data = replace(data, queries=data.queries + strange)
    tuning = Tuner(data, base.replace(min_confidence=0.0), trials=2).run()
    assert tuning.threshold is not None
    assert tuning.threshold.accuracy_before == 0.5
    assert tuning.threshold.accuracy_after == 1.0
    assert tuning.settings["min_confidence"] == tuning.threshold.after > 0


def test_questions_made_by_rule_set_no_threshold(base: Settings) -> None:
    data = by_length()
    made = [replace(q, labels={"method": "cloze"}) for q in data.queries]
    strange = [Query(f"u{i}", f"nothing{i}", answerable=False) for i in range(40)]
    tuning = Tuner(replace(data, queries=(*made, *strange)), base, trials=2).run()
    assert tuning.threshold is None
    assert "min_confidence" not in tuning.settings


def test_balanced_accuracy_by_hand() -> None:
    found = balanced_accuracy([0.9, 0.2, 0.5, 0.1, 0.4], [True, True, True, False, False], 0.4)
    assert found == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_too_few_queries_are_refused(base: Settings) -> None:
    with pytest.raises(BadQuery, match="5 judged queries are too few"):
        Tuner(dataset(), base).run()


def test_learned_weights_put_the_relevant_first() -> None:
    rng = np.random.default_rng(0)
    found = []
    for i in range(30):
        rows = rng.random((10, len(FEATURES)))
        right = np.zeros(10, bool)
        right[int(np.argmax(rows[:, COVERAGE] - rows[:, BM25]))] = True
        order = [(f"p{j}", 1.0 - j / 10) for j in range(10)]
        found.append(Candidates(Query(str(i), "?"), order, rows, right))
    weights = learn(found)
    assert weights is not None
    assert weights["coverage"] > 0.5
    assert weights["bm25"] < -0.5
    assert max(abs(w) for n, w in weights.items() if n not in ("coverage", "bm25")) < 0.3
    first = [c.reranked(weights)[0][0] == f"p{int(np.argmax(c.relevant))}" for c in found]
    assert sum(first) > 25


def test_nothing_relevant_teaches_nothing() -> None:
    rows = np.ones((2, len(FEATURES)))
    assert learn([Candidates(Query("a", "?"), [], rows, np.zeros(2, bool))]) is None


def test_morphemes_are_weighed_where_korean_is_asked(base: Settings) -> None:
    english = by_length()
    korean = replace(
        english, queries=tuple(replace(q, text=f"{q.text} 차") for q in english.queries)
    )
    for data, expected in ((english, False), (korean, True)):
        assert ("morpheme_weight" in Tuner(data, base, trials=2)._space()) is expected
