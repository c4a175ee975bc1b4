"""A lock among threads that nobody keeps others from by taking it again and again."""

from __future__ import annotations

import threading
from types import TracebackType


class Turn:
    """Who asks next gets it next. Not to be taken twice by one thread."""

    def __init__(self) -> None:
        self._door, self._room = threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        with self._door:
            self._room.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self._room.release()
