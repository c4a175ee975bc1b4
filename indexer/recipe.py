"""What documents are made into passages with, and how that is told from another way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from indexer.chunk import Chunker
from indexer.context_lines import Lined
from rag.analysis import Analyser
from rag.index import Stat
from rag.settings import Settings
from rag.types import digest

_VERSION = "1"
"""Changes whenever what readers make of files would."""


@dataclass(frozen=True)
class Recipe:
    """Settings, and the tools that they name."""

    settings: Settings
    chunker: Chunker | Lined
    analyser: Analyser

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever other documents or passages would be made of the same files."""
        s = self.settings
        rules = [f"{r.glob} {sorted(r.fields.items())} {r.groups}" for r in s.rules]
        how = (self.chunker.fingerprint, str(s.near_duplicates), str(s.quality))
        return digest(_VERSION, *how, *rules)[:8]

    @property
    def lacking(self) -> int:
        """Passages that were made without the line that they should have, so far."""
        return self.chunker.failed if isinstance(self.chunker, Lined) else 0

    def stamp(self, stamp: str, failed: bool = False) -> str:
        """An item's stamp, with that of how it was made; if that failed, within which limits."""
        limits = f"/{self.settings.read_seconds:g} s/{self.settings.read_mb} MB" if failed else ""
        return f"{stamp}{limits}#{self.fingerprint}"

    def seen(self, stat: Stat) -> Stat:
        """What the source and its bytes were, if it was made like this; else nothing."""
        stamp, _, how = stat.stamp.rpartition("#")
        return Stat(stamp, stat.sha256) if how == self.fingerprint else Stat()
