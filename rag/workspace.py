"""From settings to working objects: collections by name, the encoder, the language model.

The one place that wires the parts for the command line, the service and Python programs. Knows
neither HTTP nor terminals.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from indexer.sync import Report, sync
from indexer.vectors import fill_vectors
from rag.answer import Answerer
from rag.answer.llm import LLM, load_llm
from rag.encode import Encoder, load_encoder
from rag.errors import BadQuery, DependencyMissing, ModelMissing
from rag.index import Collection
from rag.search import Searcher
from rag.settings import COLLECTION_NAME, Settings


class Workspace:
    """The collections below ``settings.home`` and the models that serve them.

    Everything is opened on first use and kept; safe to share between threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self._lock = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._encoder: Encoder | None = None
        self._llm: LLM | None = None

    @property
    def folder(self) -> Path:
        return self.settings.home / "collections"

    def names(self) -> list[str]:
        """Names of the collections that exist."""
        return sorted(p.parent.name for p in self.folder.glob("*/catalog.sqlite"))

    def collection(self, name: str | None = None, *, create: bool = False) -> Collection:
        """An open collection; the default one when ``name`` is ``None``.

        Raises
        ------
        BadQuery
            The name cannot be one.
        CollectionMissing, CorruptIndex, IncompatibleIndex
            It cannot be opened.
        """
        name = self.settings.collection if name is None else name
        if not COLLECTION_NAME.fullmatch(name):
            raise BadQuery(f"'{name}' is no name for a collection")
        with self._lock:
            if name not in self._collections:
                self._collections[name] = Collection(self.folder / name, create=create)
            return self._collections[name]

    def index(self, *sources: Path | str, name: str | None = None) -> Report:
        """Make a collection say what files and folders say, vectors included where possible.

        Raises
        ------
        SourceError, CollectionLocked
            As ``indexer.sync.sync``.
        """
        collection = self.collection(name, create=True)
        report = sync(collection, [Path(s) for s in sources], self.settings.chunk_tokens)
        with suppress(DependencyMissing, ModelMissing):
            if encoder := self.encoder():
                fill_vectors(collection, encoder)
        return report

    def encoder(self) -> Encoder | None:
        """The encoder that the settings name, ``None`` for lexical search alone.

        Raises
        ------
        DependencyMissing, ModelMissing
            It is not on this machine.
        """
        with self._lock:
            if self._encoder is None:
                self._encoder = load_encoder(self.settings)
            return self._encoder

    def llm(self) -> LLM | None:
        """The language model that the settings name, ``None`` for quoting alone."""
        with self._lock:
            if self._llm is None:
                self._llm = load_llm(self.settings)
            return self._llm

    def searcher(self, name: str | None = None) -> Searcher:
        """Search over a collection; lexical, with the reason at hand, where the encoder is not."""
        try:
            encoder, lacking = self.encoder(), ""
        except (DependencyMissing, ModelMissing) as e:
            encoder, lacking = None, str(e)
        return Searcher(self.collection(name), encoder, self.settings, lacking=lacking)

    def answerer(self, name: str | None = None) -> Answerer:
        """Answers over a collection; by quoting, with the reason at hand, where no model is."""
        searcher = self.searcher(name)
        try:
            return Answerer(searcher, self.llm())
        except (DependencyMissing, ModelMissing) as e:
            return Answerer(searcher, None, lacking=str(e))

    def close(self) -> None:
        with self._lock:
            for collection in self._collections.values():
                collection.close()
            self._collections.clear()
            if self._llm:
                self._llm.close()
                self._llm = None
