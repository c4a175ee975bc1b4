"""From settings to working objects: collections by name, the encoder, the language model.

The one place that wires the parts for the command line, the service and Python programs. Knows
neither HTTP nor terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

from indexer.folders import Folder
from indexer.ledger import Entry, Ledger, State
from indexer.report import Progress, Report, quiet
from indexer.sources import open_source
from indexer.sync import check, sync
from indexer.vectors import fill_vectors, reencode
from indexer.watch import watch
from rag.answer import Answerer
from rag.answer.cache import AnswerCache
from rag.errors import (
    BadQuery,
    ConfigError,
    DependencyMissing,
    IncompatibleIndex,
    LLMUnavailable,
    ModelMissing,
    SourceError,
)
from rag.index import Collection
from rag.search import Searcher
from rag.search.cache import ResultCache
from rag.settings import COLLECTION_NAME, Settings
from rag.tools import Tools

_NO_ENCODER = (DependencyMissing, IncompatibleIndex, ModelMissing)


class Workspace(Tools):
    """The collections below ``settings.home`` and the models that serve them.

    Everything is opened on first use and kept; safe to share between threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._collections: dict[str, Collection] = {}
        self._results = ResultCache(self.settings.search_cache)
        self._answers = AnswerCache(self.settings.answer_cache)

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
                self._collections[name] = Collection(
                    self.folder / name,
                    create=create,
                    vector_index=self.settings.vector_index,
                    device=self.settings.device,
                )
            return self._collections[name]

    def index(self, *sources: Path | str, name: str | None = None) -> Report:
        """Make a collection say what its sources say, vectors included where possible.

        Sources are folders, files and globs; URLs, ``git:``, ``s3:`` and ``-`` as the command line
        takes them.

        Raises
        ------
        SourceError, CollectionLocked
            As ``indexer.sync.sync``.
        """
        report = self.sync(sources, name)
        self.encode(name)
        return report

    def sync(
        self,
        sources: Sequence[Path | str],
        name: str | None = None,
        progress: Progress = quiet,
        *,
        processes: int = 1,
    ) -> Report:
        """The lexical half of ``index``; sources that hold nothing make no collection.

        ``processes`` is as for ``indexer.sync.sync``.
        """
        if (name or self.settings.collection) not in self.names():
            check(sources, self.settings)
            self.ready()
        collection = self.collection(name, create=True)
        with self.lined(collection) as recipe:
            return sync(collection, sources, recipe, progress, processes=processes)

    def watch(
        self,
        sources: Sequence[Path | str],
        apply: Callable[[], object],
        notes: Callable[[str], None],
        stop: Event | None = None,
    ) -> None:
        """Call ``apply``, and again when something changes in ``sources``, until ``stop``.

        Folders and files are watched, and of globs their folders; other sources are not. ``notes``
        tells what goes wrong.

        Raises
        ------
        SourceError
            None of them is a folder or file.
        """
        opened = (open_source(source, self.settings) for source in sources)
        folders = [source.root for source in opened if isinstance(source, Folder)]
        if not any(folder.exists() for folder in folders):
            why = "cannot be watched: it is no folder or file"
            raise SourceError(str(sources[0]), why, remedy="Name one that is there")
        watch(folders, lambda paths: apply(), stop or Event(), notes)

    def entries(self, *states: State, name: str | None = None) -> list[Entry]:
        """What a collection's sources have that is no document of it, and why."""
        with closing(Ledger(self.collection(name).path)) as ledger:
            return ledger.entries(*states)

    def encode(
        self, name: str | None = None, progress: Progress = quiet, stop: Event | None = None
    ) -> str:
        """The other half: vectors for passages without; why not, where that cannot be done."""
        collection = self.collection(name)
        if not collection.outstanding():
            return ""
        try:
            encoder = self.encoder(collection)
            if encoder is None:
                return "lexical search only: no encoder is set"
            fill_vectors(collection, encoder, progress, stop)
        except _NO_ENCODER as e:
            return f"lexical search only: {e}"
        return ""

    def reindex(
        self,
        encoder: str | None = None,
        name: str | None = None,
        progress: Progress = quiet,
        stop: Event | None = None,
    ) -> bool:
        """Encode a collection anew by ``encoder``, or the one set, and search by that from then on.

        Until all is done, and if ``stop`` ends it before, search goes on as it was; asked again,
        it goes on where it stopped.

        Returns
        -------
        bool
            Whether that encoder serves now.

        Raises
        ------
        ConfigError
            No encoder is named.
        DependencyMissing, ModelMissing
            It is not on this machine.
        """
        made = self._load(self.settings.replace(encoder=encoder) if encoder else self.settings)
        if made is None:
            raise ConfigError(
                "there is no encoder to encode by", remedy="Name one, or set `encoder`"
            )
        return reencode(self.collection(name), made, progress, stop)

    def rollback(self, name: str | None = None) -> None:
        """Search by the encoder that served before the last ``reindex``; at once.

        Raises
        ------
        NotFound
            There is none.
        """
        self.collection(name).roll_back()

    def searcher(self, name: str | None = None) -> Searcher:
        """Search over a collection, with what it was tuned to where the settings are silent.

        By the encoder that serves the collection; lexical, with the reason at hand, where that
        cannot be had.
        """
        collection = self.collection(name)
        try:
            encoder, lacking = self.encoder(collection), ""
        except _NO_ENCODER as e:
            encoder, lacking = None, str(e)
        settings = self.settings.over(collection.tuned().settings)
        return Searcher(
            collection,
            encoder,
            settings,
            lacking=lacking,
            reranker=self.reranker(encoder),
            ask=self.ask(settings.llm_timeout) if settings.rewrite else None,
            results=self._results,
        )

    def answerer(self, name: str | None = None) -> Answerer:
        """Answers over a collection; by quoting, with the reason at hand, where no model is."""
        searcher = self.searcher(name)
        try:
            llm, lacking = self.llm(), ""
        except (DependencyMissing, LLMUnavailable, ModelMissing) as e:
            llm, lacking = None, str(e)
        judge = None if lacking and self.settings.entailment == "llm" else self.judge()
        return Answerer(searcher, llm, lacking=lacking, judge=judge, answers=self._answers)

    def close(self) -> None:
        with self._lock:
            for collection in self._collections.values():
                collection.close()
            self._collections.clear()
            super().close()
