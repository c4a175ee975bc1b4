"""Files to rows, in whatever process: read, cut, analysed. Knows no collection."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.readers import read
from indexer.rows import make_rows
from indexer.sources import Found
from rag.errors import SourceError
from rag.index import Row, Stat
from rag.types import Document

_BLANK = codecs.BOM_UTF8 + b" \t\r\n\f\v"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, and the SHA-256 that its bytes have if it need not be indexed again."""

    file: Found
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: a row, or the same content (its new stat), or an error."""

    uri: str
    row: Row | None = None
    same: Stat | None = None
    error: SourceError | None = None
    empty: bool = False


def load(batch: Sequence[Wanted], chunk_tokens: int) -> list[Outcome]:
    """Read files and make rows of them; one that cannot be read fails alone."""
    outcomes = [_read(wanted) for wanted in batch]
    fresh = [o for o in outcomes if not isinstance(o, Outcome)]
    rows = iter(make_rows([(document, stat) for _, document, stat in fresh], chunk_tokens))
    return [o if isinstance(o, Outcome) else Outcome(o[0], next(rows)) for o in outcomes]


def _read(wanted: Wanted) -> Outcome | tuple[str, Document, Stat]:
    file = wanted.file
    data = b""
    try:
        data = file.file.read_bytes()
        stat = Stat(file.size, file.mtime_ns, hashlib.sha256(data).hexdigest())
        if stat.sha256 == wanted.sha256:
            return Outcome(file.uri, same=stat)
        return file.uri, read(data, uri=file.uri, path=file.path), stat
    except OSError as e:
        return Outcome(file.uri, error=SourceError(file.path, e.strerror or str(e)))
    except SourceError as e:
        return Outcome(file.uri, error=e, empty=not data.strip(_BLANK))
