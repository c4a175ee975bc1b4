"""From settings to working objects: collections by name, the encoder, the language model.

The one place that wires the parts for the command line, the service and Python programs. Knows
neither HTTP nor terminals.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from indexer.sync import Progress, Report, check, quiet, sync
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
        found = (p.parent.name for p in self.folder.glob("*/catalog.sqlite"))
        return sorted(name for name in found if COLLECTION_NAME.fullmatch(name))

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
            if name in self._collections and self._collections[name].replaced:
                del self._collections[name]  # not closed: others may be reading it
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
        report = self.sync(sources, name)
        self.encode(name)
        return report

    def sync(
        self, sources: Sequence[Path | str], name: str | None = None, progress: Progress = quiet
    ) -> Report:
        """The lexical half of ``index``; sources that hold nothing make no collection."""
        paths = [Path(s) for s in sources]
        if (name or self.settings.collection) not in self.names():
            check(paths)
        collection = self.collection(name, create=True)
        return sync(collection, paths, self.settings.chunk_tokens, progress)

    def encode(self, name: str | None = None, progress: Progress = quiet) -> str:
        """The other half: vectors for passages without; why not, where that cannot be done."""
        collection = self.collection(name)
        if not collection.outstanding():
            return ""
        try:
            encoder = self.encoder()
            if encoder is None:
                return "lexical search only: no encoder is set"
            fill_vectors(collection, encoder, progress)
        except (DependencyMissing, ModelMissing) as e:
            return f"lexical search only: {e}"
        return ""

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
        """Search over a collection, with what it was tuned to where the settings are silent.

        Lexical, with the reason at hand, where the encoder is not.
        """
        try:
            encoder, lacking = self.encoder(), ""
        except (DependencyMissing, ModelMissing) as e:
            encoder, lacking = None, str(e)
        collection = self.collection(name)
        settings = self.settings.over(collection.tuned().settings)
        return Searcher(collection, encoder, settings, lacking=lacking)

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
