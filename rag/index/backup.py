"""A collection as one file and back: a consistent copy, taken while others write.

The file is a plain tar: first ``saem-backup.json``, which says what it is, then the catalogue as
SQLite's own copying leaves it, the live segments that it lists, what else lies in the
collection's folder (its query log), and last everybody's checksums. Knows not where collections
are.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rag.errors import BadQuery, CorruptIndex, IncompatibleIndex, SourceError
from rag.index.catalog import FORMAT
from rag.index.copying import at_rest, copy_catalogue
from rag.index.lock import WriterLock
from rag.index.verify import verify

HEAD, SUMS = "saem-backup.json", "saem-checksums.json"
_VERSION = 1
_LEASE = 60.0
_SMALL, _PIECE = 1 << 26, 1 << 20
_MEMBER = re.compile(r"segments/[0-9]+/\w[\w.-]*|\w[\w.-]*")
_OURS = re.compile(r".*\.sqlite-.+|.*\.lock|saem-.*\.json")
"""What is never copied from the top of a collection's folder, nor to it."""
Sums = dict[str, str]
"""Member of a backup to its SHA-256."""


def back_up(path: Path, target: Path) -> Path:
    """Copy the collection in the folder ``path`` to ``target``; the file that was made.

    A folder as ``target`` gets a file named after the collection and the time. The file appears
    under its name when it is complete, on disk, and read back.

    Raises
    ------
    SourceError
        ``target`` is a file and no backup, or in no folder.
    CollectionLocked
        Another backup of the collection is under way.
    CorruptIndex
        The collection is damaged, or the copy is.
    """
    if target.is_dir():
        target /= f"{path.name}-{time.strftime('%Y%m%d-%H%M%S')}.tar"
    elif target.exists():
        with _reading(target):
            pass
    elif not target.parent.is_dir():
        raise SourceError(str(target), "there is no such folder", remedy="Make the folder first")
    with _scratch(target) as scratch:
        with WriterLock(path / "backup.lock").hold(_LEASE):  # nothing is purged meanwhile
            sums = _write(path, scratch / "tar", scratch / "catalog.sqlite")
        with _reading(scratch / "tar") as tar:
            if {m.name: _digest(tar.extractfile(m)) for m in tar if m.name in sums} != sums:
                raise CorruptIndex(target, "it differs from what was written")
        (scratch / "tar").replace(target)
        _sync(target.parent)
    return target


def restore(file: Path, path: Path, *, force: bool = False) -> None:
    """Make the folder ``path`` the collection that ``file`` has.

    The folder appears, or is exchanged, when its content is complete, verified and on disk.

    Raises
    ------
    SourceError
        ``file`` is no backup, or damaged.
    IncompatibleIndex
        It is of another format.
    BadQuery
        There is a collection, and no ``force``.
    CollectionLocked
        That collection is being written, or restored by another process.
    """
    fresh, old = (path.with_name(f".{path.name}.{part}") for part in ("restoring", "replaced"))
    if old.exists() and not path.exists():  # a restore was killed between two renames
        old.rename(path)
    if path.exists() and not force:
        raise BadQuery(
            f"there is a collection '{path.name}' already",
            remedy="Restore it under another name with --collection, or replace it with --force",
        )
    fresh.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        held.enter_context(WriterLock(fresh / "writer.lock").hold())
        held.callback(shutil.rmtree, fresh, ignore_errors=True)
        for left in fresh.iterdir():
            if left.name != "writer.lock":
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        _extract(file, fresh)
        found = verify(fresh)
        if serious := next((p for p in found.problems if p.serious), None):
            raise SourceError(str(file), f"{serious.file.relative_to(fresh)}: {serious.what}",
                              remedy="Use another backup")  # fmt: skip
        if path.exists():
            for name in ("writer.lock", "merge.lock"):
                held.enter_context(WriterLock(path / name).hold(_LEASE))
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        _sync(path.parent)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder beside ``target``, without what an earlier backup to it left when it was killed."""
    scratch = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(path: Path, file: Path, catalogue: Path) -> Sums:
    """Write the backup ``file``, by way of a copy of the ``catalogue``; its members' checksums."""
    segments, generation = copy_catalogue(path / "catalog.sqlite", catalogue)
    sums: Sums = {}
    with file.open("xb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as tar:
            made = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            head = {"saem-backup": _VERSION, "format": FORMAT, "collection": path.name,
                    "generation": generation, "made": made}  # fmt: skip
            sums[HEAD] = _add_json(tar, HEAD, head)
            sums["catalog.sqlite"] = _add(tar, catalogue, "catalog.sqlite")
            for number, manifest in segments:
                for name, expected in manifest.items():
                    member = f"segments/{number}/{name}"
                    sums[member] = _add(tar, path / member, member)
                    if sums[member] != expected:
                        raise CorruptIndex(path / member, "its checksum differs")
            for other in sorted(path.iterdir()):
                name = other.name
                if other.is_file() and name != "catalog.sqlite" and _is_other(name):
                    with suppress(CorruptIndex):  # moved away by now, as a query log may be
                        sums[name] = _add(tar, at_rest(other, catalogue.parent), name)
            _add_json(tar, SUMS, sums)
        raw.flush()
        os.fsync(raw.fileno())
    return sums


def _is_other(name: str) -> bool:
    return bool(_MEMBER.fullmatch(name)) and not _OURS.fullmatch(name)


def _add(tar: tarfile.TarFile, file: Path, name: str) -> str:
    """Add ``file``; the SHA-256 of what was read of it."""
    try:
        with file.open("rb") as source:
            info = tarfile.TarInfo(name)
            stat = os.fstat(source.fileno())
            info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), 0o600
            hashed = _Hashed(source)
            tar.addfile(info, hashed)
            return hashed.sha256.hexdigest()
    except FileNotFoundError as e:
        raise CorruptIndex(file, "it is missing") from e


