"""Postings and scoring: BM25 and TF-IDF over stored term frequencies and lengths.

Weights are applied at query time, so statistics are global over all segments and exact after
deletes. Knows no files, no catalogue and no text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Vocabulary(Sequence[bytes]):
    """Sorted terms, UTF-8, in one block of bytes; searched in place, so opening costs nothing."""

    def __init__(self, block: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self.block = block
        self.ends = ends

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: Any) -> Any:  # noqa: ANN401 - bisect passes integers only
        start = self.ends[i - 1] if i else 0
        return self.block[start : self.ends[i]].tobytes()

    def find(self, term: str) -> int | None:
        key = term.encode("utf-8", "surrogatepass")
        i = bisect_left(self, key)
        return i if i < len(self) and self[i] == key else None


@dataclass(frozen=True)
class Postings:
    """Term-major postings of ``n`` passages, numbered from 0.

    Term ``t`` occurs ``tfs[p]`` times in passage ``docs[p]`` for ``p`` in
    ``ptr[t]:ptr[t + 1]``, passages ascending. ``lengths`` is each passage's number of terms.
    """

    vocabulary: Vocabulary
    ptr: NDArray[np.int64]
    docs: NDArray[np.uint32]
    tfs: NDArray[np.uint32]
    lengths: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.lengths)

    def of(self, term: str) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """``(docs, tfs)`` of ``term``, empty when it does not occur."""
        t = self.vocabulary.find(term)
        at = slice(0, 0) if t is None else slice(self.ptr[t], self.ptr[t + 1])
        return self.docs[at], self.tfs[at]

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "terms": self.vocabulary.block,
            "ends": self.vocabulary.ends,
            "ptr": self.ptr,
            "docs": self.docs,
            "tfs": self.tfs,
            "lengths": self.lengths,
        }

    @classmethod
    def from_arrays(cls, a: Mapping[str, NDArray[Any]]) -> Postings:
        return cls(Vocabulary(a["terms"], a["ends"]), a["ptr"], a["docs"], a["tfs"], a["lengths"])


def invert(passages: Sequence[Sequence[str]]) -> Postings:
    """Postings of ``passages``, each given as its terms."""
    lengths = np.fromiter(map(len, passages), np.uint32, len(passages))
    vocabulary = {
        term: i for i, term in enumerate(sorted(set(chain.from_iterable(passages)), key=_utf8))
    }
    ids = np.fromiter(
        (vocabulary[t] for t in chain.from_iterable(passages)), np.int64, int(lengths.sum())
    )
    docs = np.repeat(np.arange(len(passages), dtype=np.int64), lengths)
    return _group(ids, docs, np.ones(len(ids), np.int64), list(map(_utf8, vocabulary)), lengths)


def merge(parts: Sequence[tuple[Postings, Mask]]) -> Postings:
    """One ``Postings`` of the passages that each part's mask keeps, in order."""
    words = sorted({w for postings, _ in parts for w in postings.vocabulary})
    number = {w: i for i, w in enumerate(words)}
    ids, docs, tfs, lengths, base = [], [], [], [], 0
    for postings, keep in parts:
        local = np.fromiter(
            (number[w] for w in postings.vocabulary), np.int64, len(postings.vocabulary)
        )
        term = np.repeat(local, np.diff(postings.ptr))
        kept = keep[postings.docs]
        ids.append(term[kept])
        docs.append((np.cumsum(keep) - 1)[postings.docs[kept]] + base)
        tfs.append(postings.tfs[kept])
        lengths.append(postings.lengths[keep])
        base += int(keep.sum())
    join = np.concatenate
    return _group(join(ids), join(docs), join(tfs), words, join(lengths))


def _group(
    ids: NDArray[np.int64],
    docs: NDArray[np.int64],
    tfs: NDArray[Any],
    words: Sequence[bytes],
    lengths: NDArray[np.uint32],
) -> Postings:
    """Sum ``tfs`` of equal ``(id, doc)`` pairs into term-major postings; drop unused words."""
    key, inverse = np.unique(ids * max(len(lengths), 1) + docs, return_inverse=True)
    counts = np.bincount(inverse, weights=tfs, minlength=len(key)).astype(np.uint32)
    term, doc = np.divmod(key, max(len(lengths), 1))
    used, df = np.unique(term, return_counts=True)
    kept = [words[i] for i in used]
    ends = np.cumsum(np.fromiter(map(len, kept), np.int64, len(kept)), dtype=np.int64)
    block = np.frombuffer(b"".join(kept), np.uint8)
    ptr = np.concatenate([[0], np.cumsum(df)]).astype(np.int64)
    return Postings(Vocabulary(block, ends), ptr, doc.astype(np.uint32), counts, lengths)


