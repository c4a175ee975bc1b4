"""Many texts to terms at once, with positions: what an analyser gives of each, but faster.

Each distinct word, bigram and stretch of Hangul is analysed once, and remembered across batches as
a number; texts become arrays of numbers in compiled loops (``spans``). Knows no index.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rag.analysis import cjk, latin, spans
from rag.analysis.analyser import Analyser
from rag.analysis.korean import HANGUL
from rag.analysis.language import detect
from rag.analysis.runs import MARKS, Manner

_REMEMBERED = 1 << 21
"""Code points of distinct spans kept for later batches, with some 60 bytes each; then none are."""
_UTF32 = f"utf-32-{sys.byteorder[0]}e"
_PIECE = 512
"""Texts cut at a time, so that their code points stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The terms of texts: text i has ``ids[ends[i-1]:ends[i]]``, in order.

    ``vocabulary`` are the distinct terms, which ``ids`` (uint32) number. ``positions`` (uint32)
    of a term ascend within a text; every word has one, a stop word, too, and its parts share it; a
    run of bigrams has one for each, which morphemes share; a text's last is its highest. ``ends``
    is int64, one for each text.
    """

    vocabulary: list[str]
    ids: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    ends: NDArray[np.int64]


def analyse_batch(
    texts: Sequence[str],
    languages: Sequence[str] | None = None,
    analyser: Analyser = Analyser(),  # noqa: B008 - a frozen value
) -> Batch:
    """The terms of ``texts``, each the same and in the same order as by ``analyser.positions``.

    ``languages`` are the texts'; by default, those that they seem to be in.
    """
    idle = _idle(analyser)
    try:
        memory = idle.pop()
    except IndexError:
        memory = _Memory(analyser)
    batch = memory.analyse(texts, list(map(detect, texts)) if languages is None else languages)
    if memory.size <= _REMEMBERED:
        idle.append(memory)
    return batch


class _Memory:
    """What the spans of earlier texts are made of. For one thread at a time.

    A *meaning* is a span in a manner: its terms. Meaning m makes ``_made[_firsts[m]:_firsts[m +
    1]]``, at ``_places`` from its own; ``_meanings[manner][span]`` is 1 + its number, 0 if unknown.
    """

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._table = spans.empty()
        self._numbers: dict[str, int] = {}
        self._vocabulary: list[str] = []
        self._made = array("I")
        self._places = array("B")
        self._firsts = array("q", [0])
        self._wide = array("B")
        self._meanings: dict[Manner, NDArray[np.uint32]] = {}

    @property
    def size(self) -> int:
        return int(self._table[2][self._table[5]])

    def analyse(self, texts: Sequence[str], languages: Sequence[str]) -> Batch:
        known = {language: self._analyser.manner(language) for language in set(languages)}
        east = np.array([bool(known[language].east) for language in languages], np.bool_)
        hangul = self._analyser.korean != "bigrams"
        found = [np.empty(0, np.uint32)]
        ends = np.empty(len(texts), np.int64)
        for i in range(0, len(texts), _PIECE):
            piece = texts[i : i + _PIECE]
            codes = _codes("".join(piece))
            lengths = np.fromiter(map(len, piece), np.int64)
            ends_here, east_here = np.cumsum(lengths), east[i : i + _PIECE]
            starts, stops, what, until = spans.cut(
                codes, ends_here, _kinds(), east_here, hangul, cjk.STRETCH
            )
            numbers, self._table = spans.number(codes, starts, stops, what, self._table)
            ends[i : i + _PIECE] = until + sum(map(len, found))
            found.append(numbers)
        meanings = self._understood(np.concatenate(found), ends, languages, known)
        which, ids, positions, until = spans.expand(
            meanings,
            ends,
            np.frombuffer(self._firsts, np.int64),
            np.frombuffer(self._made, np.uint32),
            np.frombuffer(self._places, np.uint8),
            np.frombuffer(self._wide, np.bool_),
            len(self._vocabulary),
        )
        return Batch([self._vocabulary[n] for n in which.tolist()], ids, positions, until)

    def _understood(
        self,
        numbers: NDArray[np.uint32],
        ends: NDArray[np.int64],
        languages: Sequence[str],
        manners: Mapping[str, Manner],
    ) -> NDArray[np.uint32]:
        """The meanings of spans, each in the manner of its text's language."""
        kinds = {manner: i for i, manner in enumerate(dict.fromkeys(manners.values()))}
        if len(kinds) == 1:
            (manner,) = kinds
            return self._known(manner, numbers)[numbers] - np.uint32(1)
        number = {language: kinds[manner] for language, manner in manners.items()}
        texts = np.array([number[language] for language in languages], np.uint8)
        of = np.repeat(texts, np.diff(ends, prepend=0))
        out = np.empty(len(numbers), np.uint32)
        for manner, i in kinds.items():
            here = of == i
            out[here] = self._known(manner, numbers[here])[numbers[here]] - 1
        return out

    def _known(self, manner: Manner, numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The meanings of all spans that ``numbers`` name, and of others."""
        count = self._table[5]
        known = self._meanings.get(manner, np.empty(0, np.uint32))
        if len(known) < count:
            known = np.pad(known, (0, len(self._table[1]) - len(known)))
            self._meanings[manner] = known
        there = np.zeros(count, np.bool_)
        there[numbers] = True
        new = np.flatnonzero(there & (known[:count] == 0))
        known[new] = np.arange(len(self._firsts), len(self._firsts) + len(new))
        self._learn(manner, new)
        return known

    def _learn(self, manner: Manner, new: NDArray[np.int64]) -> None:
        """Make terms of spans."""
        if not len(new):
            return
        _, _, starts, codes, kinds, _, _ = self._table
        stops = np.cumsum(starts[new + 1] - starts[new])
        begins = np.concatenate([[0], stops[:-1]])
        places = np.arange(stops[-1] if len(stops) else 0) + np.repeat(
            starts[new] - begins, np.diff(stops, prepend=0)
        )
        text = codes[places].tobytes().decode(_UTF32, "surrogatepass")
        numbers, vocabulary, before = self._numbers, self._vocabulary, len(self._made)
        made: list[int] = []
        at: list[int] = []
        firsts: list[int] = []
        for start, stop, kind in zip(
            begins.tolist(), stops.tolist(), kinds[new].tolist(), strict=True
        ):
            for term, place in self._terms(text[start:stop], kind, manner):
                if (number := numbers.get(term)) is None:
                    number = numbers[term] = len(vocabulary)
                    vocabulary.append(term)
                made.append(number)
                at.append(place)
            firsts.append(before + len(made))
        self._made.extend(made)
        self._places.extend(at)
        self._firsts.extend(firsts)
        self._wide.extend((kinds[new] != spans.STRETCH).tolist())

    def _terms(self, span: str, kind: int, manner: Manner) -> list[tuple[str, int]]:
        if kind == spans.BIGRAM:
            return [(cjk.term(span), 0)]
        if kind == spans.WORD:
            return [(term, 0) for term, _, _ in latin.terms(span, manner.stems)]
        hangul = _kinds()[ord(span[0])] == spans.HANGUL
        found = self._analyser.stretch(span, bool(hangul), manner)
        return [(piece.term, piece.at) for piece in found]


@cache
def _idle(analyser: Analyser) -> deque[_Memory]:
    """Not in use. Each thread takes its own, so there is no lock that a fork could leave held."""
    return deque(maxlen=2)


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode(_UTF32, "surrogatepass"), np.uint32)


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of every code point, by the same classes of `re` as one text's runs."""
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    everything = np.arange(kinds.size, dtype=np.uint32).tobytes().decode(_UTF32, "surrogatepass")
    kinds[list(map(ord, MARKS))] = spans.MARK
    for kind, pattern in (
        (spans.LATIN, rf"[^\W{cjk.CHARACTERS}]+"),
        (spans.CJK, f"[{cjk.CHARACTERS}]+"),
        (spans.HANGUL, f"[{HANGUL}]+"),
    ):
        for found in re.finditer(pattern, everything):
            kinds[found.start() : found.end()] = kind
    return kinds
