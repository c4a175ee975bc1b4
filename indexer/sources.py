"""Where documents come from: folders and single files, with stable identities and stats.

Knows neither formats nor the index.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceError


@dataclass(frozen=True, slots=True)
class Found:
    """A file as its folder lists it.

    ``path`` is relative to the folder that was asked for and in NFC, as people type it; ``uri``
    keeps the name's bytes.
    """

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


def list_sources(
    sources: Sequence[Path], suffixes: Collection[str], known: Iterable[str] = ()
) -> tuple[list[Listing], list[SourceError]]:
    """What the sources that hold documents hold, outer folders first; what ails the others.

    ``known`` are URIs of documents that are indexed already.

    Raises
    ------
    SourceError
        None of the sources holds documents.
    """
    known = list(known)
    listings: list[Listing] = []
    failed: list[SourceError] = []
    for source in sources:
        try:
            listing = list_files(source, suffixes)
        except SourceError as e:
            failed.append(e)
            continue
        if listing.files:
            listings.append(listing)
        else:
            before = sum(map(listing.covers, known))
            failed += listing.failed or [_empty(source, before, listing.skipped, suffixes)]
    if failed and not listings:
        first, *others = failed
        why = "; ".join([first.why, *(f"{e.path}: {e.why}" for e in others)])
        raise SourceError(first.path, why, remedy=first.remedy)
    return sorted(listings, key=lambda x: len(x.root.parts)), failed


def list_files(source: Path, suffixes: Collection[str]) -> Listing:
    """The files with one of ``suffixes`` below ``source``, or ``source`` itself, sorted.

    ``source`` may be a link and is then what it leads to. Below it, hidden files and folders are
    passed over, and so are links, devices and pipes.

    Raises
    ------
    SourceError
        ``source`` does not exist, cannot be read, or is a file of another type.
    """
    root = Path(os.path.realpath(os.path.expanduser(source)))  # noqa: PTH111 - neither raises
    try:
        stat = root.stat()
    except FileNotFoundError:
        why = "there is no such file or folder"
        raise SourceError(str(source), why, remedy="Check the path") from None
    except OSError as e:
        raise SourceError(str(source), e.strerror or str(e)) from e
    if root.is_file():
        if root.suffix.lower() not in suffixes:
            known = " ".join(sorted(suffixes))
            raise SourceError(str(source), "is of no known type", remedy=f"Known are {known}")
        found = Found(root.as_uri(), root, _text(root.name), stat.st_size, stat.st_mtime_ns)
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


def _empty(source: Path, before: int, skipped: int, suffixes: Collection[str]) -> SourceError:
    if before:
        remedy = f"Its {before} indexed documents were kept; `rag delete --path` removes them"
    else:
        remedy = f"Known types are {' '.join(sorted(suffixes))}"
    others = f" ({skipped} files of other types)" if skipped else ""
    return SourceError(str(source), f"holds no documents{others}", remedy=remedy)


def _is_below(uri: str, top: str) -> bool:
    return uri == top or uri.startswith(top.rstrip("/") + "/")


def _text(name: str) -> str:
    """A file name that can be printed, stored and typed, whatever its bytes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)
