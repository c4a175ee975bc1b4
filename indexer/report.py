"""What a sync tells: while it goes on, and when it is done. Knows neither sources nor indexes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from indexer.sources import Skipped
from rag.errors import SourceError

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass
class Report:
    """What a sync did.

    ``failed`` sources and files keep what the collection had of them before, except that a file
    that holds nothing any more is removed; ``before`` files failed in an earlier run and have not
    changed since. ``dropped`` were left out, each with why; ``notes`` tell what was read only in
    part, or with a guess.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    removed: int = 0
    others: int = 0
    passages: int = 0
    before: int = 0
    failed: list[SourceError] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    dropped: list[Skipped] = field(default_factory=list)
    notes: list[Skipped] = field(default_factory=list)
