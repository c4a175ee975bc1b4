"""Makes a collection say what its sources say: new, changed, moved and gone, nothing else.

Knows no queries. Vectors follow in ``indexer.vectors``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from indexer.batches import batches
from indexer.ledger import Entry, Ledger, State
from indexer.plan import Plan, plan
from indexer.pool import ordered
from indexer.readers import SUFFIXES
from indexer.reading import Job, Readers, Reading
from indexer.recipe import Recipe
from indexer.report import Progress, Report, quiet
from indexer.rows import growing, make_rows
from indexer.screen import Screen, Verdict
from indexer.sources import Fetched, Gone, Skipped, Source, list_sources, open_source
from rag.errors import NotFound, SourceError
from rag.index import Collection, Known, Row, Stat
from rag.index.lock import WriterLock
from rag.settings import Settings
from rag.types import Document

_MANY_BYTES = 16_000_000
"""Files from which further processes pay: they take two seconds to begin."""
_WAIT = 30.0
"""Seconds that a commit waits for another writer's."""


def check(sources: Sequence[str | Path], settings: Settings) -> None:
    """Refuse sources that no collection could be made of.

    Raises
    ------
    SourceError
        None of them has anything.
    """
    list_sources(_opened(sources, settings))


def sync(
    collection: Collection,
    sources: Sequence[str | Path],
    recipe: Recipe,
    progress: Progress = quiet,
    *,
    processes: int = 1,
) -> Report:
    """Index what is new or changed in ``sources`` and drop what is gone.

    What bears the stamp that it had is not read; what has the bytes that it had is not indexed
    again, unless another recipe would make something else of it. Every commit is searchable at
    once, and other writers get in between them. A source that is missing or empty goes to
    ``Report.failed`` and the rest goes on.

    Parameters
    ----------
    processes
        How many may read files and make rows, where there is much to do.

    Raises
    ------
    SourceError
        None of the sources has anything; nothing was changed.
    CollectionLocked
        Another sync of the collection is running, or another writer keeps it too long.
    """
    collection.ensure("analyser", recipe.analyser.fingerprint)
    with (
        WriterLock(collection.path / "sync.lock").hold(),  # writers in between are welcome
        collection.loading(),
        closing(Ledger(collection.path)) as ledger,
    ):
        report = _Sync(collection, ledger, recipe).run(
            _opened(sources, recipe.settings), progress, processes
        )
    collection.tidy()
    return report


def _opened(sources: Sequence[str | Path], settings: Settings) -> list[tuple[str, Source]]:
    return [(str(source), open_source(source, settings)) for source in sources]


