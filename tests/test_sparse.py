"""The search finds what a sort of all scores finds: ids, scores and ties, exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index.postings import Postings, impacts, invert
from rag.index.rows import Terms
from rag.index.scorers import KINDS, Kind, Scorer
from rag.index.sparse import Live, Masks, Shard, Sparse
from tests.support.sparse import Index, ids

Passages = list[list[str]]
WORD = st.sampled_from(["a", "b", "c", "dd", "한국", "é", "\U0001f600", "ab", "\ud800"])
PASSAGES = st.lists(st.lists(WORD, max_size=8), max_size=60)
QUESTION = st.lists(st.one_of(WORD, st.just("never")), max_size=6)
CUTS = st.lists(st.integers(0, 60), max_size=4)
MASK = st.lists(st.booleans(), min_size=60, max_size=60)
FREQUENCIES = [kind for kind in KINDS if kind != "impact"]


class TestRanking:
    @given(PASSAGES, MASK, MASK, CUTS, QUESTION, st.sampled_from(FREQUENCIES), st.integers(1, 70))
    def test_segments_with_the_dead_rank_as_one_of_the_living_under_any_filter(
        self,
        passages: Passages,
        alive: list[bool],
        allowed: list[bool],
        cuts: list[int],
        question: list[str],
        kind: Kind,
        k: int,
    ) -> None:
        n = len(passages)
        lives = np.array(alive[:n], np.bool_)
        may = lives & np.array(allowed[:n], np.bool_)
        where = np.flatnonzero(lives)
        living = Index.of([passages[i] for i in where.tolist()])
        scores = np.zeros(n, np.float32)
        for i, score in living.search(question, n, Scorer(kind)):
            scores[where[i]] = score
        index = Index.of(passages, cuts, lives)
        assert index.search(question, k, Scorer(kind)) == index.order(scores, k)
        scores[~may] = 0
        assert index.search(question, k, Scorer(kind), may) == index.order(scores, k)

    @given(st.lists(st.lists(WORD, min_size=1, max_size=3), min_size=1, max_size=60), CUTS)
    def test_equal_scores_come_by_id(self, passages: Passages, cuts: list[int]) -> None:
        index = Index.of([["tie", *p[:1]] for p in passages], cuts)
        by_id = sorted(range(len(passages)), key=lambda i: index.ids[i].tobytes())
        for k in (1, 2, len(passages)):
            assert [i for i, _ in index.search(["tie"], k)] == by_id[:k]

    def test_ids_are_compared_to_the_last_byte(self) -> None:
        same = np.zeros((3, 16), np.uint8)
        same[:, 15] = [255, 127, 128]
        shard = Shard(invert([Terms.of([["a"]] * 3)]), same)
        index = Sparse([Live(shard, np.ones(3, np.bool_))])
        assert index.search({"a": 1}, 3, Scorer())[1].tolist() == [1, 2, 0]

    @settings(max_examples=50)
    @given(
        st.lists(st.dictionaries(WORD, st.sampled_from([0.25, 0.5, 1.0, 1.1, 3.75])), max_size=40),
        st.dictionaries(WORD, st.sampled_from([-1.5, -0.1, 0.0, 0.3, 1.0, 2.0])),
        st.integers(0, 40),
        st.integers(1, 50),
    )
    def test_negative_weights_too(
        self, passages: list[dict[str, float]], question: dict[str, float], cut: int, k: int
    ) -> None:
        parts = [passages[:cut], passages[cut:]]
        live = [
            Live(Shard(impacts(p), ids(len(p), i)), np.ones(len(p), np.bool_))
            for i, p in enumerate(parts)
        ]
        index = Index(Sparse(live), [0, min(cut, len(passages))], np.concatenate(
            [ids(len(p), i) for i, p in enumerate(parts)]
        ))  # fmt: skip
        order = sorted(question, key=lambda term: -question[term])
        scores = np.zeros(len(passages), np.float32)
        for term in order:
            scores += np.array(
                [np.float32(question[term]) * np.float32(p.get(term, 0)) for p in passages],
                np.float32,
            )
        assert index.search(question, k, Scorer("impact")) == index.order(scores, k)


class TestEdges:
    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_to_find(self, kind: Kind) -> None:
        scorer = Scorer(kind)
        dead = Index.of([["a"], ["b"]], alive=np.zeros(2, np.bool_))
        assert Index(Sparse([]), [0], ids(0)).search(["a"], 5, scorer) == []
        assert Index.of([]).search(["a"], 5, scorer) == []
        assert Index.of([[], []]).search(["a"], 5, scorer) == []
        assert Index.of([["a"]]).search([], 5, scorer) == []
        assert Index.of([["a"]]).search(["a"], 0, scorer) == []
        assert Index.of([["a"]]).search(["b", ""], 5, scorer) == []
        assert dead.search(["a"], 5, scorer) == []

    def test_a_filter_that_lets_nobody_in(self) -> None:
        index = Index.of([["a"], ["a"]])
        assert index.search(["a"], 5, allowed=np.zeros(2, np.bool_)) == []

    def test_how_many_living_passages_have_a_term(self) -> None:
        alive = np.array([True, False, True, True, True])
        index = Index.of([["a", "a"], ["a"], ["b"], ["a"], []], [2, 4], alive)
        assert index.sparse.dfs(["a", "b", "한국", ""]) == [2, 1, 0, 0]
        assert index.sparse.dfs([]) == []
        statistics = index.sparse.statistics
        assert (statistics.n, statistics.body, statistics.head) == (4, 4, 0)
        assert sorted(statistics.dfs().tolist()) == [1, 2]

    def test_a_search_leaves_nothing_behind(self) -> None:
        index = Index.of([["a", "b"], ["b"], ["a"]])
        before = index.search(["a"], 3)
        index.search(["a", "b", "b"], 1)
        index.search(["b"], 3, allowed=np.array([False, True, False]))
        assert index.search(["a"], 3) == before

    def test_more_scorers_than_are_remembered(self) -> None:
        index = Index.of([["a", "b", "b"], ["b"], ["a"]])
        scorers = [Scorer(k1=i / 4, head_weight=i) for i in range(20)]
        first = [index.search(["a", "b"], 3, scorer) for scorer in scorers]
        assert [index.search(["a", "b"], 3, scorer) for scorer in scorers] == first
        assert len({scores[0][1] for scores in first}) == 20

    def test_read_only_files(self, tmp_path: Path) -> None:
        passages = [["가", "a", "b"], ["a"], [], ["b"] * 300, ["a", "\U0001f600"]] * 40
        made = Index.of(passages, alive=np.arange(200) % 7 > 0)
        (live,) = made.sparse.parts
        for name, array in {**live.shard.postings.arrays(), "ids": made.ids}.items():
            np.save(tmp_path / f"{name}.npy", array)
        arrays = {f.stem: np.load(f, mmap_mode="r") for f in tmp_path.glob("*.npy")}
        shard = Shard(Postings.from_arrays(arrays), arrays["ids"])
        index = Index(Sparse([Live(shard, live.alive)]), [0, 200], made.ids)
        for kind in FREQUENCIES:
            question = ["a", "가", "\U0001f600", "b"]
            assert index.search(question, 9, Scorer(kind)) == made.search(question, 9, Scorer(kind))


def test_masks_are_none_where_all_may_be_found() -> None:
    masks = Masks([np.ones(3, np.bool_), np.array([True, False]), np.ones(4, np.bool_)[::2]])
    assert (masks.addresses != 0).tolist() == [False, True, False]
