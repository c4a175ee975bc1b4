"""Collections to measure on: a user's own, or one made of a data set and kept in the cache."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray

from eval.dataset import Dataset
from eval.places import Places
from indexer.chunk import load_chunker, whole
from indexer.readers import read
from indexer.report import Progress, quiet
from indexer.rows import make_rows
from indexer.vectors import fill_vectors
from rag import __version__
from rag.analysis import Analyser, load_analyser
from rag.encode import Encoder, load_encoder
from rag.errors import BadQuery, SourceError
from rag.index import Collection, Stat
from rag.index.catalog import FORMAT
from rag.search import Searcher
from rag.search.ranking import Ranking
from rag.settings import Settings
from rag.types import Chunk, Document, digest

Watch = Callable[[str, str], AbstractContextManager[Progress]]
"""Shows progress of a step, given what is done and in which unit."""
_BATCH = 1000
_KEPT_SECONDS = 30 * 24 * 3600


def unwatched(label: str, unit: str) -> AbstractContextManager[Progress]:
    """Progress that nobody watches."""
    return nullcontext(quiet)


class Beds:
    """Opens the collections that configurations need, each once.

    Parameters
    ----------
    existing
        The user's collection to ask, where the data set brings no documents.
    folder
        Where to keep the collections made; the cache, if not given.
    """

    def __init__(
        self,
        dataset: Dataset,
        existing: Collection | None = None,
        watch: Watch = unwatched,
        folder: Path | None = None,
    ) -> None:
        if existing is None and not dataset.documents:
            raise BadQuery(
                f"'{dataset.name}' has questions but no documents",
                remedy="Name the collection that they are about with --collection, "
                "or the documents with --corpus",
            )
        self._dataset = dataset
        self._documents = [replace(d, uri=d.path) for d in dataset.documents if d.text.strip()]
        self._longest = max((len(q.text) for q in dataset.queries), default=0)
        self._existing = None if dataset.documents else existing
        self._folder = folder
        self._watch = watch
        self._encoders: dict[str, Remembering | None] = {}
        self._open: dict[Path, Collection] = {}
        self._places: dict[Path, Places] = {}

    def encoder(self, settings: Settings) -> Remembering | None:
        """The settings' encoder, which remembers the questions that it has encoded."""
        key = f"{settings.encoder} {settings.encoder_model}"
        if key not in self._encoders:
            encoder = load_encoder(settings)
            self._encoders[key] = None if encoder is None else Remembering(encoder)
        return self._encoders[key]

    def collection(self, settings: Settings, *, cut: bool, vectors: bool) -> Collection:
        """The collection that the data set's documents make, ready to be searched.

        Parameters
        ----------
        cut
            Cut documents into passages of ``chunk_tokens``; otherwise each is one passage.
        vectors
            Whether passages need their vectors.
        """
        if self._existing:
            return self._existing
        encoder = self.encoder(settings) if vectors else None
        reader = self.encoder(settings) if cut and settings.chunking == "semantic" else None
        chunker = load_chunker(settings, reader) if cut else None
        size = chunker.fingerprint if chunker else "whole"
        analyser = load_analyser(settings)
        corpus = digest(*(f"{d.id}{d.version}{d.title}" for d in self._documents))
        bound = encoder.fingerprint if encoder else ""
        folder = self._folder or _swept(settings.cache / "eval")
        path = folder / digest(corpus, __version__, str(FORMAT), analyser.fingerprint, size, bound)
        if path not in self._open:
            self._open[path] = Collection(path, create=True)
            self._open[path].ensure("analyser", analyser.fingerprint)
            self._fill(self._open[path], chunker or whole, analyser)
            os.utime(path)
        collection = self._open[path]
        if encoder and collection.outstanding():
            with self._watch("Encoding", "passages") as progress:
                fill_vectors(collection, encoder, progress)
        return collection

    def searcher(self, settings: Settings, *, cut: bool, vectors: bool | None = None) -> Searcher:
        """A searcher with ``settings``, for questions of any length.

        Parameters
        ----------
        vectors
            Whether the collection is to have vectors even if this searcher needs none.
        """
        needed = needs_vectors(settings)
        collection = self.collection(settings, cut=cut, vectors=needed or bool(vectors))
        allowed = max(self._longest, settings.max_query_chars)
        encoder = self.encoder(settings) if needed else None
        return Searcher(collection, encoder, settings.replace(max_query_chars=allowed))

    def places(self, collection: Collection) -> Places:
        """What the passages of ``collection`` stand for in the data set's judgements."""
        if collection.path not in self._places:
            self._places[collection.path] = Places(collection, self._dataset)
        return self._places[collection.path]

    def close(self) -> None:
        for collection in self._open.values():
            collection.close()

    def _fill(
        self,
        collection: Collection,
        chunker: Callable[[Document], list[Chunk]],
        analyser: Analyser,
    ) -> None:
        known = {d.id for d in collection.documents()}
        missing = [d for d in self._documents if d.id not in known]
        with self._watch("Indexing", "documents") as progress:
            for start in range(0, len(missing), _BATCH):
                part = missing[start : start + _BATCH]
                rows = make_rows([(d, Stat()) for d in part], chunker, analyser)
                collection.upsert(rows, wait=60)
                progress(start + len(part), len(missing))


def needs_vectors(settings: Settings) -> bool:
    """Whether a search with ``settings`` looks at vectors."""
    return settings.mode in ("dense", "hybrid") and settings.encoder != "none"


def rank(searcher: Searcher, text: str, depth: int) -> Ranking:
    """``depth`` passages for ``text``, or as many as there are, ranked as a search would.

    A fusion, and a reranking, depends on how deep the retrievers' lists are: these stay as deep as
    in a search for few passages.
    """
    settings = searcher.settings
    joined = settings.mode == "hybrid" or settings.rerank != "none"
    return searcher.rank(text, min(depth, settings.depth) if joined else depth)


def _swept(folder: Path) -> Path:
    """``folder`` without the collections that nobody has asked for a month."""
    for path in folder.glob("*"):
        if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
    return folder


class Remembering:
    """An encoder that encodes each question once, and knows how long that took."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.passages = encoder.passages
        self.milliseconds: dict[str, float] = {}

    @property
    def dim(self) -> int:
        return self._encoder.dim

    def query(self, text: str) -> NDArray[np.float32]:
        if text not in self._vectors:
            started = time.perf_counter()
            self._vectors[text] = self._encoder.query(text)
            self.milliseconds[text] = (time.perf_counter() - started) * 1000
        return self._vectors[text]


def reread(collection: Collection) -> tuple[Document, ...]:
    """The documents of ``collection``, read from their files again, to be cut anew.

    Raises
    ------
    SourceError
        A file is gone, or has changed since it was indexed.
    """
    found = []
    for known in collection.documents():
        file = Path(url2pathname(urlsplit(known.uri).path))
        try:
            document = read(file.read_bytes(), uri=known.uri, path=known.path).document
        except OSError as e:
            raise SourceError(known.path, f"cannot be read again: {e.strerror}") from e
        if document.version != known.version:
            raise SourceError(known.path, "has changed since it was indexed",
                              remedy="Run `rag index` first")  # fmt: skip
        found.append(document)
    return tuple(found)
