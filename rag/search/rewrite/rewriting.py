"""What became of a question before it was searched for. Knows no way of rewriting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.settings import Rewriting

REPLACING = ("condense", "repair")
"""Kinds whose one query stands for the question; those of others are searched beside it."""
DENSE = ("hyde",)
"""Kinds whose queries are searched by their vectors alone: passages, in all but truth."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One way's result.

    Attributes
    ----------
    queries
        What to search for; none, where nothing was to be done or it failed.
    note
        What was done, for people.
    warning
        Why it failed.
    """

    kind: Rewriting
    queries: tuple[str, ...] = ()
    note: str = ""
    warning: str = ""

    @property
    def replaces(self) -> bool:
        """Whether its query stands for the question."""
        return self.kind in REPLACING

    @property
    def dense(self) -> bool:
        """Whether its queries are searched by vectors alone."""
        return self.kind in DENSE


def standing(question: str, rewrites: Sequence[Rewrite]) -> str:
    """The question as the last of ``rewrites`` that replaces it has it."""
    return next((r.queries[0] for r in reversed(rewrites) if r.replaces and r.queries), question)
