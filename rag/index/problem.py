"""What `rag verify` finds. Knows not how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RESTORE = "Restore a backup (`rag restore`), or delete the collection's folder and index again"
SWEPT = "Harmless: the next change of the collection removes it"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with ``file``; if not ``serious``, it costs only space."""

    file: Path
    what: str
    remedy: str = RESTORE
    serious: bool = True
