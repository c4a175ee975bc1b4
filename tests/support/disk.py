"""A disk on which a chosen operation fails, for the whole process. Only for processes of their own.

Nothing is brought to the disk for good, so that trying many is fast.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CODES = {"write": errno.ENOSPC, "mkdir": errno.ENOSPC, "open": errno.ENOSPC}
"""What a full disk says; anything else that fails is an error of the device."""


class Disk:
    """Counts operations while it is ``failing`` and lets one fail, or all from it on.

    Attributes
    ----------
    failed
        Names of the operations that did.
    """

    def __init__(self) -> None:
        self.failed: list[str] = []
        self._counting = threading.Lock()
        self._left: int | None = None
        self._lasting = False

    @contextmanager
    def failing(self, number: int, *, lasting: bool) -> Iterator[None]:
        """Let operation ``number``, from 0, fail; ``lasting``: and all later ones that write."""
        self.failed = []
        self._left, self._lasting = number, lasting
        try:
            yield
        finally:
            self._left = None

    def fails(self, what: str) -> bool:
        """Whether this operation is one that fails."""
        with self._counting:
            if self._left is None:
                return False
            self._left -= 1
            fails = self._left == -1 or (self._left < 0 and self._lasting and what in CODES)
            if fails:
                self.failed.append(what)
            return fails

    def check(self, what: str, path: object = None) -> None:
        """Raise ``OSError`` if this operation fails."""
        if self.fails(what):
            code = CODES.get(what, errno.EIO)
            raise OSError(code, os.strerror(code), *(() if path is None else (str(path),)))

    def take_over(self) -> None:
        """Stand between Python and its files, for good."""
        os.fsync = lambda _: self.check("fsync")
        for name in ("rename", "replace", "unlink", "remove", "rmdir", "mkdir"):
            setattr(os, name, self._named(name, getattr(os, name)))
        for name in ("pwrite", "ftruncate"):
            setattr(os, name, self._named("write", getattr(os, name)))
        opened = io.open
        io.open = builtins.open = self._opening(opened)  # type: ignore[assignment]

    def _named(self, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(path: Any, *args: Any, **options: Any) -> Any:
            self.check(what, path)
            return real(path, *args, **options)

        return operation

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not set(mode) & set("wxa+") or "b" not in mode or isinstance(file, int):
                return real(file, mode, *args, **options)
            self.check("open", file)
            raw = _Raw(self, file, mode.replace("b", ""))
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        return opened


class _Raw(io.FileIO):
    """A file whose writes may fail, after half of them was written."""

    def __init__(self, disk: Disk, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        self._disk = disk

    def write(self, data: Any) -> int:
        if self._disk.fails("write"):
            super().write(bytes(data)[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)
