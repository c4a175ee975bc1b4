"""Text of a picture through the program Tesseract, where it is installed. Knows no file format."""

from __future__ import annotations

import shutil
import signal
import subprocess
from functools import cache
from time import monotonic

SECONDS = 20.0
"""For all pictures of a file, where its reading is not bound by a clock."""
_SHARE = 2 / 3
"""Of the clock's time, so that a file with many pictures still comes back."""

_WANTED = ("kor", "eng")


class Tesseract:
    """One file's use of Tesseract, stopped in time."""

    def __init__(self) -> None:
        self._program = shutil.which("tesseract")
        left, _ = signal.getitimer(signal.ITIMER_REAL)  # set by `indexer.reading_child`
        self.until = monotonic() + (left * _SHARE if left else SECONDS)

    @property
    def installed(self) -> bool:
        return self._program is not None

    def text(self, picture: bytes) -> str | None:
        """What is written on a picture (PNG or PNM); None where time ran out or it failed."""
        left = self.until - monotonic()
        if self._program is None or left <= 0:
            return None
        languages = "+".join(_languages(self._program))
        command = [self._program, "stdin", "stdout", "--dpi", "200"]
        try:
            done = subprocess.run(  # noqa: S603
                command + (["-l", languages] if languages else []),
                input=picture,
                capture_output=True,
                timeout=left,
                check=True,
            )
        except (subprocess.SubprocessError, OSError):
            return None
        return done.stdout.decode("utf-8", "replace").replace("\f", "").strip()


@cache
def _languages(program: str) -> tuple[str, ...]:
    """Of those wanted, the installed ones."""
    try:
        listed = subprocess.run(  # noqa: S603
            [program, "--list-langs"], capture_output=True, timeout=10, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return ()
    installed = listed.stdout.decode("utf-8", "replace").split()
    return tuple(name for name in _WANTED if name in installed)
