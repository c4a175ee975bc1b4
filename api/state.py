"""What a running service holds: the workspace, and the thread that works in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, cast

from fastapi import Depends, Request

from api.querylog import QueryLog
from indexer.vectors import fill_vectors
from rag.errors import CollectionLocked, ConfigError, RagError
from rag.workspace import Workspace

log = logging.getLogger("saem")
_POLL_SECONDS = 2.0
_STOP_SECONDS = 10.0
"""How long the end waits for a file that is being read; what was committed stays."""


def workspace(request: Request) -> Workspace:
    return cast(Workspace, request.app.state.workspace)


def query_log(request: Request) -> QueryLog:
    return cast(QueryLog, request.app.state.query_log)


Saem = Annotated[Workspace, Depends(workspace)]
Log = Annotated[QueryLog, Depends(query_log)]


class _Ended(Exception):
    """The service ends; what has been indexed stays, the rest is for the next time."""


class Background:
    """Loads the models, then encodes whatever any process has indexed without vectors."""

    def __init__(self, saem: Workspace) -> None:
        self._saem = saem
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._silenced: set[str] = set()
        self._told = ""

    def start(self) -> None:
        self._thread.start()
        if self._saem.settings.watch:
            self._watcher.start()

    @property
    def alive(self) -> bool:
        watching = self._watcher.is_alive() or not self._saem.settings.watch
        return self._thread.is_alive() and watching

    def stop(self) -> None:
        """Publish what is encoded, and end."""
        self._stop.set()
        self._thread.join()
        if self._saem.settings.watch:
            self._watcher.join(_STOP_SECONDS)

    def _run(self) -> None:
        self._attempt("the models cannot be loaded", self._warm_up)
        while not self._stop.is_set():
            self._attempt("the collections cannot be listed", self._fill_all)
            self._stop.wait(_POLL_SECONDS)

    def _watch(self) -> None:
        """Keep the default collection in step with the folders that are to be watched."""
        folders = self._saem.settings.watch
        while not self._stop.is_set():
            self._attempt(
                "the folders cannot be watched",
                lambda: self._saem.watch(folders, self._index, self._tell, self._stop),
            )
            self._stop.wait(_POLL_SECONDS)

    def _tell(self, trouble: str) -> None:
        """Log what hinders the watching, which is tried again and again, once."""
        if trouble != self._told:
            log.warning("the watched folders cannot be indexed: %s", trouble)
        self._told = trouble

    def _index(self) -> None:
        try:
            report = self._saem.sync(self._saem.settings.watch, progress=self._go_on)
        except _Ended:
            return
        self._told = ""
        for error in report.failed:
            log.warning("%s", error)
        changed = {"added": report.added, "changed": report.changed, "moved": report.moved,
                   "removed": report.removed}  # fmt: skip
        if any(changed.values()):
            log.info("indexed: %s", ", ".join(f"{n} {what}" for what, n in changed.items() if n))

    def _go_on(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _Ended

    def _attempt(self, failure: str, work: Callable[[], None]) -> None:
        """Do ``work``; the log tells of its failure once, and again after it has worked."""
        try:
            work()
            self._silenced.discard(failure)
        except CollectionLocked:
            return
        except Exception as e:
            if failure in self._silenced:
                return
            self._silenced.add(failure)
            if isinstance(e, RagError):
                log.warning("%s: %s", failure, e)
            else:
                log.exception(failure)

    def _warm_up(self) -> None:
        """Load the models and compile now, so that the first question need not wait."""
        there = self._saem.settings.collection in self._saem.names()
        with suppress(RagError, OSError):  # whoever asks is told
            try:
                if encoder := self._saem.encoder(self._saem.collection() if there else None):
                    encoder.query("warm up")
                if there:
                    self._saem.answerer().searcher.search("warm up")
                if llm := self._saem.llm():
                    llm.count("warm up")
            except ConfigError as e:
                log.warning("questions cannot be answered: %s", e)

    def _fill_all(self) -> None:
        for name in self._saem.names():
            if self._stop.is_set():
                return
            self._attempt(f"collection {name!a} gets no vectors", partial(self._fill, name))

    def _fill(self, name: str) -> None:
        collection = self._saem.collection(name)
        if not collection.outstanding():
            return
        encoder = self._saem.encoder(collection)
        if encoder is not None:
            # A process that encodes this one already may take hours; other collections wait.
            done = fill_vectors(collection, encoder, stop=self._stop, wait=False)
            if done:
                log.info("collection '%s': %d passages encoded", name, done)
