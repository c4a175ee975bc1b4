"""What given passages have of a question, against a plain reading of their words."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from rag.index import Collection
from rag.index.matching import Matched
from rag.index.nearness import REACH
from rag.index.traits import Traits
from tests.support.corpus import row

HOW = {"k1": 1.2, "b": 0.75, "head_weight": 2.0}
# No stemmer of any language changes these.
WORDS = ["bcd", "fgh", "jkl", "mnp", "qrt", "vwx", "zbf", "gkm"]


def asked(
    collection: Collection, terms: list[str], ids: list[str], gaps: dict[str, tuple[str, int]]
) -> Traits:
    return collection.traits(Matched(Counter(terms)), gaps, ids, **HOW)


def window(text: list[str], shares: dict[str, float]) -> float:
    runs = (text[i : i + REACH] for i in range(len(text)))
    return max((sum(shares[t] for t in shares if t in run) for run in runs), default=0.0)


def test_they_are_those_of_a_plain_reading_over_segments_and_deletes(
    collection: Collection,
) -> None:
    rng = np.random.default_rng(3)
    texts = {f"t{i}": [WORDS[w] for w in rng.integers(0, 8, rng.integers(1, 120))]
             for i in range(90)}  # fmt: skip
    for start in range(0, 90, 30):
        part = list(texts.items())[start : start + 30]
        collection.upsert([row(name, " ".join(words)) for name, words in part])
    terms = ["bcd", "jkl", "mnp", "tvz"]
    gaps = {"bcd": ("jkl", 1), "jkl": ("mnp", 3)}
    paths = {c.id: c.path for d in collection.documents() for c in collection.passages(d.id)}
    ids = sorted(paths)
    found = asked(collection, terms, ids, gaps)

    idf = collection.idf(terms)
    shares = {t: idf[t] / sum(idf.values()) for t in terms}
    pairs = {(a, b, gap): shares[a] + shares[b] for a, (b, gap) in gaps.items()}
    listed = dict(collection.sparse(terms, 100, **HOW))
    for i, id_ in enumerate(ids):
        text = texts[paths[id_]]
        assert found.score[i] == pytest.approx(listed.get(id_, 0.0), rel=1e-5)
        assert found.coverage[i] == pytest.approx(sum(shares[t] for t in terms if t in text))
        assert found.window[i] == pytest.approx(window(text, shares))
        met = [w for (a, b, gap), w in pairs.items() if (a, b) in zip(text, text[gap:])]  # noqa: B905
        assert found.pairs[i] == pytest.approx(sum(met) / sum(pairs.values()))
    assert found.most == pytest.approx(sum(idf.values()))


def test_titles_are_told_apart(collection: Collection) -> None:
    collection.upsert([row("a", "boil water", title="Green tea"), row("b", "green tea water")])
    first, second = (collection.documents()[i].path == "a" for i in range(2))
    assert (first, second) in ((True, False), (False, True))
    ids = {c.path: c.id for d in collection.documents() for c in collection.passages(d.id)}
    found = asked(collection, ["tea", "water"], [ids["a"], ids["b"], "0" * 32], {})
    idf = collection.idf(["tea", "water"])
    tea = idf["tea"] / (idf["tea"] + idf["water"])
    assert found.heading.tolist() == pytest.approx([tea, 0, 0])
    assert found.coverage.tolist() == pytest.approx([1, 1, 0])
    assert found.score[2] == found.window[2] == found.pairs[2] == 0


def test_a_family_counts_once_and_phrases_count_as_their_terms(collection: Collection) -> None:
    collection.upsert([row("a", "vino rosso vino wine"), row("b", "green tea leaf")])
    ids = {c.path: c.id for d in collection.documents() for c in collection.passages(d.id)}
    phrase = (("green", 0), ("tea", 1))
    matched = Matched({"leaf": 1.0}, (phrase,), (("vino", "wine"),))
    found = collection.traits(matched, {}, [ids["a"], ids["b"]], **HOW)
    listed = dict(collection.sparse(matched, 10, **HOW))
    assert found.score.tolist() == pytest.approx([listed[ids["a"]], listed[ids["b"]]], rel=1e-5)
    idf = collection.idf(["leaf", "green", "tea", "vino"])
    most = idf["leaf"] + idf["green"] + idf["tea"] + idf["vino"]
    assert found.most == pytest.approx(most)
    assert found.coverage.tolist() == pytest.approx(
        [idf["vino"] / most, (most - idf["vino"]) / most]
    )


def test_of_korean_bigrams_pairs_are_words(collection: Collection) -> None:
    collection.upsert([row("a", "녹차를 우린다", language="ko"), row("b", "차를 마시고 녹차밭")])
    ids = {c.path: c.id for d in collection.documents() for c in collection.passages(d.id)}
    terms = ["녹차", "차를"]
    gaps = {a: (b, 1) for a, b in pairwise(terms)}
    found = asked(collection, terms, [ids["a"], ids["b"]], gaps)
    assert found.pairs.tolist() == [1, 0]


def test_nothing_asked_finds_nothing(collection: Collection) -> None:
    collection.upsert([row("a", "green tea")])
    ids = [c.id for d in collection.documents() for c in collection.passages(d.id)]
    found = asked(collection, [], ids, {})
    assert (found.most, found.score.tolist(), found.coverage.tolist()) == (0, [0], [0])
    assert asked(collection, ["tea"], [], {}).score.shape == (0,)


def test_a_term_that_a_prefix_means_too_weighs_twice(collection: Collection) -> None:
    collection.upsert([row("a", "bcd fgh"), row("b", "bcdq jkl"), row("c", "fgh jkl")])
    ids = {c.path: c.id for d in collection.documents() for c in collection.passages(d.id)}
    matched = Matched({"bcd": 1.0, "fgh": 1.0}, families=(("bcd", "bcdq"),))
    found = collection.traits(matched, {}, [ids["a"], ids["b"]], **HOW)
    idf = collection.idf(["bcd", "fgh"])
    most = 2 * idf["bcd"] + idf["fgh"]
    assert found.most == pytest.approx(most)
    assert found.coverage.tolist() == pytest.approx([1.0, idf["bcd"] / most])
