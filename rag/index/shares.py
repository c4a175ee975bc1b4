"""What each part of a resolved question adds to passages' scores. Knows no text and no files.

A phrase's passages are found for the question and scored as postings of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index import lookup
from rag.index.matching import Matched
from rag.index.scorers import Form, Scorer
from rag.index.sparse import Found, Masks, Placed, Shard, Sparse

_MOST = 255
"""How often a phrase counts in a passage, at most."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one term, or one phrase of ``words``, adds to a passage's score.

    ``df`` living passages have it, the passage ``body`` times in its text and ``head`` times in
    its title and headings; of a phrase, in either.
    """

    words: tuple[str, ...]
    df: int
    weight: float
    body: int
    head: int
    value: float


def search(
    matched: Matched, sparse: Sparse, k: int, scorer: Scorer, masks: Masks | None = None
) -> Found:
    """The best ``k`` passages for ``matched``; its bindings are left to ``masks``."""
    if not (matched.phrases or matched.families):
        return sparse.search(matched.terms, k, scorer, masks)
    plan = sparse.plan(scorer)
    single, weights, constant = weighed(matched, sparse, scorer)
    found, _ = sparse.find(single, plan)
    virtual = [_Virtual(phrase, sparse, plan.form) for phrase in matched.phrases]
    rows = np.concatenate([found, *(v.found for v in virtual)], axis=1)
    return sparse.best(np.ascontiguousarray(rows), weights, k, plan, masks, constant)


def shares(
    matched: Matched, sparse: Sparse, scorer: Scorer, segment: int, passage: int
) -> list[Share]:
    """What each term and phrase adds to the score of one passage, in the question's order."""
    plan = sparse.plan(scorer)
    shard = sparse.parts[segment].shard
    single, weights, _ = weighed(matched, sparse, scorer)
    length = float(plan.sizes[segment][passage])
    out = []
    for i, df in enumerate(sparse.dfs(single)):
        docs, book = shard.postings.of(single[i])
        at = int(np.searchsorted(docs, passage))
        here = at < len(docs) and docs[at] == passage
        times = book[at] if here else np.zeros(book.shape[1], book.dtype)
        x = float(plan.form.count(times[None])[0]) if here else 0.0
        value = _value(weights[i], x, plan.form, length)
        body, head = (*times.tolist(), 0)[:2]
        out.append(Share((single[i],), df, weights[i], body, head, value))
    for phrase, weight in zip(matched.phrases, weights[len(single) :], strict=True):
        docs, freqs = shard.phrase(phrase)
        times = int(freqs[docs == passage].sum())
        value = phrase_value(weight, times, plan.form, length)
        df = sum(int(p.alive[p.shard.phrase(phrase)[0]].sum()) for p in sparse.parts)
        words = tuple(term for term, _ in phrase)
        out.append(Share(words, df, weight, times, 0, value))
    return out


def phrase_value(weight: float, times: int, form: Form, length: float) -> float:
    """What a phrase adds to the score of a passage that has it so many ``times``."""
    x = float(_counts(form)[min(times, _MOST)]) if times else 0.0
    return _value(weight, x, form, length)


def weighed(
    matched: Matched, sparse: Sparse, scorer: Scorer
) -> tuple[list[str], list[float], float]:
    """The single terms; the weights of these and of the phrases; the constant of all scores."""
    single = [*matched.terms, *(term for family in matched.families for term in family)]
    models = [*matched.terms, *(family[0] for family in matched.families for _ in family)]
    times = [*matched.terms.values(), *(1.0 for _ in single[len(matched.terms) :])]
    of = list(range(len(single)))
    for i, phrase in enumerate(matched.phrases, len(single)):
        models += [term for term, _ in phrase]
        times += [1.0 for _ in phrase]
        of += [i for _ in phrase]
    weights, constant = scorer.weights(sparse.dfs(models), times, sparse.statistics)
    together = np.bincount(of, weights, len(single) + len(matched.phrases))
    return single, together.tolist(), constant


class _Virtual:
    """A phrase's postings in every part, as the compiled search takes them; keeps what they are."""

    def __init__(self, phrase: Placed, sparse: Sparse, form: Form) -> None:
        self._table = _counts(form)
        self._bounds = np.full(len(sparse.parts), -1, np.float32)
        self._postings = [self._of(part.shard, phrase) for part in sparse.parts]
        self.found = np.zeros((len(sparse.parts), 1, 8), np.int64)
        for i, (docs, codes) in enumerate(self._postings):
            at = self.found[i, 0]
            at[lookup.P_DOCS] = docs.ctypes.data
            at[lookup.P_CODES] = codes.ctypes.data
            at[lookup.P_COUNT] = len(docs)
            at[lookup.P_TABLE] = self._table.ctypes.data
            at[lookup.P_BOUND] = self._bounds[i:].ctypes.data

    @staticmethod
    def _of(shard: Shard, phrase: Placed) -> tuple[NDArray[Any], NDArray[Any]]:
        docs, freqs = shard.phrase(phrase)
        return docs, np.minimum(freqs, _MOST).astype(np.uint8)


def _counts(form: Form) -> NDArray[np.float32]:
    """What frequencies up to ``_MOST`` count."""
    times = np.arange(_MOST + 1)
    return np.ascontiguousarray(form.count(np.stack([times, 0 * times], axis=1)), np.float32)


def _value(weight: float, x: float, form: Form, length: float) -> float:
    a, c, s = form.constants
    return weight * x / (a * x + c + s * length) if x else 0.0
