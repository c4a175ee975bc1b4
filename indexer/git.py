"""A git repository at a revision as a source, without a work tree. Knows no formats.

Read through the ``git`` program (`indexer.repository`): it reads every repository that people have
(linked work trees, shallow and partial clones, SHA-256, reftable), seven times as fast as dulwich.
A remote repository is fetched over HTTP, at the one revision and without history.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote_from_bytes

import httpx

from indexer.addresses import resolve
from indexer.folders import as_text, may_be_document
from indexer.repository import Entry, Repository
from indexer.sources import Fetched, Item, Listing, Skipped
from indexer.urls import canonical, parse_url, port_of
from rag.errors import CollectionLocked, SourceError
from rag.index.lock import WriterLock

_MAX_BYTES = 100_000_000
_SECONDS = 600.0
_REMOTE = re.compile(r"(?P<url>[a-z][\w+.-]*://[^/]*)|[\w.-]+@[\w.-]+:", re.IGNORECASE)
_REVISION = re.compile(r"[^-+^\s:?*\[\\][^\s:?*\[\\]*")
_LFS = b"version https://git-lfs.github.com/spec/"
_KINDS = {"120000": "is a link", "160000": "is a submodule, which is a source of its own"}


class Git:
    """The files of a repository at a revision; hidden ones are passed over, as in folders.

    Parameters
    ----------
    spec
        ``git:FOLDER@REVISION`` or ``git:URL@REVISION``; without a revision it is ``HEAD``.
    cache
        The folder below which remote repositories are kept.
    allow_private
        Whether a remote repository may be on the own machine or network.
    """

    def __init__(self, spec: str, *, cache: Path, allow_private: bool) -> None:
        self._spec, self._cache, self._allow_private = spec, cache, allow_private

    def list(self) -> Listing:
        """The files in order of their paths; of a remote repository, as it is now.

        Raises
        ------
        SourceError
            There is no such repository or revision, or it cannot be reached.
        """
        place = self._place
        revision = self._take(place.url) if place.url else place.revision
        items: list[Item] = []
        skipped: list[Skipped] = []
        others = 0
        for entry in self._repository.files(revision):
            path = as_text(os.fsdecode(entry.path))
            if any(part.startswith(".") for part in path.split("/")):
                continue
            if why := _unfit(entry):
                skipped.append(Skipped(path, why))
            elif not may_be_document(path):
                others += 1
            else:
                uri = f"{place.root}/{quote_from_bytes(entry.path)}"
                items.append(Item(uri, path, entry.blob, entry.size))
        items.sort(key=lambda item: item.path)
        return Listing(place.root, items, skipped, others=others)

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """A file's bytes.

        Raises
        ------
        SourceError
            The repository has not got it, or only where it is to be had (Git LFS).
        """
        if item.stamp == known:
            return None
        data = self._repository.blob(item.stamp)
        if data is None:
            why = "its content is missing or damaged in the repository"
            raise SourceError(item.path, why, remedy="Check it with `git fsck`")
        if data.startswith(_LFS):
            why = "its content is in Git LFS, not in the repository"
            raise SourceError(item.path, why, remedy="Check the repository out; give the folder")
        return Fetched(data, item.stamp)

    @cached_property
    def _place(self) -> _Place:
        where, revision = _parse(self._spec)
        if not _REMOTE.match(where):
            folder = Path(os.path.realpath(where))
            shown = quote_from_bytes(os.fsencode(folder))
            return _Place(f"git:{shown}@{revision}", revision, folder)
        url = parse_url(where)
        url = url.copy_with(host=url.raw_host.decode("ascii").rstrip("."))
        shown = canonical(url)
        folder = self._cache / "git" / _digest(shown)
        return _Place(f"git:{shown}@{revision}", revision, folder, url)

    @cached_property
    def _repository(self) -> Repository:
        return Repository(self._place.folder, self._spec)

    def _take(self, url: httpx.URL) -> str:
        """Fetch the revision; return the name that it has here."""
        place = self._place
        if set("~^{}") & set(place.revision):
            remedy = "Name a branch, a tag or a whole commit id"
            raise SourceError(self._spec, "cannot count from a remote revision", remedy=remedy)
        host, port = url.raw_host.decode("ascii"), port_of(url)
        addresses = resolve(host, port, allow_private=self._allow_private, shown=self._spec)
        ref = f"refs/saem/{_digest(place.revision)}"
        try:
            place.folder.mkdir(parents=True, exist_ok=True)
            with WriterLock(place.folder.with_suffix(".lock")).hold(_SECONDS):
                self._repository.fetch(url, addresses, place.revision, ref)
        except CollectionLocked:
            why = "is being fetched by another process"
            raise SourceError(self._spec, why, remedy="Try again later") from None
        except OSError as e:
            why = f"cannot be kept in {self._cache} ({e.strerror})"
            raise SourceError(self._spec, why, remedy="Check the setting cache") from None
        return ref


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a repository is, and what the URIs of its files begin with."""

    root: str
    revision: str
    folder: Path
    url: httpx.URL | None = None


def _parse(spec: str) -> tuple[str, str]:
    """Repository and revision."""
    where = os.path.expanduser(spec.removeprefix("git:"))  # noqa: PTH111 - does not raise
    remote = _REMOTE.match(where)
    if remote and not remote["url"]:
        remedy = "Give its https:// address, or clone it yourself and give the folder"
        raise SourceError(spec, "is reached by SSH, which is not done", remedy=remedy)
    start = remote.end() if remote else 0
    at = -1 if not remote and os.path.lexists(where) else where.rfind("@", start)
    found, revision = (where, "HEAD") if at < 0 else (where[:at], where[at + 1 :])
    if not found or "\0" in found or not _REVISION.fullmatch(revision):
        remedy = "Write git:FOLDER@REVISION or git:URL@REVISION"
        why = f"'{found}' is no repository, or '{revision}' is no revision"
        raise SourceError(spec, why, remedy=remedy)
    return found, revision


def _unfit(entry: Entry) -> str:
    """Why a file is no document, whatever is in it."""
    if entry.size > _MAX_BYTES:
        return f"is larger than {_MAX_BYTES / 1e6:g} MB"
    return _KINDS.get(entry.mode, "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
