"""Opening what people call a file: only if it is one, and no larger than can be read.

Knows no format. Which folders may be entered is for whoever lists them.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

from rag.errors import SourceError

_KINDS = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
    stat.S_IFLNK: "is a link",
}
_REGULAR = "Only regular files are read"
_HOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_MB = 1 << 20


def safe_open(file: Path, path: str, most: int) -> tuple[FileIO, int]:
    """A regular file of at most ``most`` bytes, opened for reading, and its size.

    Links are not followed, and opening waits for nobody. ``path`` is how errors call it.

    Raises
    ------
    SourceError
        It cannot be opened, is no regular file or too large.
    """
    try:
        number = os.open(file, _HOW)
    except OSError as e:
        kind = _kind(file)
        why = kind or e.strerror or str(e)
        raise SourceError(path, why, remedy=_REGULAR if kind else "") from e
    try:
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode):
            raise SourceError(path, _KINDS[stat.S_IFMT(about.st_mode)], remedy=_REGULAR)
        if about.st_size > most:
            raise _too_large(path, about.st_size, most)
        return FileIO(number), about.st_size
    except BaseException:
        os.close(number)
        raise


def read_file(file: Path, path: str, most: int = 512 * _MB) -> bytes:
    """What is in a regular file of at most ``most`` bytes, which may grow while it is read.

    Raises
    ------
    SourceError
        It cannot be read, is no regular file or too large.
    """
    opened, size = safe_open(file, path, most)
    with opened:
        try:
            parts = [opened.read(size)]
            more = len(parts[0])
            while part := opened.read(_MB):
                parts.append(part)
                more += len(part)
                if more > most:
                    raise _too_large(path, more, most)
        except OSError as e:
            raise SourceError(path, e.strerror or str(e)) from e
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _kind(file: Path) -> str:
    """What it is that would not open, if it is no regular file."""
    try:
        return _KINDS.get(stat.S_IFMT(file.lstat().st_mode), "")
    except (OSError, ValueError):
        return ""


def _too_large(path: str, size: int, most: int) -> SourceError:
    return SourceError(
        path,
        f"has {size / _MB:,.0f} MB, more than may be read ({most / _MB:,.0f} MB)",
        remedy="Split it, leave it out, or raise the setting read_mb",
    )
