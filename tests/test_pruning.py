"""What is skipped cannot matter: the best of many passages are those of a look at every one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index import maxscore
from rag.index.lookup import MOST
from rag.index.postings import Postings, impacts, invert
from rag.index.rows import Terms
from rag.index.scorers import KINDS, Kind, Scorer
from rag.index.sparse import Live, Shard, Sparse
from tests.support.sparse import Index, ids, numbered

FREQUENCIES = [kind for kind in KINDS if kind != "impact"]
N, WORDS = MOST + 14_464, 400


class Corpus:
    """Short passages, many words in most of them; scored one after another in float32.

    One word has 300 frequencies, so codes are of two bytes in one segment and of one in the other.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        shares = 1 / np.arange(1, WORDS + 1)
        often = np.arange(300)
        passage = np.concatenate(
            [np.repeat(np.arange(N), rng.integers(3, 14, N)), np.repeat(often, often)]
        )
        ids = rng.choice(WORDS, len(passage), p=shares / shares.sum())
        ids[len(passage) - often.sum() :] = WORDS
        order = np.argsort(passage, kind="stable")
        self.passage, self.ids = passage[order], ids[order]
        self.lengths = np.bincount(passage)
        self.alive = np.ones(N, np.bool_)
        self.alive[rng.integers(0, N, 500)] = False
        self.terms = numbered(self.ids, np.cumsum(self.lengths), WORDS + 1)
        self._frequencies: dict[int, NDArray[np.float32]] = {}
        self.index = Index.of(self.terms, [MOST], self.alive)

    def frequencies(self, term: int) -> NDArray[np.float32]:
        if term not in self._frequencies:
            found = np.bincount(self.passage[self.ids == term], minlength=N)
            self._frequencies[term] = found.astype(np.float32)
        return self._frequencies[term]

    def scores(self, question: Sequence[int], k1: float, b: float) -> NDArray[np.float32]:
        """BM25, terms added as the search adds them: by descending weight."""
        n = int(self.alive.sum())
        mean = int(self.lengths[self.alive].sum()) / n
        slope, constant = np.float32(k1 * b / mean), np.float32(max(k1 * (1 - b), 1e-9))
        lengths = self.lengths.astype(np.float32)
        tfs = [self.frequencies(t) for t in question]
        dfs = [int(((tf > 0) & self.alive).sum()) for tf in tfs]
        weights = [np.float32(math.log1p((n - df + 0.5) / (df + 0.5))) for df in dfs]
        scores = np.zeros(N, np.float32)
        for i in sorted(range(len(tfs)), key=lambda i: -weights[i]):
            x = tfs[i]
            scores += weights[i] * x / (x + constant + slope * lengths)
        return np.where(self.alive, scores, np.float32(0))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


QUESTIONS = [
    [300, 0], [150, 0, 1], [399, 2, 0], [77, 5, 1], [350, 200, 90, 3, 0], [120, 60, 4, 2, 1, 0],
    [12, 0], [0], [0, 1], [400, 0], [400, 200, 1, 2], [250, 251, 252, 253, 0, 1, 2, 3],
]  # fmt: skip


class TestPruning:
    def test_there_is_something_to_prune(self, corpus: Corpus) -> None:
        for part in corpus.index.sparse.parts:
            docs, _ = part.shard.postings.of("w0")
            assert len(docs) > maxscore._COSTLY
            assert len(part.shard.postings.of("w399")[0]) < len(docs) / 10
        parts = corpus.index.sparse.parts
        assert [len(p.alive) for p in parts] == [MOST, 14_464]
        assert [p.shard.postings.codes.itemsize for p in parts] == [2, 1]

    @pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.9, 0.4), (2.0, 1.0), (0.0, 0.0)])
    def test_exactly_as_without(self, corpus: Corpus, k1: float, b: float) -> None:
        for question in QUESTIONS:
            terms = [f"w{t}" for t in question]
            expected = corpus.index.order(corpus.scores(question, k1, b), 1000)
            for k in (1, 2, 10, 100, 1000):
                assert corpus.index.search(terms, k, Scorer(k1=k1, b=b)) == expected[:k]

    def test_as_many_as_there_are(self, corpus: Corpus) -> None:
        expected = corpus.index.order(corpus.scores([300, 77], 1.2, 0.75))
        assert corpus.index.search(["w300", "w77"], 10**9) == expected

    @pytest.mark.parametrize("kind", FREQUENCIES)
    def test_the_best_of_few_are_the_best_of_all(self, corpus: Corpus, kind: Kind) -> None:
        for question in QUESTIONS[:3]:
            terms = [f"w{t}" for t in question]
            everything = corpus.index.search(terms, N, Scorer(kind))
            for k in (1, 10, 200):
                assert corpus.index.search(terms, k, Scorer(kind)) == everything[:k]

    def test_under_a_filter(self, corpus: Corpus) -> None:
        allowed = corpus.alive & (np.arange(N) % 50 == 3)
        for question in QUESTIONS:
            scores = np.where(allowed, corpus.scores(question, 1.2, 0.75), np.float32(0))
            found = corpus.index.search([f"w{t}" for t in question], 10, allowed=allowed)
            assert found == corpus.index.order(scores, 10)

    def test_four_threads_find_the_same(self, corpus: Corpus) -> None:
        work = [([f"w{t}" for t in q], k) for q in QUESTIONS for k in (3, 50)] * 8
        expected = [corpus.index.search(terms, k) for terms, k in work[: len(QUESTIONS) * 2]] * 8
        fresh = Index.of(corpus.terms, [MOST], corpus.alive)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda w: fresh.search(*w), work)) == expected


