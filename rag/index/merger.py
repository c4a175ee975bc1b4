"""The one who sees to a collection's segments in the background. Knows not what is to be done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import CollectionLocked, CollectionMissing
from rag.index import compact, tiers
from rag.index.lock import WriterLock
from rag.index.upkeep import Upkeep

RATE = 48 << 20
"""Bytes a second that the background reads or writes."""
LOADING = 64
"""``tiers.FAN_OUT`` during a bulk load: its segments are merged once, to full ones."""
_WAIT, _REST, _LINGER, _RETRY = 60.0, 0.2, 5.0, 60.0
_log = logging.getLogger("saem")


class Merger:
    """Merges in a thread that starts when there is something to do and ends when there is not.

    One process at a time merges a collection. A merge whose process dies leaves nothing that
    counts: it is published whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        self.upkeep = Upkeep(path, self._pace)
        self._path = path
        self._lock = WriterLock(path / "merge.lock")
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted, self._stop = threading.Event(), threading.Event()
        self._loads = self._hurry = 0

    def wake(self) -> None:
        """Look soon whether anything is due; returns at once."""
        with self._guard:
            self._wanted.set()
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="merger", daemon=True)
                self._thread.start()

    def tidy(self) -> None:
        """Do all that is due, now and unpaced; leave it to another process that is at it."""
        with suppress(CollectionLocked), self._alone(_WAIT):
            self.upkeep.due(0.0, self._fan_out)

    def compact(self) -> None:
        """Merge as far as it goes, drop everything dead and give the space back.

        Raises
        ------
        CollectionLocked
            Another process is merging the collection.
        """
        with self._alone(_WAIT):
            self.upkeep.everything()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Merge less often, as much more is to come."""
        self._loads += 1
        try:
            yield
        finally:
            self._loads -= 1
            self.wake()

    def close(self) -> None:
        """Stop, within a moment: a merge under way is given up."""
        with self._guard:
            self._stop.set()
            self._wanted.set()
            thread = self._thread
        if thread:
            thread.join(_LINGER)
        if not (thread and thread.is_alive()):
            self.upkeep.close()

    @contextmanager
    def _alone(self, wait: float) -> Iterator[None]:
        self._hurry += 1
        try:
            with self._lock.hold(wait):
                yield
        finally:
            self._hurry -= 1

    def _run(self) -> None:
        wait: float | None = 0.0
        while not self._stop.is_set():
            if not self._wanted.wait(_LINGER if wait is None else wait) and wait is None:
                with self._guard:
                    if not self._wanted.is_set():
                        self._thread = None
                        return
            self._wanted.clear()
            try:
                with self._lock.hold():
                    wait = self.upkeep.due(compact.GRACE, self._fan_out)
            except CollectionLocked:  # another process is at it
                wait = 1.0
            except (_Stopped, CollectionMissing):
                return
            except Exception as e:  # of FAISS and of a GPU, too: the next merge may go well
                if not self._path.exists():
                    return
                _log.warning("merging collection %a failed: %s", self._path.name, str(e) or repr(e))
                wait = _RETRY
                self._stop.wait(wait)
            self._stop.wait(_REST)

    @property
    def _fan_out(self) -> int:
        return LOADING if self._loads else tiers.FAN_OUT

    def _pace(self, size: int) -> None:
        if not self._hurry:
            self._stop.wait(size / RATE)
        if self._stop.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The merger was told to stop."""