def _add_json(tar: tarfile.TarFile, name: str, value: Any) -> str:  # noqa: ANN401
    data = json.dumps(value, ensure_ascii=False).encode()
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), int(time.time()), 0o600
    tar.addfile(info, io.BytesIO(data))
    return hashlib.sha256(data).hexdigest()


class _Hashed(io.RawIOBase):
    """A file as it is read, and the SHA-256 of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


@contextmanager
def _reading(file: Path) -> Iterator[tarfile.TarFile]:
    """The backup ``file``, its first member read; whatever is wrong with it is a SourceError."""
    with ExitStack() as opened:
        try:
            tar = opened.enter_context(tarfile.open(file, "r:"))
            head = _json(tar, tar.next(), HEAD)
        except (OSError, tarfile.TarError, ValueError) as e:
            why = (isinstance(e, OSError) and e.strerror) or "is no backup of a collection"
            raise SourceError(str(file), why, remedy="`rag backup` makes one") from e
        if (head.get("saem-backup"), head.get("format")) != (_VERSION, FORMAT):
            raise IncompatibleIndex("backup format", str(head.get("format")), str(FORMAT))
        try:
            yield tar
        except (tarfile.TarError, EOFError, ValueError) as e:
            raise SourceError(str(file), f"is damaged ({e})", remedy="Use another backup") from e


def _json(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str) -> dict[str, Any]:
    if member is None or member.name != name or not member.isreg() or member.size > _SMALL:
        raise ValueError(f"there is no {name}")
    source = tar.extractfile(member)
    return dict(json.loads(source.read() if source else b""))


def _extract(file: Path, folder: Path) -> None:
    """Write the members of the backup ``file`` into ``folder``, and no others, to the disk.

    Paths are made of names that were checked, files are plain and as large as they stand in the
    backup, so it can neither leave ``folder`` nor fill more than its own size.
    """
    sums: Sums = {}
    told = None
    (folder / "segments").mkdir()  # that of an empty collection has no members
    with _reading(file) as tar:
        for member in tar:
            if member.name == HEAD:
                sums[HEAD] = _digest(tar.extractfile(member))
                continue
            if member.name == SUMS:
                told = _json(tar, member, SUMS)
                continue
            plain = member.isreg() and not member.issparse() and _is_other(member.name)
            if not plain or member.name in sums:
                raise ValueError(f"it holds '{member.name}'")
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                sums[member.name] = _digest(tar.extractfile(member), out)
                out.flush()
                os.fsync(out.fileno())
        if told != sums:
            raise ValueError("it is incomplete" if told is None else "checksums differ")
    for parent, _, _ in os.walk(folder):
        _sync(Path(parent))


def _digest(source: IO[bytes] | None, out: IO[bytes] | None = None) -> str:
    """SHA-256 of ``source``, copied to ``out`` on the way."""
    sha256 = hashlib.sha256()
    while source and (data := source.read(_PIECE)):
        sha256.update(data)
        if out:
            out.write(data)
    return sha256.hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
