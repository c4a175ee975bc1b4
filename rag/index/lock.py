"""The one-writer lock of a collection, across threads and processes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import CollectionLocked


class WriterLock:
    """Held by one thread of one process at a time; that thread may take it again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._thread = threading.RLock()
        self._depth = 0

    @contextmanager
    def hold(self, wait: float = 0.0) -> Iterator[None]:
        """Hold the lock; give up after ``wait`` seconds.

        Raises
        ------
        CollectionLocked
            Another writer has it.
        """
        if not self._thread.acquire(timeout=max(wait, 0.0)):
            raise CollectionLocked(self.file.parent, "this process")
        try:
            if self._depth == 0:
                self._descriptor = self._acquire(time.monotonic() + wait)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    os.close(self._descriptor)
        finally:
            self._thread.release()

    def _acquire(self, deadline: float) -> int:
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _locked(descriptor):
                if time.monotonic() >= deadline:
                    owner = os.pread(descriptor, 100, 0).decode("ascii", "replace").strip()
                    raise CollectionLocked(self.file.parent, owner)
                time.sleep(0.02)
            owner = f"process {os.getpid()}"
            if os.pread(descriptor, 100, 0) != owner.encode():  # truncating takes milliseconds
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, owner.encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _locked(descriptor: int) -> bool:
    """Whether the lock could be had at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
