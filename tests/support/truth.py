"""What a collection must hold, as a dictionary of texts, and whether it does, by brute force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pytest

from rag.index import Collection, Row
from tests.support.collections import doc_id
from tests.support.corpus import bm25, row, vector

State = dict[str, str]
"""Document name to text, whose paragraphs are its passages."""


@lru_cache(maxsize=4096)
def made(name: str, text: str) -> Row:
    """The row of a document, analysed once."""
    return row(name, text)


def texts(collection: Collection) -> State:
    """What the catalogue has; every document with the passages of its text and no others."""
    found = {}
    for known in collection.documents():
        text = collection.text(doc_id(known.path))
        assert collection.passages(known.id) == list(made(known.path, text).chunks)
        found[known.path] = text
    return found


def assert_searches(
    collection: Collection,
    state: Mapping[str, str],
    queries: Sequence[Sequence[str]],
    encoded: Mapping[str, str] | None = None,
) -> None:
    """By terms and by vectors, ``collection`` finds what is in ``state``.

    Documents that ``encoded`` has with the same text have vectors; others may.
    """
    rows = [made(name, text) for name, text in state.items()]
    passages = [(r, i, c) for r in rows for i, c in enumerate(r.chunks)]
    assert collection.count() == len(passages)
    for query in queries:
        scores = bm25([r.terms[i] for r, i, _ in passages], query)
        expected = {c.id: s for (*_, c), s in zip(passages, scores, strict=True) if s > 0}
        hits = collection.sparse(query, len(passages) + 1)
        assert dict(hits) == pytest.approx(expected, rel=1e-4)
        assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
        assert collection.fetch([i for i, _ in hits]) == {
            c.id: c for *_, c in passages if c.id in expected
        }
    question = vector(" ".join(queries[0]))
    near = dict(collection.dense(question, len(passages) + 1))
    cosines = {c.id: float(vector(c.context) @ question) for *_, c in passages}
    assert near == pytest.approx({i: cosines[i] for i in near}, abs=1e-5)
    assert len(near) == len(passages) - collection.outstanding()
    known = encoded or {}
    for name, text in state.items():
        if known.get(name) == text:
            assert {c.id for c in made(name, text).chunks} <= near.keys()


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Some of few words, the first ones often."""
    return [VOCABULARY[min(int(n), len(VOCABULARY) - 1)] for n in rng.geometric(0.15, count) - 1]


VOCABULARY = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "spring",
    "water",
    "샘물",
    "검색",
    "색인",
    "문서",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
]
