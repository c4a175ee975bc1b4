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
from rag.errors import CollectionLocked, RagError
from rag.workspace import Workspace

log = logging.getLogger("saem")
_POLL_SECONDS = 2.0


def workspace(request: Request) -> Workspace:
    return cast(Workspace, request.app.state.workspace)


def query_log(request: Request) -> QueryLog:
    return cast(QueryLog, request.app.state.query_log)


Saem = Annotated[Workspace, Depends(workspace)]
Log = Annotated[QueryLog, Depends(query_log)]


class Background:
    """Loads the models, then encodes whatever any process has indexed without vectors."""

    def __init__(self, saem: Workspace) -> None:
        self._saem = saem
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._silenced: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Publish what is encoded, and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        self._attempt("the models cannot be loaded", self._warm_up)
        while not self._stop.is_set():
            self._attempt("the collections cannot be listed", self._fill_all)
            self._stop.wait(_POLL_SECONDS)

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
        with suppress(RagError, OSError):  # whoever asks is told
            there = self._saem.settings.collection in self._saem.names()
            if encoder := self._saem.encoder(self._saem.collection() if there else None):
                encoder.query("warm up")
            if there:
                self._saem.searcher().search("warm up")
            if llm := self._saem.llm():
                llm.count("warm up")

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