def _utf8(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


class Sparse:
    """Scores queries over several postings as if they were one.

    Parameters
    ----------
    parts
        Postings, each with a mask of its live passages.
    """

    def __init__(self, parts: Sequence[tuple[Postings, Mask]]) -> None:
        self.parts = parts
        self.n = int(sum(alive.sum() for _, alive in parts))
        total = sum(int(p.lengths[alive].sum(dtype=np.int64)) for p, alive in parts)
        self.mean_length = total / self.n if self.n else 0.0

    def bm25(self, terms: Sequence[str], k1: float = 1.2, b: float = 0.75) -> list[Scores]:
        """Scores of every passage, one ``(n,) float32`` a part; 0 where no term matches.

        Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework", eq. 3.15, with
        Lucene's never negative ``idf = ln(1 + (N - df + 0.5) / (df + 0.5))`` and without the
        constant factor ``k1 + 1``. A repeated query term counts as often as it is repeated.
        """
        norms = [
            (k1 * (1 - b + b * p.lengths / max(self.mean_length, 1e-9))).astype(np.float32)
            for p, _ in self.parts
        ]
        scores = self._zeros()
        for term, times in Counter(terms).items():
            found, df = self._occurrences(term)
            weight = np.float32(times * self._idf(df))
            for acc, norm, (docs, tfs) in zip(scores, norms, found, strict=True):
                acc[docs] += weight * (tfs / (tfs + norm[docs])).astype(np.float32)
        return scores

    def idf(self, term: str) -> float:
        """BM25's weight of ``term``; the highest for one that no passage has."""
        return self._idf(self._occurrences(term)[1])

    def _idf(self, df: int) -> float:
        return float(np.log1p((self.n - df + 0.5) / (df + 0.5)))

    def tfidf(self, terms: Sequence[str]) -> list[Scores]:
        """Cosine of TF-IDF vectors, one ``(n,) float32`` a part.

        The weights of scikit-learn's ``TfidfVectorizer``: ``tf * (ln((1 + N) / (1 + df)) + 1)``,
        vectors of unit length; terms that no passage has do not count.
        """
        scores = self._zeros()
        square = 0.0
        for term, times in Counter(terms).items():
            found, df = self._occurrences(term)
            if not df:
                continue
            idf = np.log((1 + self.n) / (1 + df)) + 1
            square += float(times * idf) ** 2
            for acc, (docs, tfs) in zip(scores, found, strict=True):
                acc[docs] += (times * idf * idf * tfs).astype(np.float32)
        for acc, norm in zip(scores, self._tfidf_norms, strict=True):
            acc /= norm * np.float32(max(np.sqrt(square), 1e-9))
        return scores

    @cached_property
    def _tfidf_norms(self) -> list[Scores]:
        """Length of each passage's TF-IDF vector; at least a tiny positive number."""
        df: Counter[bytes] = Counter()
        for postings, alive in self.parts:
            counts = np.add.reduceat(
                np.append(alive[postings.docs], False).astype(np.int64), postings.ptr[:-1]
            )
            df.update(dict(zip(postings.vocabulary, counts.tolist(), strict=True)))
        norms = []
        for postings, _ in self.parts:
            dfs = np.fromiter((df[w] for w in postings.vocabulary), np.int64, len(postings.ptr) - 1)
            idf = np.repeat(np.log((1 + self.n) / (1 + dfs)) + 1, np.diff(postings.ptr))
            square = np.bincount(postings.docs, (postings.tfs * idf) ** 2, len(postings))
            norms.append(np.sqrt(np.maximum(square, 1e-18)).astype(np.float32))
        return norms

    def _zeros(self) -> list[Scores]:
        return [np.zeros(len(postings), np.float32) for postings, _ in self.parts]

    def _occurrences(self, term: str) -> tuple[list[tuple[NDArray[Any], NDArray[Any]]], int]:
        """``(docs, tfs)`` of ``term`` in each part, and how many live passages have it."""
        found = [postings.of(term) for postings, _ in self.parts]
        df = sum(int(a[docs].sum()) for (docs, _), (_, a) in zip(found, self.parts, strict=True))
        return found, df
