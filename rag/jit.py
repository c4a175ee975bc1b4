"""numba's ``njit``, with a place that can be written for what it compiles. Importing this is slow.

Compiling takes some seconds and is done once: kept beside the package, or else in the user's cache.
Where neither can be written, as in a read-only container, numba would refuse to work; then it is a
folder for temporary files, which must be the user's own: what is in it is run.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config as numba_config

__all__ = ["njit"]


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _temporary() -> Path:
    """The user's folder; a new one if somebody else has made one of its name."""
    folder = Path(tempfile.gettempdir()) / f"saem-numba-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    own = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022
    return folder if own else Path(tempfile.mkdtemp(prefix="saem-numba-"))


_config: Any = numba_config
_usual = (Path(__file__).parent, Path(os.path.expanduser("~/.cache")))  # noqa: PTH111 - without a
# home it is a path like any other, where Path.home() fails
if not _config.CACHE_DIR and not any(map(_writable, _usual)):
    _config.CACHE_DIR = str(_temporary())
