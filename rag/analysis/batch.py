"""Many texts to terms at once, with positions: what ``terms`` gives, several times faster.

Each distinct word is folded and stemmed once, and remembered across batches as a number; texts
become arrays of numbers in compiled loops (``spans``). Knows no index.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.analysis import cjk, latin, spans

_REMEMBERED = 1 << 20
"""Code points of distinct spans kept for later batches, with some 60 bytes each; then none are."""
_UTF32 = f"utf-32-{sys.byteorder[0]}e"
_PIECE = 512
"""Texts cut at a time, so that their code points stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The terms of texts: text i has ``ids[ends[i-1]:ends[i]]``, in order.

    ``vocabulary`` are the distinct terms, which ``ids`` (uint32) number. ``positions`` (uint32)
    ascend within a text; every word has one, a stop word, too, and its parts share it; a run of
    bigrams has one for each. ``ends`` is int64, one for each text.
    """

    vocabulary: list[str]
    ids: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    ends: NDArray[np.int64]


def analyse_batch(texts: Sequence[str]) -> Batch:
    """The terms of ``texts``, each the same and in the same order as by ``terms``."""
    try:
        memory = _idle.pop()
    except IndexError:
        memory = _Memory()
    batch = memory.analyse(texts)
    if memory.size <= _REMEMBERED:
        _idle.append(memory)
    return batch


class _Memory:
    """What the spans of earlier texts are made of. For one thread at a time."""

    def __init__(self) -> None:
        self._table = spans.empty()
        self._numbers: dict[str, int] = {}
        self._vocabulary: list[str] = []
        self._made = array("I")  # span s makes _made[_firsts[s]:_firsts[s + 1]]
        self._firsts = array("q", [0])

    @property
    def size(self) -> int:
        return int(self._table[2][self._table[4]])

    def analyse(self, texts: Sequence[str]) -> Batch:
        found = [np.empty(0, np.uint32)]
        ends = np.empty(len(texts), np.int64)
        for i in range(0, len(texts), _PIECE):
            piece = texts[i : i + _PIECE]
            codes = _codes("".join(piece))
            lengths = np.fromiter(map(len, piece), np.int64)
            starts, stops, until = spans.cut(codes, np.cumsum(lengths), _kinds())
            numbers, self._table = spans.number(codes, starts, stops, self._table)
            ends[i : i + _PIECE] = until + sum(map(len, found))
            found.append(numbers)
        self._learn()
        which, ids, positions, until = spans.expand(
            np.concatenate(found),
            ends,
            np.frombuffer(self._firsts, np.int64),
            np.frombuffer(self._made, np.uint32),
            len(self._vocabulary),
        )
        return Batch([self._vocabulary[n] for n in which.tolist()], ids, positions, until)

    def _learn(self) -> None:
        """Make terms of the spans that the table has got since."""
        _, _, starts, known, count, _ = self._table
        new = starts[len(self._firsts) - 1 : count + 1]
        text = known[new[0] : new[-1]].tobytes().decode(_UTF32, "surrogatepass")
        east = _kinds()[known[new[:-1]]] == spans.CJK
        for bigram, (start, stop) in zip(
            east.tolist(), pairwise((new - new[0]).tolist()), strict=True
        ):
            span = text[start:stop]
            terms = [cjk.term(span)] if bigram else [term for term, _, _ in latin.terms(span)]
            for term in terms:
                n = self._numbers.setdefault(term, len(self._vocabulary))
                if n == len(self._vocabulary):
                    self._vocabulary.append(term)
                self._made.append(n)
            self._firsts.append(len(self._made))


_idle: deque[_Memory] = deque(maxlen=2)
"""Not in use. Each thread takes its own, so there is no lock that a fork could leave held."""


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode(_UTF32, "surrogatepass"), np.uint32)


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of every code point, by the same classes of `re` as one text's runs."""
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    everything = np.arange(kinds.size, dtype=np.uint32).tobytes().decode(_UTF32, "surrogatepass")
    kinds[0x300:0x370] = spans.MARK
    for kind, pattern in (
        (spans.LATIN, rf"[^\W{cjk.CHARACTERS}]+"),
        (spans.CJK, f"[{cjk.CHARACTERS}]+"),
    ):
        for found in re.finditer(pattern, everything):
            kinds[found.start() : found.end()] = kind
    return kinds
