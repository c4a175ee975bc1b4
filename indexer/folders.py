"""Folders and single files: what is in them, without what ignore files name. Knows no formats.

Links are not followed: one that stays within the folder leads to what is listed anyway.
"""

from __future__ import annotations

import mimetypes
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pathspec import GitIgnoreSpec

from indexer.readers import SUFFIXES
from indexer.safe import read_file
from indexer.sources import Fetched, Item, Listing, Skipped
from rag.errors import SourceError
from rag.index.where import glob

IGNORES = (".gitignore", ".ragignore")
"""Files that name what is left out below their folder; ``.ragignore`` has the last word."""
_NO_DOCUMENTS = ("image/", "audio/", "video/", "font/")
_ARCHIVES = frozenset(
    {".7z", ".bz2", ".gz", ".jar", ".rar", ".tar", ".tgz", ".whl", ".xz", ".zip", ".zst"}
    | {".a", ".bin", ".class", ".dll", ".dylib", ".exe", ".o", ".pyc", ".so", ".wasm"}
    | {
        ".db",
        ".h5",
        ".npy",
        ".npz",
        ".onnx",
        ".parquet",
        ".pkl",
        ".sqlite",
        ".gguf",
        ".safetensors",
    }
    | {".lock", ".map", ".swp", ".tmp"}
)
_WILD = re.compile(r"[*?]")


