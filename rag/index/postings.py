"""Which passages have which terms, how often and where: made from passages, merged, stored.

Numbers of passages take 16 bits, so postings have at most ``MOST`` of them. Knows no files and no
scores.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.index import inversion, phrase
from rag.index.lookup import MOST
from rag.index.rows import Terms, joined

Mask = NDArray[np.bool_]
Codes = NDArray[np.uint8] | NDArray[np.uint16]


class Vocabulary(Sequence[bytes]):
    """Sorted terms, UTF-8, in one block of bytes; searched in place, so opening costs nothing."""

    def __init__(self, block: NDArray[np.uint8], ends: NDArray[np.uint32]) -> None:
        self.block = block
        self.ends = ends

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: Any) -> Any:  # noqa: ANN401 - bisect passes integers only
        start = self.ends[i - 1] if i else 0
        return self.block[start : self.ends[i]].tobytes()

    def find(self, term: str) -> int | None:
        key = utf8(term)
        i = bisect_left(self, key)
        return i if i < len(self) and self[i] == key else None


@dataclass(frozen=True)
class Postings:
    """Term-major postings of ``n`` passages, numbered from 0.

    Term ``t`` has the postings ``p`` in ``ptr[t]:ptr[t + 1]``: it occurs in passage ``docs[p]``,
    ascending, as often as the row ``book[codes[p]]`` says of text and of title and headings. (Of
    learned weights the book has one column, and there are no places.) ``lengths`` are each
    passage's terms in text and in headings. ``pbytes`` and ``pptr`` are the terms' places, as
    ``phrase`` has them.
    """

    vocabulary: Vocabulary
    ptr: NDArray[np.uint32]
    docs: NDArray[np.uint16]
    codes: Codes
    book: NDArray[Any]
    lengths: NDArray[np.uint32]
    pbytes: NDArray[np.uint8]
    pptr: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def of(self, term: str) -> tuple[NDArray[np.uint16], NDArray[Any]]:
        """``docs`` and rows of the book of ``term``, empty when it does not occur."""
        t = self.vocabulary.find(term)
        at = slice(0, 0) if t is None else slice(int(self.ptr[t]), int(self.ptr[t + 1]))
        return self.docs[at], self.book[self.codes[at]]

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "terms": self.vocabulary.block,
            "ends": self.vocabulary.ends,
            "ptr": self.ptr,
            "docs": self.docs,
            "codes": self.codes,
            "book": self.book,
            "lengths": self.lengths,
            "pbytes": self.pbytes,
            "pptr": self.pptr,
        }

    @classmethod
    def from_arrays(cls, a: Mapping[str, NDArray[Any]]) -> Postings:
        of = ("ptr", "docs", "codes", "book", "lengths", "pbytes", "pptr")
        return cls(Vocabulary(a["terms"], a["ends"]), *(a[name] for name in of))


def invert(parts: Sequence[Terms]) -> Postings:
    """Postings of the passages of ``parts``, in order."""
    runs = [_Run.of(part) for part in joined(parts)] or [_Run.of(Terms.of([]))]
    _check(sum(len(run.sizes) for run in runs))
    words, ids = _numbered(runs)
    heads, sizes, positions = (
        np.concatenate([getattr(run, name) for run in runs])
        for name in ("heads", "sizes", "positions")
    )
    ptr, docs, body, head, flat = inversion.invert(ids, positions, heads, sizes, len(words))
    codes, book = _coded(body, head)
    pbytes, pptr = phrase.encode(ptr, body + head, flat)
    lengths = np.stack([sizes.astype(np.uint32) - heads, heads], axis=1)
    vocabulary = Vocabulary(*_block(words))
    return Postings(vocabulary, ptr.astype(np.uint32), docs, codes, book, lengths, pbytes, pptr)


def impacts(passages: Sequence[Mapping[str, float]]) -> Postings:
    """Postings of passages whose terms carry learned weights, as SPLADE's: scored by dot product.

    More than 65,536 different weights are rounded to that many, evenly spaced in their logarithms.
    """
    words = sorted({term for passage in passages for term in passage})
    number = {word: i for i, word in enumerate(words)}
    found = [
        (number[term], doc, weight)
        for doc, passage in enumerate(passages)
        for term, weight in passage.items()
        if weight > 0
    ]
    found.sort()
    terms, docs, weights = (
        np.array(column, kind)
        for column, kind in zip(
            zip(*found, strict=True) if found else ((), (), ()),
            (np.int64, np.uint16, np.float32),
            strict=True,
        )
    )
    _check(len(passages))
    book, codes = _booked(weights[:, None])
    ptr = np.searchsorted(terms, np.arange(len(words) + 1)).astype(np.uint32)
    return Postings(
        Vocabulary(*_block(words)),
        ptr,
        docs,
        _narrow(codes, len(book)),
        book,
        np.zeros((len(passages), 2), np.uint32),
        np.empty(0, np.uint8),
        np.zeros(len(ptr), np.int64),
    )


def merge(parts: Sequence[tuple[Postings, Mask]]) -> Postings:
    """One ``Postings`` of the passages that each part's mask keeps, in order."""
    kept = [np.flatnonzero(keep) for _, keep in parts]
    renumbered, base = [], 0
    for (postings, _), rows in zip(parts, kept, strict=True):
        to = np.full(len(postings), -1, np.int32)
        to[rows] = np.arange(base, base + len(rows))
        renumbered.append(to)
        base += len(rows)
    _check(base)
    book, codes = _booked(np.concatenate([p.book for p, _ in parts]))
    edges = np.cumsum([len(p.book) for p, _ in parts])[:-1]
    recoded = np.split(_narrow(codes, len(book)), edges)
    counts = [inversion.times(p.book) for p, _ in parts]
    merged = inversion.merge(
        [(p.vocabulary.block, p.vocabulary.ends, p.ptr, p.docs, p.codes, p.pbytes, p.pptr)
         for p, _ in parts], renumbered, recoded, counts,
    )  # fmt: skip
    lengths = np.concatenate([p.lengths[rows] for (p, _), rows in zip(parts, kept, strict=True)])
    block, ends, ptr, docs, new, pbytes, pptr = merged
    used = np.bincount(new, minlength=len(book)) > 0
    if not used.all():
        new = _narrow((np.cumsum(used) - 1)[new], int(used.sum()))
    return Postings(Vocabulary(block, ends), ptr, docs, new, book[used], lengths, pbytes, pptr)