class TestNothingIsLostByAHair:
    """Ten passages have the rare term alone; ten have less of it, and all that others can add."""

    @pytest.mark.parametrize("apart", [False, True])
    @pytest.mark.parametrize("common", [1, 2])
    @pytest.mark.parametrize("lead", [1 / 16, 1 / 1024, 0, -1 / 1024])
    def test_passages_that_reach_the_best_by_every_other_term(
        self, lead: float, common: int, apart: bool
    ) -> None:
        others = {f"common{i}": 0.25 for i in range(common)}
        alone = [{"rare": 1.0}] * 10
        together = [{"rare": 1 - common / 4 + lead} | others] * 10
        many = [others] * 9000
        parts = [alone + many, together + many] if apart else [alone + together + many]
        of = [ids(len(part), i) for i, part in enumerate(parts)]
        lives = [
            Live(Shard(impacts(part), own), np.ones(len(part), np.bool_))
            for part, own in zip(parts, of, strict=True)
        ]
        index = Index(Sparse(lives), [0, len(parts[0])], np.concatenate(of))
        scores = np.array([sum(passage.values()) for part in parts for passage in part])
        question = {"rare": 1.0} | dict.fromkeys(others, 1.0)
        for k in (5, 10, 15, 20):
            assert index.search(question, k, Scorer("impact")) == index.order(scores, k)


def live(postings: Postings) -> Live:
    n = len(postings)
    return Live(Shard(postings, ids(n)), np.ones(n, np.bool_))


@pytest.fixture(scope="module")
def postings() -> Postings:
    passages = [["rare", *["x"] * 189]] * 10 + [["rare", "common", *["x"] * 198]] * 10
    passages += [["common", *["x"] * 199], ["y"] * 200] * 9_990
    return invert([Terms.of(passages)])


@pytest.fixture(scope="module")
def others() -> dict[str, Live]:
    """Segments of shorter and of longer passages."""
    return {
        name: live(invert([numbered(np.zeros(n * each, np.int64), ends, 1)]))
        for name, n, each in (("short", 60_000, 1), ("long", 9_000, 900))
        for ends in [np.arange(1, n + 1) * each]
    }


class TestBoundsOutlastChanges:
    """A segment keeps its bounds while others come and go and the mean length moves.

    The rare term's best passages have the common term, too, but for it they come after others that
    are a little shorter: whoever thinks too little of the common term loses them.
    """

    SCORER = Scorer(k1=2, b=1)

    @pytest.mark.parametrize("order", list(permutations(["short", "long", ""])))
    def test_while_segments_come_and_go(
        self, postings: Postings, others: dict[str, Live], order: tuple[str, ...]
    ) -> None:
        own = live(postings)
        for name in order:
            self.check(Sparse([own, others[name]] if name else [own]))

    def test_while_a_reader_of_the_older_generation_goes_on(
        self, postings: Postings, others: dict[str, Live]
    ) -> None:
        own = live(postings)
        older, newer = Sparse([own]), Sparse([own, others["short"]])
        older.search({"other": 1}, 10, self.SCORER)
        self.check(newer)
        self.check(older)

    def check(self, index: Sparse) -> None:
        question = {"rare": 1.0, "common": 1.0}
        best = index.search(question, 10, self.SCORER)
        everything = index.search(question, 10**6, self.SCORER)
        for found, expected in zip(best, everything, strict=True):
            assert found.tolist() == expected[:10].tolist()
        assert set(best[1].tolist()) == set(range(10, 20))
