"""Run as a program: reads files for `indexer.reading`, one after another, and says what is in them.

Formats are intricate and files hostile, so this process is made to be killed: it takes no more
memory than it may, the kernel ends it when a file takes too long or when its parent is gone, even
in the midst of native code, and it holds nothing that anybody would miss. Knows no index.

Usage: ``python -P -m indexer.reading_child LIFE SECONDS MEGABYTES``, where ``LIFE`` is a pipe that
closes when the parent ends. Jobs come on stdin and go out on stdout, as `indexer.jobs` has them;
the first frame says that all is ready. Stderr is a file and holds what was said about one job.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from indexer.jobs import Job, Reading, frame, next_frame, pack_reading, too_much_memory, unpack_job
from indexer.readers import Empty, Unknown, read
from indexer.safe import read_file
from rag.errors import RagError, SourceError

_MB = 1 << 20
_LARGEST_FILE = 64 * _MB
"""What may be written: Python keeps modules that it has compiled, Tesseract gets images."""
_WORDS = 200
"""Characters of what an exception says that people are shown."""


def main(life: int, seconds: float, megabytes: int) -> None:
    inbox = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    outbox = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    _end_with(life)
    _bound(megabytes)
    with suppress(BrokenPipeError):
        _send(outbox, frame({}))
        while job := next_frame(inbox):
            parts, leaving = _work(unpack_job(*job), seconds, megabytes)
            _send(outbox, parts)
            if leaving:
                break
            _forget_words()
    os._exit(0)


def _work(job: Job, seconds: float, megabytes: int) -> tuple[list[bytes], bool]:
    """The frame that says what became of ``job``, and whether this process has to be replaced."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    parts = None
    with suppress(MemoryError):
        reading = _read(job, megabytes * _MB)
        leaving = _private_bytes() > megabytes * _MB // 4  # the next file wants its share too
        parts = pack_reading(reading, leaving=leaving)
    if parts is None:
        error = too_much_memory(job.path, megabytes)
        parts, leaving = pack_reading(Reading(job.uri, job.path, error=error), leaving=True), True
    signal.setitimer(signal.ITIMER_REAL, 0)
    return parts, leaving


def _read(job: Job, most: int) -> Reading:
    reading = Reading(job.uri, job.path)
    try:
        data = job.data if job.data is not None else read_file(job.file or Path(), job.path, most)
    except SourceError as e:
        return replace(reading, error=e, unread=isinstance(e.__cause__, OSError))
    try:
        reading = replace(reading, sha256=hashlib.sha256(data).hexdigest())
        if reading.sha256 == job.sha256:
            return replace(reading, same=True)
        found = read(data, uri=job.uri, path=job.path)
    except SourceError as e:
        return replace(reading, error=e, empty=isinstance(e, Empty), unknown=isinstance(e, Unknown))
    except RagError as e:
        return replace(reading, error=SourceError(job.path, e.message, remedy=e.remedy))
    except RecursionError:
        error = SourceError(job.path, "is nested too deeply", remedy="Leave it out")
        return replace(reading, error=error)
    except MemoryError:
        raise
    except BaseException as e:
        said = " ".join(str(e).split())[:_WORDS]
        why = f"made the reader fail ({type(e).__name__}{': ' if said else ''}{said})"
        return replace(reading, error=SourceError(job.path, why, remedy="Leave it out"))
    return replace(reading, document=found.document, notes=found.notes, verbatim=found.verbatim)


def _end_with(life: int) -> None:
    """Have the kernel kill this group of processes when the other end of a pipe is closed.

    It does so at once; a thread would wait for native code to let go of the interpreter, and
    Linux's signal at a parent's death comes when the parent's thread ends already. Where it is
    unknown, the clock ends a reading, and the end of stdin this process.
    """
    os.set_inheritable(life, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        if select.select([life], [], [], 0)[0]:  # closed before that
            os._exit(0)


def _bound(megabytes: int) -> None:
    """Limit memory and what is written; the alarm ends the process, whatever it is doing."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    memory = getattr(resource, "RLIMIT_DATA", resource.RLIMIT_AS)
    resource.setrlimit(memory, (megabytes * _MB, megabytes * _MB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))


def _private_bytes() -> int:
    """Memory of this process that counts against its limit; 0 where that cannot be told."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - at every job
            return int(file.read().split()[5]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _send(outbox: BinaryIO, parts: list[bytes]) -> None:
    for part in parts:
        outbox.write(part)
    outbox.flush()


def _forget_words() -> None:
    """Empty stderr, so that what is there when this process dies is about the job of then."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with suppress(OSError):
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
