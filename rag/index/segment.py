"""One immutable unit of the index: a folder of arrays, checked before it is read.

Knows neither what the arrays mean nor the catalogue that lists them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex

# numpy parses headers by `ast`, which fails in two threads at once (CPython issue 106905, 3.11).
_LOADING = threading.Lock()

Manifest = Mapping[str, str]
"""File name to its SHA-256."""


def write(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Write ``arrays`` as ``folder``; once this returns, it is whole and on disk.

    Files are written and fsynced under a temporary name, then the folder is renamed and its
    parent fsynced.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    manifest = {}
    for name, array in arrays.items():
        file = temporary / f"{name}.npy"
        with file.open("wb") as f:
            np.save(f, array, allow_pickle=False)
            f.flush()
            os.fsync(f.fileno())
        manifest[file.name] = _sha256(file)
    _fsync(temporary)
    temporary.rename(folder)
    _fsync(folder.parent)
    return manifest


def read(folder: Path, manifest: Manifest) -> dict[str, NDArray[Any]]:
    """The arrays of ``folder``, memory-mapped, after their checksums were compared.

    Raises
    ------
    CorruptIndex
        A file is missing or differs from ``manifest``.
    """
    arrays = {}
    for name, sha256 in manifest.items():
        file = folder / name
        try:
            if _sha256(file) != sha256:
                raise CorruptIndex(file, "its checksum differs")
            with _LOADING:
                mapped = np.load(file, mmap_mode="r", allow_pickle=False)
            arrays[file.stem] = np.asarray(mapped)  # plain: slicing a memmap takes 3 us
        except (OSError, ValueError, EOFError) as e:
            raise CorruptIndex(file, str(e)) from e
    return arrays


def size(folder: Path) -> int:
    """Bytes of the files below ``folder``; a writer may remove some meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).stat().st_size
    return total


def _sha256(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
