"""What is written to a collection in one piece, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.spaces import State
from rag.types import Chunk, Document, Passed


@dataclass(frozen=True, slots=True)
class Stat(Passed):
    """What a source said of a file when it was read, and the digest of its bytes.

    Equal stamps, where they are not empty, mean an unchanged file.
    """

    stamp: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Terms(Passed):
    """The analysed terms of passages, as numbers into a vocabulary that rows of a batch share.

    Passage ``i`` has ``ids[ends[i - 1]:ends[i]]``; its first ``heads[i]`` terms are of its title
    and headings. ``positions`` ascend within a passage: terms of one word share one, fields lie
    apart. Only the passages from ``start`` to before ``stop`` are meant.
    """

    vocabulary: Sequence[str]
    ids: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    heads: NDArray[np.uint32]
    ends: NDArray[np.int64]
    start: int = 0
    stop: int | None = None

    @classmethod
    def of(cls, passages: Sequence[Sequence[str]]) -> Terms:
        """Terms in a row, none of them of a heading."""
        number: dict[str, int] = {}
        ids = [number.setdefault(term, len(number)) for terms in passages for term in terms]
        lengths = [len(terms) for terms in passages]
        positions = [i for length in lengths for i in range(length)]
        return cls(
            list(number),
            np.array(ids, np.uint32),
            np.array(positions, np.uint32),
            np.zeros(len(lengths), np.uint32),
            np.cumsum(np.array(lengths, np.int64)),
        )

    def __len__(self) -> int:
        return (len(self.ends) if self.stop is None else self.stop) - self.start

    def __getitem__(self, passage: int) -> list[str]:
        """The terms of one passage, in order."""
        at = self.start + passage
        ids = self.ids[self.ends[at - 1] if at else 0 : self.ends[at]]
        return [self.vocabulary[i] for i in ids.tolist()]

    def part(self, start: int, stop: int) -> Terms:
        """The passages from ``start`` to before ``stop``; the arrays stay the same."""
        first = self.start
        return Terms(self.vocabulary, self.ids, self.positions, self.heads, self.ends,
                     first + start, first + stop)  # fmt: skip


def joined(parts: Iterable[Terms]) -> list[Terms]:
    """``parts`` without the empty ones, neighbours of the same arrays as one."""
    out: list[Terms] = []
    last, start, stop = Terms.of([]), 0, 0
    for part in [p for p in parts if len(p)]:
        if part.ids is last.ids and part.start == stop:
            stop += len(part)
            continue
        out.append(last.part(start - last.start, stop - last.start))
        last, start, stop = part, part.start, part.start + len(part)
    out.append(last.part(start - last.start, stop - last.start))
    return [part for part in out if len(part)]


@dataclass(frozen=True, slots=True)
class Row(Passed):
    """A document with its passages; ``terms`` are those of each passage's ``context``."""

    document: Document
    language: str
    chunks: Sequence[Chunk]
    terms: Terms
    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class Known:
    """A live document as the catalogue knows it, without its text."""

    id: str
    version: str
    uri: str
    path: str
    title: str
    language: str
    stat: Stat
    chunks: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an offset stands: its line and page, from 1; 0 where there is none."""

    line: int = 0
    page: int = 0
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuned:
    """Settings that suit a collection, and how they were found."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """How far an encoder's vectors are: ``outstanding`` passages have none of it yet."""

    fingerprint: str
    name: str
    state: State
    outstanding: int


@dataclass(frozen=True, slots=True)
class Status:
    """A collection's state; ``outstanding`` passages have no vector of the serving encoder yet.

    ``encoder`` is that one's fingerprint; ``spaces`` are all encoders that the collection has
    vectors of. ``tuned`` is what `rag tune` has found for it.
    """

    name: str
    documents: int
    passages: int
    outstanding: int
    bytes: int
    generation: int
    analyser: str
    encoder: str
    spaces: tuple[Encoded, ...]
    tuned: Tuned
