"""Fields, phrases, what binds, prefixes and near terms, against lists of words looked through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import log1p

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.index import shares
from rag.index.clauses import Clause, Query
from rag.index.matching import FAMILY, SHARE, SLIPS, Matched, allowed, resolve
from rag.index.postings import invert
from rag.index.rows import Terms
from rag.index.scorers import Scorer
from rag.index.sparse import Found, Live, Masks, Placed, Shard, Sparse

GAP = 10
K1, B, HEAD = 1.2, 0.75, 1.5
WORDS = ["tea", "team", "teapot", "cup", "녹차", "차를", "한국"]


@dataclass(frozen=True)
class Passage:
    head: tuple[str, ...]
    body: tuple[str, ...]
    alive: bool = True

    @property
    def at(self) -> dict[int, str]:
        """Each word by its place."""
        start = len(self.head) + GAP if self.head else 0
        return dict(enumerate(self.head)) | dict(enumerate(self.body, start))

    def times(self, phrase: Placed) -> int:
        return sum(
            all(self.at.get(place + offset) == term for term, offset in phrase) for place in self.at
        )


WORD = st.sampled_from(WORDS)
TEXT = st.lists(WORD, max_size=8).map(tuple)
PASSAGE = st.builds(Passage, TEXT.map(lambda t: t[:2]), TEXT, st.booleans())
SEGMENTS = st.lists(st.lists(PASSAGE, min_size=1, max_size=6), min_size=1, max_size=3)
OCCUR = st.sampled_from(["should", "must", "must_not"])
PLACED = st.lists(WORD, min_size=2, max_size=3).map(
    lambda w: tuple((t, i) for i, t in enumerate(w))
)
CLAUSE = st.one_of(
    st.builds(Clause, st.just("phrase"), OCCUR, PLACED),
    st.builds(Clause, st.just("term"), st.sampled_from(["must", "must_not"]),
              WORD.map(lambda w: ((w, 0),))),
    st.builds(Clause, st.just("prefix"), OCCUR, st.just(()), st.sampled_from(["te", "team", "한"])),
)  # fmt: skip
QUERY = st.builds(
    Query, st.lists(WORD, max_size=3).map(tuple), st.lists(CLAUSE, max_size=3).map(tuple)
)


def identity(number: int) -> bytes:
    return number.to_bytes(16, "big")


def sparse_of(segments: list[list[Passage]]) -> Sparse:
    parts, number = [], 0
    for passages in segments:
        bare = Terms.of([[*p.head, *p.body] for p in passages])
        places = [place for p in passages for place in p.at]
        heads = np.array([len(p.head) for p in passages], np.uint32)
        positions = np.array(places, np.uint32)
        terms = Terms(bare.vocabulary, bare.ids, positions, heads, bare.ends)
        ids = [identity(number + i) for i in range(len(passages))]
        number += len(passages)
        shard = Shard(invert([terms]), np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16))
        parts.append(Live(shard, np.array([p.alive for p in passages])))
    return Sparse(parts)


class Oracle:
    """BM25F over the words of living passages."""

    def __init__(self, segments: list[list[Passage]]) -> None:
        self.passages = [p for passages in segments for p in passages]
        self.living = [p for p in self.passages if p.alive]
        lengths = [self.length(p) for p in self.living]
        self.mean = sum(lengths) / len(lengths) if any(lengths) else 1.0

    @staticmethod
    def length(p: Passage) -> float:
        return len(p.body) + HEAD * len(p.head)

    def df(self, term: str) -> int:
        return sum(term in (*p.head, *p.body) for p in self.living)

    def idf(self, term: str) -> float:
        return log1p((len(self.living) - self.df(term) + 0.5) / (self.df(term) + 0.5))

    def worth(self, p: Passage, times: float) -> float:
        norm = K1 * (1 - B + B * self.length(p) / self.mean)
        return times / (times + norm) if times else 0.0

    def term(self, p: Passage, term: str) -> float:
        return self.worth(p, p.body.count(term) + HEAD * p.head.count(term))

    def family(self, prefix: str) -> list[str]:
        found = {t for p in self.living for t in (*p.head, *p.body) if t.startswith(prefix)}
        return sorted(found, key=lambda t: (-self.df(t), t))

    def score(self, p: Passage, query: Query) -> float:
        total = sum(self.idf(t) * self.term(p, t) for t in query.terms)
        for clause in (c for c in query.clauses if c.occur != "must_not"):
            words = [t for t, _ in clause.terms]
            if clause.kind == "prefix":
                family = self.family(clause.prefix)
                total += sum(self.idf(family[0]) * self.term(p, t) for t in family)
            elif clause.kind == "term" or (
                clause.occur == "should" and not any(q.times(clause.terms) for q in self.living)
            ):
                total += sum(self.idf(t) * self.term(p, t) for t in words)
            else:
                weight = sum(self.idf(t) for t in words)
                total += weight * self.worth(p, min(p.times(clause.terms), 255))
        return total

    def meets(self, p: Passage, clause: Clause) -> bool:
        text = (*p.head, *p.body)
        if clause.kind == "prefix":
            has = any(t.startswith(clause.prefix) for t in text)
        else:
            has = p.times(clause.terms) > 0
        return has == (clause.occur == "must")

    def found(self, query: Query, k: int) -> list[tuple[int, float]]:
        binding = [c for c in query.clauses if c.occur != "should"]
        scored = [
            (i, self.score(p, query))
            for i, p in enumerate(self.passages)
            if p.alive and all(self.meets(p, c) for c in binding)
        ]
        return sorted((x for x in scored if x[1] > 0), key=lambda x: (-round(x[1], 5), x[0]))[:k]


HOW = Scorer(k1=K1, b=B, head_weight=HEAD)


def ask(sparse: Sparse, query: Query, k: int, *, tolerant: bool = False) -> tuple[Matched, Found]:
    matched = resolve(query, sparse, tolerant=tolerant)
    keep = allowed(matched.bindings, sparse)
    masks = Masks([m & part.alive for m, part in zip(keep, sparse.parts, strict=True)])
    return matched, shares.search(matched, sparse, k, HOW, masks)


def numbered(segments: list[list[Passage]], found: Found) -> list[tuple[int, float]]:
    starts = np.cumsum([0, *map(len, segments)])
    return [(int(starts[s] + d), float(score)) for s, d, score in zip(*found, strict=True)]


TWO = (("tea", 0), ("cup", 1))


class TestAgainstLists:
    @given(SEGMENTS, QUERY, st.integers(1, 20))
    @example([[Passage((), ("tea", "cup") * 300)]], Query((), (Clause("phrase", "must", TWO),)), 3)
    @example([[Passage(("tea",), ("cup",)), Passage((), ("tea", "cup"))]],
             Query((), (Clause("phrase", "should", TWO),)), 9)  # fmt: skip
    def test_scores_and_order(self, segments: list[list[Passage]], query: Query, k: int) -> None:
        _, found = ask(sparse_of(segments), query, k)
        mine, expected = numbered(segments, found), Oracle(segments).found(query, k)
        assert [s for _, s in mine] == pytest.approx([s for _, s in expected], rel=1e-4)
        full = dict(Oracle(segments).found(query, 99))
        for number, score in mine:
            assert full[number] == pytest.approx(score, rel=1e-4)

    @given(SEGMENTS, QUERY)
    def test_shares_add_up_to_the_score(self, segments: list[list[Passage]], query: Query) -> None:
        sparse = sparse_of(segments)
        matched, found = ask(sparse, query, 99)
        for segment, passage, score in zip(*found, strict=True):
            parts = shares.shares(matched, sparse, HOW, int(segment), int(passage))
            assert sum(part.value for part in parts) == pytest.approx(float(score), rel=1e-4)
            here = segments[segment][passage]
            for part in (p for p in parts if len(p.words) == 1):
                (word,) = part.words
                assert (part.body, part.head) == (here.body.count(word), here.head.count(word))
                assert part.df == Oracle(segments).df(word)

    @given(SEGMENTS, st.lists(WORD, max_size=4), st.sampled_from(["tfidf", "bm25", "atire"]))
    def test_free_terms_score_as_ever(
        self, segments: list[list[Passage]], terms: list[str], kind: str
    ) -> None:
        sparse, how = sparse_of(segments), Scorer(kind)  # type: ignore[arg-type]
        matched = resolve(Query(tuple(terms)), sparse, tolerant=False)
        for mine, plain in zip(
            shares.search(matched, sparse, 9, how), sparse.search(Counter(terms), 9, how),
            strict=True,
        ):  # fmt: skip
            assert mine.tolist() == plain.tolist()


def body(*texts: str) -> Sparse:
    return sparse_of([[Passage((), tuple(text.split()))] for text in texts])


class TestNearTerms:
    def resolved(self, sparse: Sparse, *terms: str) -> Matched:
        return resolve(Query(terms), sparse, tolerant=True)

    def test_stand_for_a_term_that_nothing_has(self) -> None:
        sparse = body("government of the people", "movement", "govern ments")
        matched = self.resolved(sparse, "goverment", "people")
        assert matched.corrected == {"goverment": ("government",)}
        assert matched.terms == {"people": 1, "government": SHARE[1]}

    def test_by_distance_then_by_how_many_have_them(self) -> None:
        sparse = body("planets", "planets", "plants", "plankt", "plancks planktx")
        matched = self.resolved(sparse, "planits")
        assert matched.corrected == {"planits": ("planets", "plants", "plancks")}
        assert matched.terms == {"planets": SHARE[1], "plants": SHARE[1], "plancks": SHARE[2]}
        assert list(self.resolved(body("abcdeg", "abcdeh", "abcdeh", "abcdei", "abcdek"),
                                  "abcdef").terms) == ["abcdeh", "abcdeg", "abcdei"]  # fmt: skip

    def test_the_first_letter_counts_over_all_segments(self) -> None:
        assert self.resolved(body("zoverment", "govermend"), "goverment").corrected == {
            "goverment": ("govermend",)
        }
        assert self.resolved(body("zoverment", "tea"), "goverment").corrected == {
            "goverment": ("zoverment",)
        }

    def test_the_dead_do_not_count(self) -> None:
        gone = Passage((), ("goverment", "govermend"), alive=False)
        sparse = sparse_of([[gone, Passage((), ("zoverment",))]])
        assert self.resolved(sparse, "goverment").corrected == {"goverment": ("zoverment",)}

    @pytest.mark.parametrize("terms", [("government",), ("2025",), ("녹쟈",), ("govern", "xy")])
    def test_nothing_stands_for(self, terms: tuple[str, ...]) -> None:
        sparse = body("government", "2024", "녹차", "govern")
        matched = self.resolved(sparse, *terms)
        assert (matched.corrected, matched.terms) == ({}, dict.fromkeys(terms, 1))

    def test_nor_for_many(self) -> None:
        sparse, terms = body("government"), [f"goverment{c}" for c in "abcdefghi"]
        assert len(self.resolved(sparse, *terms[:SLIPS], "government", "12345").corrected) == SLIPS
        assert self.resolved(sparse, *terms[: SLIPS + 1]).corrected == {}

    def test_nor_when_it_is_not_asked_for(self) -> None:
        matched = resolve(Query(("goverment",)), body("government"), tolerant=False)
        assert (matched.corrected, matched.terms) == ({}, {"goverment": 1})

    def test_a_required_term_stays_as_it_is(self) -> None:
        clause = Clause("term", "must", (("goverment", 0),))
        matched, found = ask(body("government"), Query((), (clause,)), 9, tolerant=True)
        assert (matched.corrected, found[0].tolist()) == ({}, [])


def test_a_phrase_that_nothing_has_is_its_words() -> None:
    query = Query((), (Clause("phrase", "should", TWO),))
    assert resolve(query, body("cup tea"), tolerant=True).terms == {"tea": 1, "cup": 1}
    assert resolve(query, body("tea cup"), tolerant=True).phrases == (TWO,)
    dead = sparse_of([[Passage((), ("tea", "cup"), alive=False), Passage((), ("tea",))]])
    assert resolve(query, dead, tolerant=True).phrases == ()


def test_a_prefix_stands_for_the_most_frequent() -> None:
    words = [f"te{i:03}" for i in range(FAMILY + 20)]
    sparse = body(*words, *words[30:], "te065")
    (family,) = resolve(Query((), (Clause("prefix", "should", (), "te"),)), sparse,
                        tolerant=False).families  # fmt: skip
    assert family == ("te065", *sorted(set(words[30:]) - {"te065"}), *words[:10])
    bound = Clause("prefix", "must", (), "te")
    assert [m.tolist() for m in allowed([bound], sparse)] == [[True]] * len(sparse.parts)