class _Sync:
    """One run: what is known, what was found, what has to be written down at its end."""

    def __init__(self, collection: Collection, ledger: Ledger, recipe: Recipe) -> None:
        self._collection = collection
        self._ledger = ledger
        self._recipe = recipe
        self._report = Report()
        self._known = {d.uri: d for d in collection.documents()}
        self._noted = {e.uri: e for e in ledger.entries()}
        self._screen = Screen(recipe.settings, ledger, set())
        self._plan = Plan()
        self._fetched: dict[str, Fetched] = {}
        self._entries: list[Entry] = []
        self._settled: list[str] = []  # documents: nothing is to be noted of them
        self._touched: list[tuple[str, Stat]] = []
        self._gone: dict[str, Known] = {}
        self._arrived: Counter[str] = Counter()  # digests of new items' bytes

    def run(
        self, sources: Sequence[tuple[str, Source]], progress: Progress, processes: int
    ) -> Report:
        report, recipe = self._report, self._recipe
        self._plan = found = plan(
            sources, self._known, self._noted, recipe.stamp, self._ledger.named
        )
        report.failed += found.failed
        report.skipped += found.skipped
        report.others += found.others
        report.notes += found.orphans
        looked_at = {item.uri for _, item in found.todo}
        report.unchanged, report.before = found.unchanged, found.before
        self._gone |= found.gone
        self._screen.living |= self._known.keys() - found.gone.keys() - looked_at
        for uri in self._screen.living & found.items.keys():
            self._remember(self._known[uri])
        with self._ledger.transaction():
            for site, uris in found.named.items():
                self._ledger.name(site, uris)
        few = sum(item.size for _, item in found.todo) < _MANY_BYTES
        workers = processes if recipe.chunker.portable and not few else 1
        work = partial(make_rows, chunker=recipe.chunker, analyser=recipe.analyser)
        with Readers(workers, recipe.settings.read_seconds, recipe.settings.read_mb) as readers:
            readings = self._read(readers.read(self._jobs()), progress)
            documents = self._judged(self._screen.through(readings))
            for portion in growing(ordered(work, batches(documents), workers)):
                with self._ledger.transaction():  # first: what is indexed has to be known here
                    self._screen.write()
                self._collection.upsert(portion, _WAIT)
                self._count(portion)
        self._finish()
        return report

    def _jobs(self) -> Iterator[Job]:
        """What readers are to read; what cannot be fetched is put down."""
        for source, item in self._plan.todo:
            old = self._known.get(item.uri)
            same = old is not None and old.path == item.path
            alike = self._recipe.seen(old.stat) if old and same else Stat()
            if item.file is not None:
                yield Job(item.uri, item.path, item.file, sha256=alike.sha256)
                continue
            try:
                fetched = source.fetch(item, alike.stamp)
            except SourceError as e:
                gone = isinstance(e, Gone)
                self._failed(Reading(item.uri, item.path, error=e, empty=gone, unread=True))
                continue
            if fetched is None:
                if old:
                    stamp = self._recipe.stamp(item.stamp or alike.stamp)
                    self._same(old, Stat(stamp, alike.sha256))
                continue
            self._fetched[item.uri] = Fetched(b"", fetched.stamp, fetched.metadata)
            yield Job(item.uri, item.path, data=fetched.data, sha256=alike.sha256)

    def _read(self, readings: Iterable[Reading], progress: Progress) -> Iterator[Reading]:
        """What was read, with what its source says of it; the rest is put down."""
        total = len(self._plan.todo)
        for done, reading in enumerate(readings, 1):
            progress(done, total)
            self._report.notes += [Skipped(reading.path, note) for note in reading.notes]
            if reading.error:
                self._failed(reading)
            elif reading.same:
                self._same(self._known[reading.uri], self._stat(reading))
            elif reading.document:
                d = reading.document
                fetched = self._fetched.get(reading.uri)
                said = {**self._plan.items[reading.uri].metadata}
                said |= fetched.metadata if fetched else {}
                yield replace(reading, document=replace(d, metadata={**said, **d.metadata}))

    def _same(self, document: Known, stat: Stat) -> None:
        """Note that a document's item is as it was."""
        self._touched.append((document.id, stat))
        self._settled.append(document.uri)
        self._screen.living.add(document.uri)
        self._remember(document)
        self._report.unchanged += 1

    def _remember(self, document: Known) -> None:
        """Have others compared with a document that is as it was."""
        if self._screen.lacks(document.uri, document.version):
            with suppress(NotFound):  # somebody has just deleted it
                text = self._collection.text(document.id, document.version)
                self._screen.remember(Document(document.uri, document.path, document.title, text))

    def _judged(self, verdicts: Iterable[Verdict]) -> Iterator[tuple[Document, Stat]]:
        """Documents to index; what is left out is put down."""
        for verdict in verdicts:
            reading, stat = verdict.reading, self._stat(verdict.reading)
            self._report.notes += [Skipped(reading.path, note) for note in verdict.notes]
            if verdict.document:
                self._settled.append(reading.uri)
                yield verdict.document, stat
                continue
            self._note(
                reading, "alias" if verdict.keeper else "dropped", verdict.why, verdict.keeper
            )
            self._report.dropped.append(Skipped(reading.path, verdict.why))
            if old := self._known.get(reading.uri):
                self._gone[reading.uri] = old

    def _count(self, portion: Sequence[Row]) -> None:
        """Put down what was indexed."""
        if self._recipe.lacking:  # to be made again by the next run
            self._touched += [(row.document.id, Stat("", row.stat.sha256)) for row in portion]
        for row in portion:
            self._report.passages += len(row.chunks)
            if row.document.uri in self._known:
                self._report.changed += 1
            else:
                self._report.added += 1
                self._arrived[row.stat.sha256] += 1

    def _finish(self) -> None:
        """Drop what is gone, write down what is no document, and who says the same."""
        report, collection = self._report, self._collection
        if self._touched:
            collection.restat(self._touched, _WAIT)
        if self._gone:
            removed = collection.delete([d.id for d in self._gone.values()], _WAIT)
            report.moved = (
                self._arrived & Counter(d.stat.sha256 for d in self._gone.values())
            ).total()
            report.added -= report.moved
            report.removed = removed - report.moved
        if lacking := self._recipe.lacking:
            report.notes.append(
                Skipped("the language model", f"gave no line for {lacking} passages")
            )
        report.dropped += [Skipped(entry.path, entry.why) for entry in self._screen.cut]
        with self._ledger.transaction():
            self._ledger.forget([*self._plan.lost, *self._settled])
            self._ledger.put(self._entries)
            self._ledger.unname(self._plan.gone)
            self._screen.write(self._gone)
        said: dict[str, list[str]] = {}
        for entry in self._ledger.entries("alias"):
            said.setdefault(entry.keeper, []).append(entry.path)
        wrong = {
            d.id: said.get(d.uri, [])
            for d in collection.documents()
            if list(d.aliases) != said.get(d.uri, [])
        }
        if wrong:
            collection.alias(wrong, _WAIT)

    def _failed(self, reading: Reading) -> None:
        """Note why something could not be read; a document that holds nothing any more goes."""
        error = reading.error or SourceError(reading.path, "cannot be read")
        old, item = self._known.get(reading.uri), self._plan.items[reading.uri]
        if old and reading.empty:
            self._gone[reading.uri] = old
        elif old:
            self._screen.living.add(reading.uri)
        named = PurePath(item.path).suffix.lower() in SUFFIXES or len(self._plan.items) == 1
        if reading.unknown and not old and not named:
            self._note(reading, "other", error.why)
            self._report.others += 1
            return
        self._report.failed.append(error)
        stamp = "" if reading.unread else self._recipe.stamp(item.stamp, failed=True)
        self._entries.append(Entry.of(reading.uri, item.path, error, "failed", stamp))

    def _note(self, reading: Reading, state: State, why: str, keeper: str = "") -> None:
        stat = self._stat(reading)
        self._entries.append(
            Entry(reading.uri, reading.path, state, why, "", None, keeper, stat.stamp, stat.sha256)
        )

    def _stat(self, reading: Reading) -> Stat:
        fetched = self._fetched.get(reading.uri)
        item = self._plan.items[reading.uri]
        stamp = fetched.stamp if fetched else item.stamp
        return Stat(self._recipe.stamp(stamp), reading.sha256)