class Folder:
    """The files below ``source``, or ``source`` itself; or those that it, as a glob, matches.

    ``source`` may be a link and is then what it leads to. Hidden files and folders are passed
    over, and so are links, devices and pipes.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        asked = os.path.expanduser(source)  # noqa: PTH111 - does not raise
        top, self._pattern = asked, ""
        if _WILD.search(asked) and not os.path.lexists(asked):
            parts = Path(asked).parts
            first = next(i for i, part in enumerate(parts) if _WILD.search(part))
            top, self._pattern = str(Path(*parts[:first])), "/".join(parts[first:])
        self.root = Path(os.path.realpath(top))

    def list(self) -> Listing:
        """The files in order of their paths.

        Raises
        ------
        SourceError
            There is no such folder or file, or it cannot be read.
        """
        try:
            found = self.root.stat()
        except FileNotFoundError:
            why = "there is no such file or folder"
            raise SourceError(str(self._source), why, remedy="Check the path") from None
        except (OSError, ValueError) as e:
            raise SourceError(str(self._source), getattr(e, "strerror", "") or str(e)) from e
        if not stat.S_ISDIR(found.st_mode):
            if why := _special(found.st_mode):
                raise SourceError(str(self._source), f"is {why}", remedy="Name a file or folder")
            return Listing(self.root.as_uri(), [_item(self.root, found, self.root.name)])
        walk = _Walk(self.root)
        items = [
            _item(path, found, name)
            for path, found, name in walk.files()
            if not self._pattern or glob(self._pattern, name)
        ]
        if walk.failed and walk.failed[0].path == str(self.root):
            raise walk.failed[0]
        return Listing(
            self.root.as_uri(),
            sorted(items, key=lambda item: item.path),
            walk.skipped,
            walk.failed,
            walk.others,
            [Path(e.path).as_uri() for e in walk.failed],
            self._matches if self._pattern else bool,
        )

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """A file's bytes.

        Raises
        ------
        SourceError
            It cannot be read.
        """
        if item.file is None or item.stamp == known:
            return None
        return Fetched(read_file(item.file, item.path), item.stamp)

    def _matches(self, uri: str) -> bool:
        path = Path.from_uri(uri) if hasattr(Path, "from_uri") else Path(_unquoted(uri))
        return glob(self._pattern, path.relative_to(self.root).as_posix())


class _Walk:
    """Goes through a folder without recursion; puts down what it leaves alone, and why."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.skipped: list[Skipped] = []
        self.failed: list[SourceError] = []
        self.others = 0

    def files(self) -> Iterator[tuple[Path, os.stat_result, str]]:
        """Regular files that may be documents, with their paths within the folder."""
        waiting: list[tuple[str, str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [
            (str(self._root), "", ())
        ]
        while waiting:
            folder, above, rules = waiting.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError as e:
                self.failed.append(SourceError(folder, e.strerror or str(e)))
                continue
            rules += tuple(self._rules(folder, above, {e.name for e in entries}))
            for entry in entries:
                name = f"{above}{entry.name}"
                if entry.name.startswith("."):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if _ignored(name + "/" if is_folder else name, rules):
                    continue
                if is_folder:
                    waiting.append((entry.path, name + "/", rules))
                elif entry.is_symlink():
                    self._link(entry, name)
                else:
                    yield from self._file(entry, name)

    def _file(
        self, entry: os.DirEntry[str], name: str
    ) -> Iterator[tuple[Path, os.stat_result, str]]:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError as e:
            self.failed.append(SourceError(entry.path, e.strerror or str(e)))
            return
        if why := _special(found.st_mode):
            self.skipped.append(Skipped(as_text(name), f"is {why}"))
        elif may_be_document(entry.name):
            yield Path(entry.path), found, name
        else:
            self.others += 1

    def _link(self, entry: os.DirEntry[str], name: str) -> None:
        target = os.path.realpath(entry.path)
        if not os.path.exists(target):  # noqa: PTH110 - does not raise
            why = "is a link to nothing"
        elif os.path.commonpath([target, self._root]) != str(self._root):
            why = "is a link out of the folder"
        else:
            return
        self.skipped.append(Skipped(as_text(name), why))

    def _rules(
        self, folder: str, above: str, names: set[str]
    ) -> Iterator[tuple[str, GitIgnoreSpec]]:
        for name in IGNORES:
            if name not in names:
                continue
            try:
                lines = Path(folder, name).read_bytes().decode("utf-8", "replace").splitlines()
                yield above, GitIgnoreSpec.from_lines(lines)
            except (OSError, ValueError) as e:
                self.failed.append(SourceError(f"{folder}/{name}", f"cannot be followed: {e}"))


def _ignored(name: str, rules: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    """Whether the last rule that speaks of ``name`` leaves it out."""
    for above, spec in reversed(rules):
        if (said := spec.check_file(name.removeprefix(above)).include) is not None:
            return said
    return False


def _special(mode: int) -> str:
    for kind, is_kind in (
        ("a device", lambda m: stat.S_ISCHR(m) or stat.S_ISBLK(m)),
        ("a pipe", stat.S_ISFIFO),
        ("a socket", stat.S_ISSOCK),
    ):
        if is_kind(mode):
            return kind
    return ""


def may_be_document(name: str) -> bool:
    """Whether it is worth a look: not if its name says that it is a picture, a film, an archive."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - of a name, any bytes
    if suffix in SUFFIXES:
        return True
    kind = mimetypes.guess_type(f"x{suffix}")[0] or ""
    return suffix not in _ARCHIVES and not kind.startswith(_NO_DOCUMENTS)


def file_at(uri: str, path: str) -> Item | None:
    """The file of that URI, shown as ``path``; nothing if there is none."""
    file = Path(_unquoted(uri))
    try:
        found = file.lstat()
    except (OSError, ValueError):
        return None
    return _item(file, found, path) if stat.S_ISREG(found.st_mode) else None


def _item(path: Path, found: os.stat_result, name: str) -> Item:
    day = datetime.fromtimestamp(found.st_mtime, UTC).date().isoformat()
    stamp = f"{found.st_size}:{found.st_mtime_ns}"
    return Item(path.as_uri(), as_text(name), stamp, found.st_size, path, {"modified": day})


def _unquoted(uri: str) -> str:
    from urllib.request import url2pathname

    return url2pathname(uri.removeprefix("file://"))


def as_text(name: str) -> str:
    """A file name that can be printed, stored and typed, whatever its bytes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)
