"""One immutable unit of the index: a folder of arrays, checked before it is read.

Knows neither what the arrays mean nor the catalogue that lists them.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import CorruptIndex

# numpy parses headers by `ast`, which fails in two threads at once (CPython issue 106905, 3.11).
_LOADING = threading.Lock()

Manifest = Mapping[str, str]
"""File name to its SHA-256."""
_SMALL = 1 << 16
_DIFFERS = "its checksum differs"


def write(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Write ``arrays`` as ``folder``; once this returns, it is whole and on disk.

    Files are written and fsynced under a temporary name, then the folder is renamed and its
    parent fsynced. What a writer that died has left under either name is replaced.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    files = [temporary / f"{name}.npy" for name in arrays]
    for file, array in zip(files, arrays.values(), strict=True):
        with file.open("wb") as f:
            np.save(_Unseen(f), array, allow_pickle=False)
    pool = _pool(os.getpid())  # many fsyncs at once take as long as one
    listed = pool.submit(_fsync, temporary)
    manifest = dict(zip((f.name for f in files), pool.map(_seal, files), strict=True))
    listed.result()
    shutil.rmtree(folder, ignore_errors=True)
    rename(temporary, folder)
    return manifest


class _Unseen:
    """A file that numpy does not know to be one, so that it writes by way of Python.

    By its own way it does not look whether closing went well: a full disk would go unnoticed.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write


def rename(source: Path, target: Path) -> None:
    """Rename a folder, for good once this returns."""
    source.rename(target)
    _fsync(target.parent)


def read(folder: Path, manifest: Manifest) -> dict[str, NDArray[Any]]:
    """The arrays of ``folder``, read-only, after their checksums were compared.

    Large ones are memory-mapped; small ones, which are many after small commits, are read.

    Raises
    ------
    CorruptIndex
        A file is missing or differs from ``manifest``.
    """
    arrays = {}
    for name, sha256 in manifest.items():
        file = folder / name
        try:
            if file.stat().st_size > _SMALL:
                check(folder, {name: sha256})
                with _LOADING:
                    mapped = np.load(file, mmap_mode="r", allow_pickle=False)
                arrays[file.stem] = np.asarray(mapped)  # plain: slicing a memmap takes 3 us
            else:
                data = file.read_bytes()
                if hashlib.sha256(data).hexdigest() != sha256:
                    raise CorruptIndex(file, _DIFFERS)
                arrays[file.stem] = _array(data)
        except (OSError, ValueError, EOFError) as e:
            raise CorruptIndex(file, str(e)) from e
    return arrays


def check(folder: Path, manifest: Manifest) -> None:
    """Compare the checksums of files of any kind.

    Raises
    ------
    CorruptIndex
        A file is missing or differs from ``manifest``.
    """
    for name, sha256 in manifest.items():
        file = folder / name
        try:
            same = _sha256(file) == sha256
        except OSError as e:
            raise CorruptIndex(file, str(e)) from e
        if not same:
            raise CorruptIndex(file, _DIFFERS)


def size(folder: Path) -> int:
    """Bytes of the files below ``folder``; a writer may remove some meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).stat().st_size
    return total


def _array(data: bytes) -> NDArray[Any]:
    """What ``np.save`` has made ``data`` of."""
    start = 10 + int.from_bytes(data[8:10], "little")
    shape, order, dtype = _header(data[:start])
    return np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape, order=order)


@lru_cache(maxsize=1024)
def _header(data: bytes) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any]]:
    """Shape, order and type as the head of a file says them, in version 1.0 of its format."""
    stream = BytesIO(data)
    with _LOADING:
        np.lib.format.read_magic(stream)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects")
    return shape, "F" if fortran else "C", dtype


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Threads of this process; those of the one that it was forked from are not there."""
    return ThreadPoolExecutor(16, "fsync")


def _seal(file: Path) -> str:
    """Bring ``file`` to disk; its checksum."""
    with file.open("rb") as f:
        os.fsync(f.fileno())
    return _sha256(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
