"""Makes a collection say what a source says: the plan (new, changed, gone) and its execution.

Knows no queries. Vectors follow in ``indexer.vectors``.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.chunk import chunk
from indexer.readers import SUFFIXES, read
from indexer.sources import Found, list_sources
from rag import analysis
from rag.analysis import FINGERPRINT, detect
from rag.errors import SourceError
from rag.index import Collection, Known, Row, Stat
from rag.index.lock import WriterLock
from rag.types import Document

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


_BATCH = 1000
"""Passages a commit, about."""
_BLANK = codecs.BOM_UTF8 + b" \t\r\n\f\v"
_WAIT = 30.0
"""Seconds that a commit waits for another writer's."""


@dataclass
class Report:
    """What a sync did.

    ``failed`` sources and files keep what the collection had of them before, except that a file
    that holds nothing any more is removed.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    passages: int = 0
    failed: list[SourceError] = field(default_factory=list)


def check(sources: Sequence[Path]) -> None:
    """Refuse sources that no collection could be made of.

    Raises
    ------
    SourceError
        None of them holds documents.
    """
    list_sources(sources, SUFFIXES)


def sync(
    collection: Collection,
    sources: Sequence[Path],
    chunk_tokens: int,
    progress: Progress = quiet,
) -> Report:
    """Index what is new or changed below ``sources`` and drop what is gone.

    A file whose size and time are unchanged is not read; one whose bytes are unchanged is not
    indexed again. Every commit is searchable at once, and other writers get in between them. A
    source that is missing or empty goes to ``Report.failed`` and the rest goes on.

    Raises
    ------
    SourceError
        None of the sources holds documents; nothing was changed.
    CollectionLocked
        Another sync of the collection is running, or another writer keeps it too long.
    """
    report = Report()
    collection.ensure("analyser", FINGERPRINT)
    with WriterLock(collection.path / "sync.lock").hold():  # writers in between are welcome
        known = {d.uri: d for d in collection.documents()}
        found, gone = _plan(sources, known, report)
        rows: list[Row] = []
        touched: list[tuple[str, Stat]] = []
        for done, file in enumerate(found, 1):
            old = known.get(file.uri)
            if row := _load(file, old, chunk_tokens, touched, gone, report):
                rows.append(row)
            if sum(len(r.chunks) for r in rows) >= _BATCH:
                collection.upsert(rows, _WAIT)
                rows = []
            progress(done, len(found))
        collection.upsert(rows, _WAIT)
        if touched:
            collection.restat(touched, _WAIT)
        if gone:
            report.removed = collection.delete(gone, _WAIT)
    return report


def make_row(document: Document, chunk_tokens: int, stat: Stat = Stat()) -> Row:  # noqa: B008
    """``document`` cut into passages and analysed."""
    chunks = chunk(document, chunk_tokens)
    terms = [analysis.terms(c.context) for c in chunks]
    return Row(document, detect(document.text), chunks, terms, stat)


def _plan(
    sources: Sequence[Path], known: dict[str, Known], report: Report
) -> tuple[list[Found], list[str]]:
    """Files to look into, and ids of documents whose files are gone."""
    listings, failed = list_sources(sources, SUFFIXES, known)
    report.failed += failed
    files: dict[str, Found] = {}
    for listing in listings:
        report.skipped += listing.skipped
        report.failed += listing.failed
        for file in listing.files:
            files.setdefault(file.uri, file)  # its path is relative to the outermost source
    gone = [
        d.id
        for uri, d in known.items()
        if uri not in files and any(listing.covers(uri) for listing in listings)
    ]
    todo = []
    for file in files.values():
        old = known.get(file.uri)
        seen = old and (old.path, old.stat.size, old.stat.mtime_ns)
        if seen == (file.path, file.size, file.mtime_ns):
            report.unchanged += 1
        else:
            todo.append(file)
    return todo, gone


def _load(
    file: Found,
    old: Known | None,
    chunk_tokens: int,
    touched: list[tuple[str, Stat]],
    gone: list[str],
    report: Report,
) -> Row | None:
    """The file as a row, unless its content is unchanged or it cannot be read.

    A known file that was emptied cannot be read either, and joins the ``gone``.
    """
    try:
        data = file.file.read_bytes()
        stat = Stat(file.size, file.mtime_ns, hashlib.sha256(data).hexdigest())
        if old and (old.path, old.stat.sha256) == (file.path, stat.sha256):
            touched.append((old.id, stat))
            report.unchanged += 1
            return None
        if old and not data.strip(_BLANK):
            gone.append(old.id)
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
