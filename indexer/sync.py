"""Makes a collection say what a source says: the plan (new, changed, gone) and its execution.

Knows no queries. Vectors follow in ``indexer.vectors``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.chunk import chunk
from indexer.readers import SUFFIXES, read
from indexer.sources import Found, list_files
from rag.analysis import FINGERPRINT, analyse, detect
from rag.errors import SourceError
from rag.index import Collection, Known, Row, Stat
from rag.types import Document

Progress = Callable[[int, int], None]
"""Called with files done and files to do."""
_BATCH = 1000
"""Passages a commit, about."""


@dataclass
class Report:
    """What a sync did; ``failed`` files keep what the collection had of them before."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    passages: int = 0
    failed: list[SourceError] = field(default_factory=list)


def sync(
    collection: Collection,
    sources: Sequence[Path],
    chunk_tokens: int,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Index what is new or changed below ``sources`` and drop what is gone.

    A file whose size and time are unchanged is not read; one whose bytes are unchanged is not
    indexed again. Every commit is searchable at once.

    Raises
    ------
    SourceError
        A source does not exist or holds no documents; nothing was changed for it.
    CollectionLocked
        Another process is writing.
    """
    report = Report()
    collection.ensure("analyser", FINGERPRINT)
    with collection.writing():
        known = {d.uri: d for d in collection.documents()}
        found, gone = _plan(sources, known, report)
        rows: list[Row] = []
        touched: list[tuple[str, Stat]] = []
        for done, file in enumerate(found, 1):
            old = known.get(file.uri)
            if row := _load(file, old, chunk_tokens, touched, report):
                rows.append(row)
            if sum(len(r.chunks) for r in rows) >= _BATCH:
                collection.upsert(rows)
                rows = []
            progress(done, len(found))
        collection.upsert(rows)
        if touched:
            collection.restat(touched)
        if gone:
            report.removed = collection.delete(gone)
    return report


def make_row(document: Document, chunk_tokens: int, stat: Stat = Stat()) -> Row:  # noqa: B008
    """``document`` cut into passages and analysed."""
    chunks = chunk(document, chunk_tokens)
    terms = [[t.text for t in analyse(c.context)] for c in chunks]
    return Row(document, detect(document.text), chunks, terms, stat)


def _plan(
    sources: Sequence[Path], known: dict[str, Known], report: Report
) -> tuple[list[Found], list[str]]:
    """Files to look into, and ids of documents whose files are gone."""
    files: dict[str, Found] = {}
    gone = []
    for source in sources:
        listing = list_files(source, SUFFIXES)
        report.skipped += listing.skipped
        report.failed += listing.failed
        before = [d for uri, d in known.items() if listing.covers(uri)]
        if not listing.files and not listing.failed:
            raise _empty(source, len(before), listing.skipped)
        present = {f.uri for f in listing.files}
        gone += [d.id for d in before if d.uri not in present]
        files |= {f.uri: f for f in listing.files}
    todo = []
    for file in files.values():
        old = known.get(file.uri)
        if old and (old.stat.size, old.stat.mtime_ns) == (file.size, file.mtime_ns):
            report.unchanged += 1
        else:
            todo.append(file)
    return todo, gone


def _empty(source: Path, before: int, skipped: int) -> SourceError:
    if before:
        remedy = f"Its {before} indexed documents were kept; `rag delete --path` removes them"
    else:
        remedy = f"Known types are {' '.join(sorted(SUFFIXES))}"
    others = f" ({skipped} files of other types)" if skipped else ""
    return SourceError(str(source), f"holds no documents{others}", remedy=remedy)


def _load(
    file: Found,
    old: Known | None,
    chunk_tokens: int,
    touched: list[tuple[str, Stat]],
    report: Report,
) -> Row | None:
    """The file as a row, unless its content is unchanged or it cannot be read."""
    try:
        data = file.file.read_bytes()
        stat = Stat(file.size, file.mtime_ns, hashlib.sha256(data).hexdigest())
        if old and old.stat.sha256 == stat.sha256:
            touched.append((old.id, stat))
            report.unchanged += 1
            return None
        row = make_row(read(data, uri=file.uri, path=file.path), chunk_tokens, stat)
    except OSError as e:
        report.failed.append(SourceError(file.path, e.strerror or str(e)))
        return None
    except SourceError as e:
        report.failed.append(e)
        return None
    report.passages += len(row.chunks)
    if old:
        report.changed += 1
    else:
        report.added += 1
    return row
