"""Where documents come from: folders and single files, with stable identities and stats.

Knows neither formats nor the index.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceError


@dataclass(frozen=True, slots=True)
class Found:
    """A file as its folder lists it. ``path`` is relative to the folder that was asked for."""

    uri: str
    file: Path
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds: files to read, how many of other types, what could not be listed."""

    root: Path
    files: list[Found]
    skipped: int
    failed: list[SourceError]

    def covers(self, uri: str) -> bool:
        """Whether a file of that URI would have been listed if it were there and readable."""
        top = self.root.as_uri()
        lost = any(_is_below(uri, Path(e.path).as_uri()) for e in self.failed)
        return _is_below(uri, top) and not lost


def list_files(source: Path, suffixes: Collection[str]) -> Listing:
    """The files with one of ``suffixes`` below ``source``, or ``source`` itself, sorted.

    Hidden files and folders are passed over, and so are links, devices and pipes.

    Raises
    ------
    SourceError
        ``source`` does not exist, cannot be read, or is a file of another type.
    """
    root = Path(os.path.abspath(source.expanduser()))  # noqa: PTH100 - resolve() follows links
    if not root.exists():
        raise SourceError(str(source), "there is no such file or folder", remedy="Check the path")
    if root.is_file():
        if root.suffix.lower() not in suffixes:
            known = " ".join(sorted(suffixes))
            raise SourceError(str(source), "is of no known type", remedy=f"Known are {known}")
        stat = root.stat()
        found = Found(root.as_uri(), root, root.name, stat.st_size, stat.st_mtime_ns)
        return Listing(root, [found], 0, [])
    files: list[Found] = []
    failed: list[SourceError] = []
    skipped = 0
    for entry in _walk(root, failed):
        path = Path(entry.path)
        if path.suffix.lower() not in suffixes:
            skipped += 1
            continue
        try:
            stat = entry.stat(follow_symlinks=False)
        except OSError as e:
            failed.append(SourceError(entry.path, e.strerror or str(e)))
            continue
        name = _text(path.relative_to(root).as_posix())
        files.append(Found(path.as_uri(), path, name, stat.st_size, stat.st_mtime_ns))
    if failed and failed[0].path == str(root):
        raise failed[0]
    return Listing(root, sorted(files, key=lambda f: f.path), skipped, failed)


def _walk(folder: Path, failed: list[SourceError]) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as e:
            failed.append(SourceError(str(here), e.strerror or str(e)))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry


def _is_below(uri: str, top: str) -> bool:
    return uri == top or uri.startswith(top.rstrip("/") + "/")


def _text(name: str) -> str:
    """A file name that can be printed and stored, whatever its bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
