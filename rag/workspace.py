"""From settings to working objects: collections by name, the encoder, the language model.

The one place that wires the parts for the command line, the service and Python programs. Knows
neither HTTP nor terminals.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from indexer.sync import Progress, Report, check, quiet, sync
from indexer.vectors import fill_vectors, reencode
from rag.answer import Answerer
from rag.answer.llm import LLM, load_llm
from rag.encode import Encoder, load_encoder
from rag.errors import (
    BadQuery,
    ConfigError,
    DependencyMissing,
    IncompatibleIndex,
    ModelMissing,
)
from rag.index import Collection
from rag.index.spaces import Space
from rag.search import Searcher
from rag.settings import COLLECTION_NAME, Settings

_ENDPOINT = "endpoint:"
_NO_ENCODER = (DependencyMissing, IncompatibleIndex, ModelMissing)


class Workspace:
    """The collections below ``settings.home`` and the models that serve them.

    Everything is opened on first use and kept; safe to share between threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self._lock = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._encoders: dict[tuple[str, str, str | None], Encoder | None] = {}
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
                self._collections[name] = Collection(
                    self.folder / name,
                    create=create,
                    vector_index=self.settings.vector_index,
                    device=self.settings.device,
                )
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
        paths = [Path(s) for s in sources]
        if (name or self.settings.collection) not in self.names():
            check(paths)
        collection = self.collection(name, create=True)
        return sync(collection, paths, self.settings.chunk_tokens, progress, processes=processes)

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

    def encoder(self, of: Collection | None = None) -> Encoder | None:
        """The encoder that the settings name, ``None`` for lexical search alone.

        Parameters
        ----------
        of
            A collection: the encoder that serves it, which may be another than the one set.

        Raises
        ------
        DependencyMissing, ModelMissing
            It is not on this machine.
        IncompatibleIndex
            It is not known where to find the one that serves.
        """
        serving = next((s for s in of.spaces() if s.state == "serving"), None) if of else None
        if serving is None or self.settings.encoder == "none":
            return self._load(self.settings)
        missing: DependencyMissing | ModelMissing | None = None
        for settings in (self.settings, self._settings_of(serving)):
            try:
                found = self._load(settings, serving.fingerprint)
            except (DependencyMissing, ModelMissing) as e:
                missing = missing or e
            else:
                if found and found.fingerprint == serving.fingerprint:
                    return found
        raise missing or IncompatibleIndex("encoder", serving.fingerprint, self.settings.encoder)

    def _settings_of(self, space: Space) -> Settings:
        """Settings that should name a space's encoder; an endpoint is the one set, if any."""
        if space.fingerprint.startswith(_ENDPOINT):
            return self.settings.replace(encoder_model=space.fingerprint.removeprefix(_ENDPOINT))
        return self.settings.replace(encoder=space.name) if space.name else self.settings

    def _load(self, settings: Settings, fingerprint: str | None = None) -> Encoder | None:
        key = settings.encoder, settings.encoder_model, fingerprint
        with self._lock:
            if key not in self._encoders:
                self._encoders[key] = load_encoder(settings, settings.device, fingerprint)
            return self._encoders[key]

    def llm(self) -> LLM | None:
        """The language model that the settings name, ``None`` for quoting alone."""
        with self._lock:
            if self._llm is None:
                self._llm = load_llm(self.settings)
            return self._llm

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
