"""A question as the index takes it: free terms, and clauses that bind. Knows no query language."""

from __future__ import annotations

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
    """

    kind: ClauseKind
    occur: Occur
    terms: tuple[tuple[str, int], ...]
    prefix: str = ""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What terms may start with: "running" is indexed as "run", so "running*" finds it, too."""
        both = dict.fromkeys((self.prefix, *(stem for stem, _ in self.terms)))
        return tuple(p for p in both if not any(p != q and p.startswith(q) for q in both))


@dataclass(frozen=True, slots=True)
class Query:
    """A question: ``terms`` are free, each may or may not occur; ``clauses`` come beside them.

    ``text`` is the question without signs, and without what it excludes.
    """

    terms: tuple[str, ...]
    clauses: tuple[Clause, ...] = ()
    text: str = field(default="", compare=False)

    @property
    def plain(self) -> bool:
        """Whether there are free terms only."""
        return not self.clauses
