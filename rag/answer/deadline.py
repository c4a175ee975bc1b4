"""A moment after which a connection is cut, even while nothing arrives on it.

Timeouts of reads bound each silence, not the whole: a server that sends a byte now and then, or
falls silent just before the end, would hold its reader for longer. Knows sockets, no messages.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer


class Deadline:
    """``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return not self.left

    @contextmanager
    def cuts(self, connection: socket.socket | None) -> Iterator[None]:
        """Shut ``connection`` down at the deadline, should the block still run: reads end."""
        if connection is None:
            yield
            return
        timer = Timer(self.left, _shut, [connection])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        # Not a TLS socket's own: that one would drop its state under the reader.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
