"""Every scorer against the library whose formula it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

import bm25s
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi, BM25Plus
from sklearn.feature_extraction.text import TfidfVectorizer

from rag.errors import BadQuery
from rag.index.scorers import KINDS, Kind, Scorer, Statistics
from tests.support.corpus import bm25
from tests.support.sparse import Index, fielded

Passages = list[list[str]]
Scores = NDArray[np.float64]
WORD = st.sampled_from(["a", "b", "c", "dd", "한국", "é", "zz", "\U0001f600", "ab", "\ud800"])
PASSAGES = st.lists(st.lists(WORD, min_size=1, max_size=12), min_size=1, max_size=12)
QUESTION = st.lists(st.one_of(WORD, st.just("never")), min_size=1, max_size=6)
K1 = st.sampled_from([0.1, 0.9, 1.2, 2.0])
B = st.sampled_from([0.0, 0.4, 0.75, 1.0])
FIELDED = st.lists(
    st.tuples(st.lists(WORD, max_size=4), st.lists(WORD, max_size=9)), min_size=1, max_size=12
)


def by_bm25s(method: str, passages: Passages, question: list[str], k1: float, b: float) -> Scores:
    number = {word: i for i, word in enumerate(sorted({w for p in passages for w in p}))}
    delta = 0.5 if method == "bm25l" else 1.0
    index = bm25s.BM25(method=method, k1=k1, b=b, delta=delta, backend="numpy")
    index.index(([[number[w] for w in p] for p in passages], number), show_progress=False)
    known = [w for w in question if w in number]
    return np.asarray(index.get_scores(known)) if known else np.zeros(len(passages))


def by_scikit_learn(passages: Passages, question: list[str], sublinear: bool) -> Scores:
    vectorizer = TfidfVectorizer(analyzer=list, sublinear_tf=sublinear)
    matrix = vectorizer.fit_transform(passages)
    return np.asarray((matrix @ vectorizer.transform([question]).T).todense()).ravel()


def check(passages: Passages, question: list[str], scorer: Scorer, expected: Scores) -> None:
    """Whoever has a term is found with that score, unless it is not above 0; nobody else."""
    found = dict(Index.of(passages).search(question, len(passages), scorer))
    has = np.array([bool(set(question) & set(p)) for p in passages])
    for i in np.flatnonzero(has & (expected > 1e-5)).tolist():
        assert found[i] == pytest.approx(expected[i], rel=1e-4)
    for i in found:
        assert has[i]
        assert found[i] == pytest.approx(expected[i], rel=1e-4, abs=1e-6)


class TestAgainstLibraries:
    @settings(max_examples=50)
    @given(PASSAGES, QUESTION, K1, B)
    def test_bm25_is_rank_bm25s_loop_with_lucenes_idf(
        self, passages: Passages, question: list[str], k1: float, b: float
    ) -> None:
        check(passages, question, Scorer(k1=k1, b=b), bm25(passages, question, k1, b))

    @pytest.mark.parametrize(
        ("kind", "method"),
        [("bm25", "lucene"), ("bm25+", "bm25+"), ("bm25l", "bm25l"), ("atire", "atire")],
    )
    @settings(max_examples=40)
    @given(PASSAGES, QUESTION, K1, B)
    def test_bm25s(
        self, kind: Kind, method: str, passages: Passages, question: list[str], k1: float, b: float
    ) -> None:
        expected = by_bm25s(method, passages, question, k1, b)
        check(passages, question, Scorer(kind, k1=k1, b=b), expected)

    @settings(max_examples=50)
    @given(PASSAGES, QUESTION, K1, B, st.sampled_from([0.25, 0.0, 2.0]))
    @example([["a"], ["a"], ["a", "b"]], ["a", "b"], 1.2, 0.75, 0.25)  # a mean idf below 0
    def test_okapi_is_rank_bm25(
        self, passages: Passages, question: list[str], k1: float, b: float, epsilon: float
    ) -> None:
        expected = BM25Okapi(passages, k1=k1, b=b, epsilon=epsilon).get_scores(question)
        check(passages, question, Scorer("okapi", k1=k1, b=b, epsilon=epsilon), expected)

    @settings(max_examples=50)
    @given(PASSAGES, QUESTION, K1, B, st.sampled_from([None, 0.0, 0.3]))
    def test_bm25_plus_is_rank_bm25(
        self, passages: Passages, question: list[str], k1: float, b: float, delta: float | None
    ) -> None:
        own = {} if delta is None else {"delta": delta}
        expected = BM25Plus(passages, k1=k1, b=b, **own).get_scores(question)
        check(passages, question, Scorer("bm25+", k1=k1, b=b, delta=delta), expected)

    @pytest.mark.parametrize("kind", ["tfidf", "sublinear"])
    @settings(max_examples=50)
    @given(PASSAGES, QUESTION)
    def test_cosines_are_scikit_learns(
        self, kind: Kind, passages: Passages, question: list[str]
    ) -> None:
        expected = by_scikit_learn(passages, question, kind == "sublinear")
        check(passages, question, Scorer(kind), expected)

    @pytest.mark.parametrize("kind", ["bm25", "okapi", "bm25+", "tfidf", "sublinear"])
    def test_a_larger_corpus_in_segments_with_the_dead(self, kind: Kind) -> None:
        rng = np.random.default_rng(7)
        words = [f"w{i}" for i in range(300)]
        passages = [
            [words[i] for i in np.minimum(rng.zipf(1.4, rng.integers(1, 80)), 300) - 1]
            for _ in range(1500)
        ]
        alive = rng.random(1500) < 0.8
        living = [p for p, a in zip(passages, alive, strict=True) if a]
        index = Index.of(passages, [400, 401, 1300], alive)
        oracle: dict[str, Callable[[list[str]], Scores]] = {
            "bm25": lambda q: bm25(living, q),
            "okapi": BM25Okapi(living, k1=1.2).get_scores,
            "bm25+": BM25Plus(living, k1=1.2).get_scores,
            "tfidf": lambda q: by_scikit_learn(living, q, False),
            "sublinear": lambda q: by_scikit_learn(living, q, True),
        }
        for _ in range(3):
            question = [words[i] for i in rng.integers(0, 300, 8)]
            expected = dict(
                zip(np.flatnonzero(alive).tolist(), oracle[kind](question), strict=True)
            )
            found = index.search(question, 1500, Scorer(kind))
            assert {i for i, _ in found} == {
                i for i, s in expected.items() if s > 0 and set(question) & set(passages[i])
            }
            np.testing.assert_allclose(
                [s for _, s in found], [expected[i] for i, _ in found], rtol=1e-4
            )


class TestFields:
    @settings(max_examples=50)
    @given(FIELDED, QUESTION, st.sampled_from([0.0, 0.4, 1.0, 3.0]), K1, B)
    def test_bm25f_by_its_formula(
        self,
        passages: list[tuple[list[str], list[str]]],
        question: list[str],
        weight: float,
        k1: float,
        b: float,
    ) -> None:
        scorer = Scorer(k1=k1, b=b, head_weight=weight)
        index = Index.of(fielded(passages), [3])
        expected = index.order(np.array(bm25f(passages, question, weight, k1, b)))
        found = index.search(question, len(passages), scorer)
        assert dict(found) == pytest.approx(dict(expected), rel=1e-4, abs=1e-7)

    def test_by_hand(self) -> None:
        index = Index.of(fielded([(["a"], ["b", "b"]), ([], ["a"])]))
        ((first, score), (second, _)) = index.search(["a"], 2, Scorer(b=0, head_weight=3))
        assert (first, second) == (0, 1)
        assert score == pytest.approx(math.log(1 + 0.5 / 2.5) * 3 / (3 + 1.2))

    def test_a_heading_of_no_weight_is_not_found(self) -> None:
        index = Index.of(fielded([(["a"], ["b"]), ([], ["a", "b"])]))
        assert [i for i, _ in index.search(["a"], 2, Scorer(head_weight=0))] == [1]


def bm25f(
    passages: Sequence[tuple[Sequence[str], Sequence[str]]],
    question: list[str],
    weight: float,
    k1: float,
    b: float,
) -> list[float]:
    """Robertson, Zaragoza and Taylor (2004) with one ``b``, Lucene's idf, no factor ``k1 + 1``."""
    n = len(passages)
    lengths = [len(body) + weight * len(head) for head, body in passages]
    mean = sum(lengths) / n
    scores = [0.0] * n
    for term, times in Counter(question).items():
        df = sum(term in head or term in body for head, body in passages)
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        for i, (head, body) in enumerate(passages):
            if tf := body.count(term) + weight * head.count(term):
                scores[i] += times * idf * tf / (tf + k1 * (1 - b + b * lengths[i] / mean))
    return scores


