"""numba's ``njit``, with a place that can be written for what it compiles.

Compiling takes some seconds and is done once: kept beside the package, or else in the user's cache.
Where neither can be written, as in a read-only container, numba would refuse to work; then it is a
folder for temporary files.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config as numba_config

__all__ = ["njit"]


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


_config: Any = numba_config
_usual = (Path(__file__).parent, Path.home() / ".cache")
if not _config.CACHE_DIR and not any(map(_writable, _usual)):
    _config.CACHE_DIR = str(Path(tempfile.gettempdir()) / f"saem-numba-{os.getuid()}")
