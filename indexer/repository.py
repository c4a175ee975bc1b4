"""The ``git`` program, run so that what it reads cannot make it do anything else.

No hooks, no filters, no prompts, no configuration but the repository's own, no transport but HTTP
when it is to fetch, and then only to addresses that were checked before. Knows no documents.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import httpx

from indexer.urls import port_of
from rag.errors import SourceError

_MAX_REPOSITORY = 2_000_000_000
_SECONDS = 600.0
_PINS_ADDRESSES = (2, 37)
"""The first git that can be told a host's addresses."""
_SAFE = {
    "safe.directory": "*",  # whoever it belongs to: nothing of it is run
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "credential.helper": "",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",
    "http.proxy": "",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "transfer.bundleURI": "false",
}
_ALONE = {
    "PATH": os.defpath,
    "HOME": os.devnull,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree: its octal ``mode``, the ``blob`` that it holds, its size and path."""

    mode: str
    blob: str
    size: int
    path: bytes


class Repository:
    """A repository on this machine; errors name it as ``shown``."""

    def __init__(self, folder: Path, shown: str) -> None:
        self.folder = folder
        self._shown = shown
        self._reader: subprocess.Popen[bytes] | None = None

    def files(self, revision: str) -> list[Entry]:
        """All files at ``revision``, in order of their paths' bytes.

        Raises
        ------
        SourceError
            There is no such revision or no repository.
        """
        self._run("rev-parse", "--git-dir", remedy="Give the folder of a git repository")
        wanted = ("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        remedy = "Check the name of the branch, tag or commit after @"
        commit = self._run(*wanted, remedy=remedy).decode("ascii").strip()
        remedy = "Check it with `git fsck`; a partial clone becomes whole by `git fetch --refetch`"
        listed = self._run("ls-tree", "-r", "-l", "-z", "--full-tree", commit, remedy=remedy)
        return [_entry(line) for line in listed.split(b"\0") if line]

    def blob(self, name: str) -> bytes | None:
        """The content of a blob; ``None`` if the repository has not got it.

        Raises
        ------
        SourceError
            The repository is damaged.
        """
        reader = self._reader
        if reader is None or reader.poll() is not None:
            reader = self._reader = self._start("cat-file", "--batch", stdin=subprocess.PIPE)
            weakref.finalize(self, _end, reader)
        ask, said = cast("IO[bytes]", reader.stdin), cast("IO[bytes]", reader.stdout)
        with suppress(BrokenPipeError):
            ask.write(name.encode("ascii") + b"\n")
            ask.flush()
        answer = said.readline().split()
        if answer[1:] == [b"missing"]:
            return None
        size = int(answer[2]) if len(answer) == 3 else -1
        data = said.read(size + 1)[:-1] if size >= 0 else b""
        if len(data) != size:
            why = f"blob {name} cannot be read"
            raise SourceError(self._shown, why, remedy="Run `git fsck` in it")
        return data

    def fetch(self, url: httpx.URL, addresses: Sequence[str], revision: str, ref: str) -> None:
        """Take ``revision`` of the repository at ``url``, and no history, to be named ``ref``.

        Raises
        ------
        SourceError
            It cannot be had from these ``addresses``, takes more than 10 minutes or 2 GB.
        """
        version = self._run("version").split()[2].decode("ascii").split(".")
        if (int(version[0]), int(version[1])) < _PINS_ADDRESSES:
            why = f"git {'.'.join(version)} cannot be told which addresses to use"
            raise SourceError(self._shown, why, remedy="Install git 2.37, or clone it yourself")
        self._run("init", "--quiet", "--bare", "--template=", str(self.folder))
        host = url.raw_host.decode("ascii")
        places = ",".join(f"[{a}]" if ":" in a else a for a in addresses)
        pin = f"http.curloptResolve={host}:{port_of(url)}:{places}"
        options = [] if ":" in host else ["-c", pin]
        wanted = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
        with tempfile.TemporaryFile() as said:
            what = ("--", str(url), f"+{revision}:{ref}")
            process = self._start(*options, "fetch", *wanted, *what, stderr=said, over="http:https")
            self._watch(process)
            if process.returncode:
                said.seek(0)
                remedy = (
                    "Check address and revision; what needs a password is not fetched: clone it"
                )
                raise self._failed(said.read(), remedy)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for what fetches, and end it when it takes too long or too much."""
        deadline = time.monotonic() + _SECONDS
        why = ""
        while not why:
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=0.5)
                return
            if time.monotonic() > deadline:
                why = f"was not fetched within {_SECONDS:g} s"
            elif self._size() > _MAX_REPOSITORY:
                why = f"is larger than {_MAX_REPOSITORY / 1e9:g} GB"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise SourceError(self._shown, why, remedy="Clone it yourself and give the folder")

    def _size(self) -> int:
        total = 0
        for file in self.folder.rglob("*"):
            with suppress(OSError):
                total += file.stat(follow_symlinks=False).st_size
        return total

    def _run(self, *command: str, remedy: str = "Check how git is installed") -> bytes:
        with tempfile.TemporaryFile() as said:
            process = self._start(*command, stderr=said)
            out, _ = process.communicate()
            said.seek(0)
            if process.returncode:
                raise self._failed(said.read(), remedy)
        return out

    def _start(
        self,
        *command: str,
        stdin: int = subprocess.DEVNULL,
        stderr: IO[bytes] | int = subprocess.DEVNULL,
        over: str = "",
    ) -> subprocess.Popen[bytes]:
        """``git`` with ``command``, which may use the transports ``over``."""
        program = shutil.which("git")
        if not program:
            remedy = "Install git, or give a folder"
            raise SourceError(
                self._shown, "needs the program git, which is not there", remedy=remedy
            )
        safe = [part for name, value in _SAFE.items() for part in ("-c", f"{name}={value}")]
        above = {"GIT_CEILING_DIRECTORIES": str(self.folder.parent), "GIT_ALLOW_PROTOCOL": over}
        return subprocess.Popen(  # noqa: S603 - no shell; what comes from outside stands after --
            [program, "-C", str(self.folder), *safe, *command],
            env=_ALONE | above,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )

    def _failed(self, said: bytes, remedy: str) -> SourceError:
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["git does not say why"]
        return SourceError(self._shown, lines[-1].removeprefix("fatal: "), remedy=remedy)


def _entry(line: bytes) -> Entry:
    about, _, path = line.partition(b"\t")
    mode, _, blob, size = about.decode("ascii").split()
    return Entry(mode, blob, int(size) if size.isdecimal() else 0, path)


def _end(reader: subprocess.Popen[bytes]) -> None:
    for pipe in (reader.stdin, reader.stdout):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
    reader.wait()