class TestByHand:
    def test_bm25(self) -> None:
        # N = 2, df = 1: idf = ln(1 + 1.5 / 1.5) = ln 2; lengths 2 and 1, mean 1.5.
        weight = 2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 1.5))
        ((i, score),) = Index.of([["a", "a"], ["b"]]).search(["a"], 9)
        assert (i, score) == (0, pytest.approx(math.log(2) * weight))

    @pytest.mark.parametrize("b", [0.0, 0.75, 1.0])
    @pytest.mark.parametrize(
        ("kind", "worth"),
        [
            ("bm25", math.log(1 + 1.5 / 2.5)),
            ("bm25+", 2 * math.log(4 / 2)),  # delta and 1
            ("atire", math.log(3 / 2)),
        ],
    )
    def test_with_k1_0_a_term_counts_once_whatever_its_frequency(
        self, kind: Kind, worth: float, b: float
    ) -> None:
        found = Index.of([["a", "a"], ["a"], ["b"]]).search(["a"], 9, Scorer(kind, k1=0, b=b))
        assert dict(found) == pytest.approx({0: worth, 1: worth}, rel=1e-6)

    def test_with_b_0_lengths_do_not_matter_and_with_1_the_shorter_wins(self) -> None:
        index = Index.of([["a", *"xyz"], ["a"], ["b"]])
        (_, one), (_, other) = index.search(["a"], 9, Scorer(b=0))
        assert one == other
        (first, one), (_, other) = index.search(["a"], 9, Scorer(b=1))
        assert (first, one) == (1, pytest.approx(math.log(1.6) / (1 + 1.2 / 2)))
        assert other == pytest.approx(math.log(1.6) / (1 + 1.2 * 2))

    def test_a_term_asked_twice_counts_twice(self) -> None:
        index = Index.of([["a", "b"], ["c"]])
        (once,), (twice,) = index.search(["a"], 1), index.search(["a", "a"], 1)
        assert twice[1] == pytest.approx(2 * once[1])

    def test_okapis_floor_may_be_negative_and_such_passages_are_not_found(self) -> None:
        # Everyone has a: its idf, and with it the mean, is below 0.
        passages = [["a"], ["a"], ["a", "b"]]
        assert BM25Okapi(passages).get_scores(["a"]).max() < 0
        assert Index.of(passages).search(["a"], 3, Scorer("okapi")) == []


class TestRefusals:
    def test_an_unknown_kind(self) -> None:
        with pytest.raises(BadQuery, match=r"one of bm25, okapi, .*impact, not 'bm26'"):
            Scorer(cast(Kind, "bm26"))

    @pytest.mark.parametrize("kind", KINDS)
    def test_without_passages_all_is_finite(self, kind: Kind) -> None:
        nothing = Statistics(0, 0, 0, lambda: np.empty(0, np.int64))
        scorer = Scorer(kind)
        weights, constant = scorer.weights([0, 0], [1, 2], nothing)
        assert np.isfinite([*weights, constant, *scorer.form(nothing).constants]).all()
