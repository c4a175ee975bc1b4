"""Folders watched for changes, which are told in batches. Knows neither formats nor the index.

The system tells of changes in one folder at a time, so each folder gets its watch and links are
not followed: watchfiles, asked to watch a tree, goes through a link to ``/`` as well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from watchfiles import Change
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from rag.errors import RagError

Apply = Callable[[set[Path] | None], object]
"""Called with what has changed, files and folders, of which everything below may have; ``None``
is everything."""

_QUIET = 100
"""Milliseconds without a further change after which a batch is told."""
_BATCH = 600
"""Milliseconds that a batch may take to come to an end."""
_LOOK = 500
"""Milliseconds after which folders that vanished, or came back, are looked for."""
_POLL = 1000
"""Milliseconds between two looks where the system tells nothing."""
_STORM = 1000
"""Changes from which looking at everything costs less, and the system may have dropped some."""
_SELDOM = 300.0
"""Seconds after which everything is looked at even though nothing was told."""
_AGAIN, _AT_LAST = 1.0, 60.0
"""Seconds until changes that could not be applied are tried again, at first and in the end."""
_IGNORES = (".gitignore", ".ragignore")


def watch(folders: Sequence[Path], apply: Apply, stop: Event, notes: Callable[[str], None]) -> None:
    """Call ``apply`` for everything, then for what changes, until ``stop`` is set.

    What changes while ``apply`` runs comes in the next batch. Errors of it are noted and what was
    to be applied is tried again, with everything else. A folder that is not there is waited for.

    Parameters
    ----------
    folders
        Folders or single files; a link is what it leads to.
    notes
        Called with what people should know of.
    """
    view = _View(folders, notes)
    changed: set[Path] | None = None
    due, failed, pause = 0.0, False, _AGAIN
    while not stop.is_set():
        now = time.monotonic()
        if now >= due:
            changed = None
        if changed is None or (changed and not failed):
            try:
                apply(changed)
                failed, pause = False, _AGAIN
                due = now + _SELDOM if changed is None else due
            except Exception as e:  # what changes next is to be seen, whatever this is
                notes(str(e) if isinstance(e, RagError) else f"{type(e).__name__}: {e}")
                failed, due, pause = True, now + min(pause, _AT_LAST), 2 * pause
        changed = view.changes(stop)


class _View:
    """What the system tells of folders and of those below them."""

    def __init__(self, folders: Sequence[Path], notes: Callable[[str], None]) -> None:
        self._roots = [Path(os.path.realpath(folder)) for folder in folders]
        self._notes = notes
        self._polls = False
        self._seen: list[object] = []
        self._system = self._look()

    def changes(self, stop: Event) -> set[Path] | None:
        """What has changed, after half a second at most; ``None``: it cannot be told."""
        try:
            told = self._system.watch(_BATCH, _QUIET, _LOOK, stop)
        except WatchfilesRustInternalError:  # of a name that is no UTF-8, or a folder too many
            self._system = self._look()
            return None
        if told == "signal":
            raise KeyboardInterrupt
        if [_identity(root) for root in self._roots] != self._seen:
            self._system = self._look()
            return None
        if isinstance(told, str):
            return set()
        if len(told) >= _STORM:
            self._system = self._look()
            return None
        changed = self._named(told)
        if any(kind == Change.added and _is_folder(name) for kind, name in told):
            before, self._system = self._system, self._look()
            late = before.watch(0, 0, 1, stop)  # what was told until the new watches stood
            if not isinstance(late, str):
                changed |= self._named(late)
        return changed

    def _named(self, told: set[tuple[int, str]]) -> set[Path]:
        return {path for _, name in told if (path := self._of_interest(Path(name)))}

    def _of_interest(self, path: Path) -> Path | None:
        """``path``, unless it is hidden; the folder of a file that says what is left out."""
        for root in self._roots:
            if path == root:
                return path
            if path.is_relative_to(root):
                hidden = [part for part in path.relative_to(root).parts if part.startswith(".")]
                if hidden:
                    return path.parent if hidden == [path.name] and path.name in _IGNORES else None
                return path
        return None

    def _look(self) -> RustNotify:
        """Watches of all folders that there are now."""
        self._seen = [_identity(root) for root in self._roots]
        folders = self._folders()
        while True:
            try:
                system = RustNotify(folders, False, self._polls, _POLL, False, False)
            except (FileNotFoundError, NotADirectoryError):  # one went in between
                system = None
            except (OSError, WatchfilesRustInternalError) as e:
                if self._polls:
                    raise
                self._poll(len(folders), str(e))
                continue
            there = self._folders()
            if system and there == folders:
                return system
            folders = there  # those that came in between had no watch above them yet

    def _poll(self, folders: int, why: str) -> None:
        self._polls = True
        self._notes(
            f"the system does not tell of changes in {folders} folders ({why}); they are looked "
            "through every second instead. Raise fs.inotify.max_user_watches and "
            "max_user_instances, or watch fewer folders"
        )

    def _folders(self) -> list[str]:
        """The folders to be watched: those below the roots, and those of single files."""
        found = set()
        waiting = []
        for root in self._roots:
            if root.is_dir():
                waiting.append(str(root))
            elif root.exists():
                found.add(str(root.parent))
        while waiting:
            folder = waiting.pop()
            with suppress(OSError, UnicodeEncodeError), os.scandir(folder) as entries:
                folder.encode()  # the system's words have to be UTF-8
                below = [e for e in entries if not e.name.startswith(".")]
                waiting += [e.path for e in below if e.is_dir(follow_symlinks=False)]
                found.add(folder)
        return sorted(found)


def _identity(path: Path) -> object:
    """What tells a folder from one that took its place; ``None`` if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_folder(name: str) -> bool:
    path = Path(name)
    return path.is_dir() and not path.is_symlink()
