"""What is known of candidates: features by value, and what stands for those that are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rag.analysis import Analyser
from rag.index import Collection
from rag.index.matching import Matched
from rag.index.traits import Traits
from rag.search.fuse import normal
from rag.search.weighing import FEATURES, completed, followers, freshness, likely, rows
from rag.settings import Settings
from rag.workspace import Workspace
from tests.support.corpus import row

AT = {name: i for i, name in enumerate(FEATURES)}
PLAIN = Analyser(korean="bigrams")


def asked(*terms: str, **more: object) -> Matched:
    return Matched(dict.fromkeys(terms, 1.0), **more)  # type: ignore[arg-type]


def traits(**columns: list[float]) -> Traits:
    given = {name: np.array(column, float) for name, column in columns.items()}
    zero = np.zeros(len(next(iter(given.values()))))
    names = ("score", "coverage", "heading", "window", "pairs")
    return Traits(most=10.0, **{name: given.get(name, zero) for name in names})


class TestFollowers:
    def test_stop_words_count_as_places(self) -> None:
        found = followers(PLAIN, "the cup of red tea", (), asked("cup", "red", "tea"))
        assert found == {"cup": ("red", 2), "red": ("tea", 1)}

    def test_what_stands_far_off_follows_nothing(self) -> None:
        text = "tea is in the oldest of all the books of leaves"
        assert followers(PLAIN, text, (), asked("tea", "leav")) == {}

    def test_of_korean_bigrams_follow_bigrams(self) -> None:
        found = followers(PLAIN, "녹차를", (), asked("녹차", "차를"))
        assert found == {"녹차": ("차를", 1)}

    def test_a_slip_is_where_the_right_word_would_be(self) -> None:
        matched = asked("green", "tea", corrected={"grene": ("green",)})
        assert followers(PLAIN, "grene tea", (), matched) == {"green": ("tea", 1)}


class TestRows:
    def test_scores_are_shares_of_what_is_possible(self) -> None:
        found = rows(["a", "b"], traits(score=[5, 2]), {"a": 0.9}, 0.6, {}, {"b": 0.5})
        assert found[:, AT["bm25"]].tolist() == [0.5, 0.2]
        assert found[0, AT["dense"]] == pytest.approx(0.75)
        assert np.isnan(found[1, AT["dense"]])
        assert found[:, AT["freshness"]].tolist() == [0, 0.5]

    def test_ranks_fall_off_and_lists_are_scaled(self) -> None:
        stages = {"dense": [("b", 0.9), ("a", 0.8)], "fused": [("a", 3.0), ("c", 2.0), ("b", 1.0)]}
        found = rows(["a", "b", "c"], traits(score=[0, 0, 0]), {}, 0.0, stages, {})
        assert found[:, AT["dense_rank"]].tolist() == [10 / 11, 1, 0]
        assert found[:, AT["bm25_rank"]].tolist() == [0, 0, 0]
        assert found[:, AT["fused"]].tolist() == [1, 0, 0.5]

    def test_of_no_candidate(self) -> None:
        assert rows([], traits(score=[]), {}, 0.0, {}, {}).shape == (0, len(FEATURES))


class TestWhatIsMissing:
    def test_is_told_by_a_line_within_what_was_seen(self) -> None:
        x, y = np.arange(5.0), 2 * np.arange(5.0) + 1
        assert likely(x, y, np.array([1.5, 9.0, -3.0])).tolist() == [4.0, 9.0, 1.0]
        assert likely(x, -y, np.array([0.0])).tolist() == [-5.0]  # no falling line: the mean
        assert likely(x[:3], y[:3], np.array([9.0])).tolist() == [3.0]  # of too few, too
        assert likely(x[:0], y[:0], np.array([1.0])).tolist() == [0.0]

    def test_a_passage_without_vector_is_as_near_as_its_like(self) -> None:
        found = np.zeros((6, len(FEATURES)))
        found[:, AT["bm25"]] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.25]
        found[:, AT["dense"]] = [0.0, 0.2, 0.4, 0.6, 0.8, np.nan]
        nobody = np.zeros(6, bool)
        full = completed(found, nobody, ~nobody)
        assert full[5, AT["dense"]] == pytest.approx(0.5)
        assert np.isnan(found[5, AT["dense"]])

    def test_a_foreign_passage_has_what_its_like_has(self) -> None:
        found = np.zeros((7, len(FEATURES)))
        found[:, AT["dense"]] = [0.0, 0.2, 0.4, 0.6, 0.8, 0.7, 0.1]
        found[:5, AT["coverage"]] = [0.0, 0.1, 0.2, 0.3, 0.4]
        found[6, AT["coverage"]] = 0.9  # a name that both languages write alike
        foreign = np.array([False] * 5 + [True] * 2)
        full = completed(found, foreign, ~foreign)
        assert full[5, AT["coverage"]] == pytest.approx(0.35)
        assert full[6, AT["coverage"]] == 0.9
        assert full[:5].tolist() == found[:5].tolist()


def test_normal_spreads_a_list_from_0_to_1() -> None:
    assert normal([("a", 9.0), ("b", 5.0), ("c", 1.0)]) == {"a": 1.0, "b": 0.5, "c": 0.0}
    assert normal([("a", 2.0), ("b", 2.0)]) == {"a": 1.0, "b": 1.0}
    assert normal([]) == {}


def test_every_candidate_has_the_score_of_every_retriever(saem: Workspace) -> None:
    searcher = saem.searcher()
    short = type(searcher)(
        searcher.collection, searcher.encoder, saem.settings.replace(fusion="linear", depth=1)
    )
    query = "boiling water for black tea"
    found = short.rank(query, 1)
    whole = searcher.rank(query, 100, "bm25"), searcher.rank(query, 100, "dense")
    scores = [dict(ranking.order) for ranking in whole]
    (least, greatest) = 0.0, 1.0
    vector = searcher.encoder.query(query)  # type: ignore[union-attr]
    least = float(next(iter(searcher.collection.centroids().values())) @ vector)
    assert found.features
    for id_, one in found.features.items():
        assert one[AT["dense"]] == pytest.approx(
            (scores[1][id_] - least) / (greatest - least), abs=2e-3
        )
        most = scores[0][id_] / one[AT["bm25"]] if one[AT["bm25"]] else None
        assert most is None or most == pytest.approx(
            sum(searcher.collection.idf(found.terms).values()), rel=1e-3
        )


def test_age_is_told_whether_or_not_it_weighs_so_that_it_can_be_learned(
    collection: Collection,
) -> None:
    today = datetime.now(UTC).date()
    dates = {"new": today, "old": today - timedelta(days=20)}
    made = [row(path, path, metadata={"date": d.isoformat()}) for path, d in dates.items()]
    collection.upsert(made)
    new, old = (r.chunks[0].id for r in made)
    found = freshness(collection, Settings(recency_days=10.0), [new, old])
    assert found == pytest.approx({new: 1.0, old: 0.25})
    assert freshness(collection, Settings(), [new, old]) == {}
