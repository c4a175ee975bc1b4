"""A question as the index takes it: free terms, and clauses that bind. Knows no query language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Occur = Literal["should", "must", "must_not"]
ClauseKind = Literal["phrase", "prefix", "term"]


@dataclass(frozen=True, slots=True)
class Clause:
    """What a passage should, must or must not have.

    Attributes
    ----------
    kind
        ``term``: a term; ``phrase``: several at their places; ``prefix``: any term that starts
        with one of ``prefixes``.
    terms
        Analysed terms with their positions relative to the first, ascending, one a position. Of a
        prefix: its stem, if it has one.
    prefix
        The prefix as it was asked for, folded; empty for other kinds.
    others
        ``terms`` as passages in other languages have them, where that is not the same.
    """

    kind: ClauseKind
    occur: Occur
    terms: tuple[tuple[str, int], ...]
    prefix: str = ""
    others: tuple[tuple[tuple[str, int], ...], ...] = ()

    @property
    def readings(self) -> tuple[tuple[tuple[str, int], ...], ...]:
        """``terms`` and the ``others``: having one of these is enough."""
        return (self.terms, *self.others)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What terms may start with: "running" is indexed as "run", so "running*" finds it, too."""
        stems = (stem for reading in self.readings for stem, _ in reading)
        both = dict.fromkeys((self.prefix, *stems))
        return tuple(p for p in both if not any(p != q and p.startswith(q) for q in both))


@dataclass(frozen=True, slots=True)
class Query:
    """A question: ``terms`` are free, each may or may not occur; ``clauses`` come beside them.

    Attributes
    ----------
    text
        The question without signs, and without what it excludes.
    choices
        Free words that passages in several languages have as different terms.
    weights
        What terms weigh, where not 1.
    """

    terms: tuple[str, ...]
    clauses: tuple[Clause, ...] = ()
    text: str = field(default="", compare=False)
    choices: tuple[tuple[str, ...], ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether there are free terms only."""
        return not (self.clauses or self.choices)