def utf8(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


class _Run(NamedTuple):
    """The passages that ``Terms`` mean, as arrays."""

    vocabulary: Sequence[str]
    ids: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    heads: NDArray[np.uint32]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, terms: Terms) -> _Run:
        start, stop = terms.start, terms.start + len(terms)
        first = int(terms.ends[start - 1]) if start else 0
        ends = terms.ends[start:stop]
        within = slice(first, int(ends[-1]) if len(ends) else first)
        sizes = np.diff(ends, prepend=first)
        return cls(terms.vocabulary, terms.ids[within], terms.positions[within],
                   terms.heads[start:stop], sizes)  # fmt: skip


def _numbered(parts: Sequence[_Run]) -> tuple[list[str], NDArray[np.uint32]]:
    """The terms that occur, sorted, and all occurrences as numbers into them."""
    words: list[str] = []
    number: dict[str, int] = {}
    if all(terms.vocabulary is parts[0].vocabulary for terms in parts):
        words = list(parts[0].vocabulary)
        ids = np.concatenate([terms.ids for terms in parts])
    else:
        of: dict[int, NDArray[np.uint32]] = {}
        for terms in parts:
            if (key := id(terms.vocabulary)) not in of:
                new = [word for word in terms.vocabulary if word not in number]
                number.update(zip(new, range(len(number), len(number) + len(new)), strict=True))
                own = map(number.__getitem__, terms.vocabulary)
                of[key] = np.fromiter(own, np.uint32, len(terms.vocabulary))
        ids = np.concatenate([of[id(terms.vocabulary)][terms.ids] for terms in parts])
        words = list(number)
    used = np.flatnonzero(np.bincount(ids, minlength=len(words))).tolist()
    used.sort(key=words.__getitem__)  # code points sort as their UTF-8 does
    rank = np.zeros(len(words), np.uint32)
    rank[used] = np.arange(len(used), dtype=np.uint32)
    return [words[i] for i in used], rank[ids]


def _block(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    encoded = list(map(utf8, words))
    ends = np.cumsum(np.fromiter(map(len, encoded), np.uint32, len(encoded)), dtype=np.uint32)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def _coded(body: NDArray[np.uint32], head: NDArray[np.uint32]) -> tuple[Codes, NDArray[np.uint32]]:
    """Pairs of frequencies as codes and the book of pairs that they stand for."""
    base = int(head.max(initial=0)) + 1
    key = body.astype(np.int64) * base + head
    if (top := int(key.max(initial=0))) < 1 << 20:
        there = np.zeros(top + 1, np.bool_)
        there[key] = True
        pairs = np.flatnonzero(there)
        codes = (np.cumsum(there) - 1)[key]
    else:
        pairs, codes = np.unique(key, return_inverse=True)
    book = np.stack(np.divmod(pairs, base), axis=1).astype(np.uint32)
    return _narrow(codes, len(book)), book


def _booked(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """A book of the different rows, and of each row its code.

    Of more than ``MOST`` weights, so many, evenly spaced in their logarithms: within 1e-4 of the
    right ones where the largest is 100,000 times the least.
    """
    book, codes = np.unique(rows, axis=0, return_inverse=True)
    if len(book) <= MOST:
        return book, codes.ravel()
    logs = np.log(rows[:, 0].astype(np.float64))
    book = np.exp(np.linspace(logs.min(), logs.max(), MOST)).astype(np.float32)
    codes = np.rint((logs - logs.min()) / np.ptp(logs) * (MOST - 1))
    return book[:, None], codes.astype(np.int64)


def _check(passages: int) -> None:
    if passages > MOST:
        raise ValueError(f"postings hold at most {MOST:,} passages, not {passages:,}")


def _narrow(codes: NDArray[Any], count: int) -> Codes:
    return codes.astype(np.uint8) if count <= 256 else codes.astype(np.uint16)
