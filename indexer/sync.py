"""Makes a collection say what a source says: the plan (new, changed, gone) and its execution.

Knows no queries. Vectors follow in ``indexer.vectors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from indexer.load import Outcome, Wanted, load
from indexer.pool import ordered
from indexer.readers import SUFFIXES
from indexer.rows import growing
from indexer.sources import Found, list_sources
from rag.analysis import FINGERPRINT
from rag.errors import SourceError
from rag.index import Collection, Known, Row, Stat
from rag.index.lock import WriterLock

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


_BATCH_BYTES = 1_000_000
_BATCH_FILES = 200
_MANY_BYTES = 16_000_000
"""Files from which further processes pay: they take two seconds to begin."""
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
    *,
    processes: int = 1,
) -> Report:
    """Index what is new or changed below ``sources`` and drop what is gone.

    A file whose size and time are unchanged is not read; one whose bytes are unchanged is not
    indexed again. Every commit is searchable at once, and other writers get in between them. A
    source that is missing or empty goes to ``Report.failed`` and the rest goes on.

    Parameters
    ----------
    processes
        How many may read files, where there is much to read.

    Raises
    ------
    SourceError
        None of the sources holds documents; nothing was changed.
    CollectionLocked
        Another sync of the collection is running, or another writer keeps it too long.
    """
    report = Report()
    collection.ensure("analyser", FINGERPRINT)
    with (
        WriterLock(collection.path / "sync.lock").hold(),  # writers in between are welcome
        collection.loading(),
    ):
        known = {d.uri: d for d in collection.documents()}
        found, gone = _plan(sources, known, report)
        touched: list[tuple[str, Stat]] = []
        few = sum(file.size for file in found) < _MANY_BYTES
        work = partial(load, chunk_tokens=chunk_tokens)

        def rows() -> Iterator[list[Row]]:
            done = 0
            for batch in ordered(work, _batches(found, known), 1 if few else processes):
                for outcome in batch:
                    _note(outcome, known, touched, gone, report)
                yield [outcome.row for outcome in batch if outcome.row]
                done += len(batch)
                progress(done, len(found))

        for portion in growing(rows()):
            collection.upsert(portion, _WAIT)
        if touched:
            collection.restat(touched, _WAIT)
        if gone:
            report.removed = collection.delete(gone, _WAIT)
    collection.tidy()
    return report


def _batches(found: Sequence[Found], known: dict[str, Known]) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    size = 0
    for file in found:
        old = known.get(file.uri)
        same = old.stat.sha256 if old and old.path == file.path else ""
        batch.append(Wanted(file, same))
        size += file.size
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


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


def _note(
    outcome: Outcome,
    known: dict[str, Known],
    touched: list[tuple[str, Stat]],
    gone: list[str],
    report: Report,
) -> None:
    """Put down what became of a file.

    A known file that was emptied cannot be read either, and joins the ``gone``.
    """
    old = known.get(outcome.uri)
    if outcome.error:
        report.failed.append(outcome.error)
    if old and outcome.empty:
        gone.append(old.id)
    if old and outcome.same:
        touched.append((old.id, outcome.same))
        report.unchanged += 1
    if outcome.row:
        report.passages += len(outcome.row.chunks)
        if old:
            report.changed += 1
        else:
            report.added += 1
