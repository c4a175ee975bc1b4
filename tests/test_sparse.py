"""Postings and scores against rank_bm25, scikit-learn and postings built afresh."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from rag.index.sparse import Postings, Sparse, Vocabulary, invert, merge
from tests.support.corpus import bm25

WORD = st.sampled_from(["a", "b", "c", "dd", "한국", "é", "zz", "\U0001f600", "ab"])
PASSAGES = st.lists(st.lists(WORD, max_size=12), max_size=12)
QUERY = st.lists(st.one_of(WORD, st.just("never")), max_size=6)
Parts = list[tuple[Postings, NDArray[np.bool_]]]


def one(passages: list[list[str]]) -> Sparse:
    postings = invert(passages)
    return Sparse([(postings, np.ones(len(postings), np.bool_))])


def tfidf(passages: list[list[str]], query: list[str]) -> NDArray[np.float64]:
    """Cosines by scikit-learn, which refuses an empty vocabulary."""
    if not any(passages):
        return np.zeros(len(passages))
    vectorizer = TfidfVectorizer(analyzer=list)
    matrix = vectorizer.fit_transform(passages)
    return np.asarray((matrix @ vectorizer.transform([query]).T).todense()).ravel()


def cut(passages: list[list[str]], alive: list[bool], cuts: list[int]) -> Parts:
    """``passages`` as several postings with masks of the living."""
    edges = [0, *sorted(min(c, len(passages)) for c in cuts), len(passages)]
    return [(invert(passages[i:j]), np.array(alive[i:j], np.bool_)) for i, j in pairwise(edges)]


class TestScores:
    @given(PASSAGES, QUERY, st.sampled_from([0.1, 0.9, 1.2, 2.0]), st.sampled_from([0, 0.4, 1]))
    def test_bm25_is_rank_bm25_without_the_factor_k1_plus_1(
        self, passages: list[list[str]], query: list[str], k1: float, b: float
    ) -> None:
        (found,) = one(passages).bm25(query, k1=k1, b=b)
        np.testing.assert_allclose(found, bm25(passages, query, k1, b), rtol=1e-4, atol=1e-6)

    @given(PASSAGES, QUERY)
    def test_tfidf_is_scikit_learns_cosine(
        self, passages: list[list[str]], query: list[str]
    ) -> None:
        (found,) = one(passages).tfidf(query)
        np.testing.assert_allclose(found, tfidf(passages, query), rtol=1e-4, atol=1e-6)

    def test_bm25_by_hand(self) -> None:
        # N = 2, df = 1: idf = ln(1 + 1.5 / 1.5) = ln 2; lengths 2 and 1, mean 1.5.
        (found,) = one([["a", "a"], ["b"]]).bm25(["a"])
        weight = 2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 1.5))
        np.testing.assert_allclose(found, [np.log(2) * weight, 0], rtol=1e-6)

    def test_with_k1_0_a_term_counts_once_whatever_its_frequency(self) -> None:
        (found,) = one([["a", "a"], ["a"], ["b"]]).bm25(["a"], k1=0)
        np.testing.assert_allclose(found, [np.log1p(1.5 / 2.5)] * 2 + [0], rtol=1e-6)

    @given(
        PASSAGES,
        st.lists(st.booleans(), min_size=12, max_size=12),
        st.lists(st.integers(0, 12), max_size=4),
        QUERY,
    )
    def test_segments_with_deletes_score_as_one_of_the_living(
        self, passages: list[list[str]], alive: list[bool], cuts: list[int], query: list[str]
    ) -> None:
        alive = alive[: len(passages)]
        parts = cut(passages, alive, cuts)
        living = [p for p, a in zip(passages, alive, strict=True) if a]
        for scorer in ("bm25", "tfidf"):
            found = getattr(Sparse(parts), scorer)(query)
            kept = np.concatenate([s[a] for s, (_, a) in zip(found, parts, strict=True)])
            (expected,) = getattr(one(living), scorer)(query)
            np.testing.assert_allclose(kept, expected, rtol=1e-5, atol=1e-7)

    @settings(max_examples=20)
    @given(st.integers(0, 2**32 - 1))
    def test_a_larger_corpus_too(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        words = [f"w{i}" for i in range(300)]
        passages = [
            [words[i] for i in np.minimum(rng.zipf(1.4, rng.integers(1, 80)), 300) - 1]
            for _ in range(120)
        ]
        query = [words[i] for i in rng.integers(0, 300, 8)]
        index = one(passages)
        np.testing.assert_allclose(index.bm25(query)[0], bm25(passages, query), rtol=1e-4)
        np.testing.assert_allclose(
            index.tfidf(query)[0], tfidf(passages, query), rtol=1e-4, atol=1e-6
        )

    def test_an_empty_corpus_scores_nothing(self) -> None:
        assert Sparse([]).bm25(["a"]) == []
        assert Sparse([]).tfidf(["a"]) == []
        assert [s.tolist() for s in one([]).bm25(["a"])] == [[]]
        assert [s.tolist() for s in one([[], []]).tfidf(["a"])] == [[0, 0]]

    def test_all_dead_scores_are_finite(self) -> None:
        index = Sparse([(invert([["a"], ["b"]]), np.zeros(2, np.bool_))])
        assert np.isfinite(index.bm25(["a"])[0]).all()
        assert np.isfinite(index.tfidf(["a"])[0]).all()


class TestPostings:
    def test_by_value(self) -> None:
        postings = invert([["b", "a", "b"], [], ["a", "c"]])
        assert list(postings.vocabulary) == [b"a", b"b", b"c"]
        assert postings.ptr.tolist() == [0, 2, 3, 4]
        assert postings.docs.tolist() == [0, 2, 0, 2]
        assert postings.tfs.tolist() == [1, 1, 2, 1]
        assert postings.lengths.tolist() == [3, 0, 2]
        docs, tfs = postings.of("b")
        assert (docs.tolist(), tfs.tolist()) == ([0], [2])
        assert [x.tolist() for x in postings.of("zz")] == [[], []]

    @given(PASSAGES)
    def test_arrays_round_trip(self, passages: list[list[str]]) -> None:
        postings = invert(passages)
        assert_same(Postings.from_arrays(postings.arrays()), postings)

    @given(
        PASSAGES.filter(bool),
        st.lists(st.booleans(), min_size=12, max_size=12),
        st.lists(st.integers(0, 12), max_size=4),
    )
    def test_merge_is_invert_of_the_living(
        self, passages: list[list[str]], alive: list[bool], cuts: list[int]
    ) -> None:
        alive = alive[: len(passages)]
        living = [p for p, a in zip(passages, alive, strict=True) if a]
        assert_same(merge(cut(passages, alive, cuts)), invert(living))


def assert_same(a: Postings, b: Postings) -> None:
    for name, array in b.arrays().items():
        assert a.arrays()[name].dtype == array.dtype, name
        np.testing.assert_array_equal(a.arrays()[name], array, err_msg=name)


class TestVocabulary:
    @given(st.sets(st.text(min_size=1)), st.text())
    def test_find_is_the_place_in_order_or_none(self, words: set[str], other: str) -> None:
        vocabulary = invert([list(words)]).vocabulary
        order = sorted(w.encode("utf-8", "surrogatepass") for w in words)
        assert list(vocabulary) == order
        for word in words | {other}:
            key = word.encode("utf-8", "surrogatepass")
            assert vocabulary.find(word) == (order.index(key) if key in order else None)

    def test_a_prefix_is_not_the_word(self) -> None:
        vocabulary = invert([["ab", "abc", "한국어"]]).vocabulary
        assert [vocabulary.find(w) for w in ("a", "ab", "abc", "abcd", "한국", "한국어")] == [
            None, 0, 1, None, None, 2,
        ]  # fmt: skip

    def test_an_empty_one_finds_nothing(self) -> None:
        vocabulary = Vocabulary(np.empty(0, np.uint8), np.empty(0, np.int64))
        assert len(vocabulary) == 0
        assert vocabulary.find("a") is None
        assert vocabulary.find("") is None

    def test_indices_beyond_it_are_refused(self) -> None:
        with pytest.raises(IndexError):
            invert([["a"]]).vocabulary[1]
