"""Judges what was read before it is indexed: rules, sense, repeated lines, what is said elsewhere.

Knows no index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from indexer import boilerplate
from indexer.ledger import Entry, Ledger
from indexer.near import Near, Sketch
from indexer.quality import noise, without_noise
from indexer.reading import Reading
from indexer.rules import given, ruled
from rag.settings import Settings
from rag.types import Document

_HELD = 64_000_000
"""Characters of documents that wait until it is known what others repeat."""
_LINE = "line:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a reading: a document to index, or why there is none.

    ``keeper`` is the URI of the document that says the same.
    """

    reading: Reading
    document: Document | None = None
    why: str = ""
    keeper: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Screen:
    """Judges readings.

    Parameters
    ----------
    living
        URIs of documents that stay as they are; those that pass join them.
    """

    settings: Settings
    ledger: Ledger
    living: set[str]
    cut: list[Entry] = field(default_factory=list)
    """Lines that were left out of documents: what the ledger is to keep of them."""

    def __post_init__(self) -> None:
        with self.ledger.guard():
            self._near = Near(self.ledger.db)
            self._versions = self._near.versions()
        known = (e.uri for e in self.ledger.entries("dropped") if e.uri.startswith(_LINE))
        self._lines = {uri.removeprefix(_LINE) for uri in known}

    def lacks(self, uri: str, version: str) -> bool:
        """Whether it is not known what that document says: the run that indexed it was ended."""
        return bool(self.settings.near_duplicates) and self._versions.get(uri) != version

    def remember(self, document: Document) -> None:
        """Know what a document says that is indexed already."""
        document = ruled(document, self.settings.rules)
        self._near.add(document.uri, self._sketch(document))

    def through(self, readings: Iterable[Reading]) -> Iterator[Verdict]:
        """What becomes of each reading, all of which have a document.

        Those whose text is the file's own come at once, the others when enough of them are there.
        """
        held: list[tuple[Reading, Document]] = []
        size = 0
        for reading in readings:
            if reading.document is None:
                continue
            document = ruled(reading.document, self.settings.rules)
            if reading.verbatim:
                yield self._judged(reading, document)
                continue
            held.append((reading, document))
            size += len(document.text)
            if size > _HELD:
                yield from self._cut(held)
                held, size = [], 0
        yield from self._cut(held)

    def write(self, gone: Iterable[str] = ()) -> None:
        """Keep what was learnt so far; in the ledger's transaction."""
        self._near.write(gone)
        if self.settings.quality:
            self.ledger.put(self.cut)
        else:
            self.ledger.forget([_LINE + line for line in self._lines])

    def _cut(self, held: list[tuple[Reading, Document]]) -> Iterator[Verdict]:
        """Judge documents less the lines that most of their format repeat."""
        if self.settings.quality:
            formats: dict[str, list[Document]] = {}
            for _, document in held:
                formats.setdefault(document.metadata.get("format", ""), []).append(document)
            for name, documents in formats.items():
                for line, n in boilerplate.repeated(documents).items():
                    why = f"the line “{line[:80]}” stands in {n} of {len(documents)} documents"
                    self.cut.append(Entry(_LINE + line, f"all of {name}", "dropped", why))
                    self._lines.add(line)
            held = [(r, boilerplate.without(document, self._lines)) for r, document in held]
        for reading, document in held:
            yield self._judged(reading, document)

    def _judged(self, reading: Reading, document: Document) -> Verdict:
        notes: list[str] = []
        if self.settings.quality:
            if why := noise(document.text):
                return Verdict(reading, why=why)
            document, notes = without_noise(document)
        if self.settings.near_duplicates:
            sketch = self._sketch(document)
            with self.ledger.guard():
                found = self._near.find(sketch, self.settings.near_duplicates, self.living)
            if found:
                keeper, share = found
                how = "the same" if share == 1 else f"nearly the same ({share:.2f})"
                return Verdict(reading, why=f"says {how} as another document", keeper=keeper)
            self._near.add(reading.uri, sketch)
        self.living.add(reading.uri)
        return Verdict(reading, document, notes=tuple(notes))

    def _sketch(self, document: Document) -> Sketch:
        return Sketch.of(document, given(document.path, self.settings.rules))
