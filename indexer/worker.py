"""A process that reads files: started, given jobs, listened to, and killed when it must be.

Knows not which jobs there are, nor in which order their readings are wanted.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from indexer.jobs import Job, Reading, pack_job, split_frames, too_much_memory, unpack_reading
from rag.errors import RagError, SourceError

_MB = 1 << 20
_PIPE = 1 * _MB
"""Bytes of readings that may wait while nobody listens."""
_GRACE = 5.0
"""Seconds more than a file may take after which a process that ought to have ended is killed."""
_START = 60.0
_WORDS = 200
"""Characters of a process's last words that people are shown."""
_NO_MEMORY = ("MemoryError", "bad_alloc", "memory allocation of", "Cannot allocate memory")
_STARVED = (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL)
"""How native code ends, or is ended, that gets no memory."""
_LARGER = "Leave it out, or raise the setting read_mb if memory was short"
_SLOWER = "Leave it out, or raise the setting read_seconds"


@dataclass(frozen=True, slots=True)
class Task:
    """A job and its place in the row."""

    number: int
    job: Job


class Worker:
    """One process. It reads its jobs in order; `readings` are what has come of them.

    Parameters
    ----------
    seconds, megabytes
        What one file may take.
    """

    def __init__(self, seconds: float, megabytes: int) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        life, self._life = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "indexer.reading_child",
                 str(life), str(seconds), str(megabytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                bufsize=0,
                pass_fds=(life,),
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us; what it starts ends with it
            )  # fmt: skip
        except OSError:
            os.close(self._life)
            raise
        finally:
            os.close(life)
        self._stdin = cast(IO[bytes], self._process.stdin).fileno()
        self.output = cast(IO[bytes], self._process.stdout).fileno()
        os.set_blocking(self._stdin, False)
        with suppress(AttributeError, OSError):
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, _PIPE)
        self._outgoing: deque[memoryview] = deque()
        self._incoming = bytearray()
        self._ready = self._leaving = self._raves = False
        self.dead = False
        self._heard = time.monotonic()
        self.tasks: deque[Task] = deque()
        self.readings: list[tuple[int, Reading]] = []

    @property
    def input(self) -> int | None:
        """The descriptor to which something waits to be written."""
        return self._stdin if self._outgoing else None

    @property
    def takes(self) -> bool:
        """Whether it is there for further jobs."""
        return not self._leaving and self._process.poll() is None

    @property
    def deadline(self) -> float:
        """When it is given up if nothing is heard of it until then, in monotonic seconds."""
        if not self.tasks:
            return float("inf")
        return self._heard + (self._seconds + _GRACE if self._ready else _START)

    def give(self, task: Task) -> None:
        if not self.tasks:
            self.listened()
        self.tasks.append(task)
        self._outgoing += map(memoryview, filter(None, pack_job(task.job)))
        self.write()

    def listened(self) -> None:
        """Count its silence from now on: so far, nobody listened."""
        self._heard = time.monotonic()

    def write(self) -> None:
        """Write what the pipe takes now."""
        try:
            while self._outgoing:
                written = os.write(self._stdin, self._outgoing[0])
                self._heard = time.monotonic()
                rest = self._outgoing.popleft()[written:]
                if rest:
                    self._outgoing.appendleft(rest)
        except BlockingIOError:
            pass
        except BrokenPipeError:  # it is ending, which is heard on the other pipe
            self._outgoing.clear()

    def hear(self) -> None:
        """Take what it says; it is ``dead`` if that is the end, or makes no sense."""
        data = os.read(self.output, _PIPE)
        self._heard = time.monotonic()
        self._incoming += data
        try:
            split_frames(self._incoming, self._megabytes * _MB, self._take)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            self.dead = self._raves = True
        self.dead = self.dead or not data

    def bury(self) -> list[Task]:
        """End it, blame the file that was under way, and give the other tasks back.

        Raises
        ------
        RagError
            It did not even start.
        """
        overdue = time.monotonic() >= self.deadline
        status, words = self.end()
        if self._leaving:
            return list(self.tasks)
        if not self._ready:
            raise RagError(
                f"the process that reads files does not start: {words or f'status {status}'}",
                remedy="Check the installation",
            )
        if self.tasks:
            task = self.tasks.popleft()
            error = self._blame(task.job, -signal.SIGALRM if overdue else status, words)
            self.readings.append((task.number, Reading(task.job.uri, task.job.path, error=error)))
        return list(self.tasks)

    def end(self) -> tuple[int, str]:
        """Kill it and all that it started; its status, and what it said last."""
        if self._process.poll() is None or self._process.returncode:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # it may be deep in a file system that is gone
            self._process.wait(_GRACE)
        words = _last_line(self._words)
        self._words.close()
        os.close(self._life)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.returncode or 0, words

    def _take(self, header: Any, body: bytes) -> None:  # noqa: ANN401 - as JSON has it
        if not self._ready:
            self._ready = True
            return
        task = self.tasks[0]
        reading, self._leaving = unpack_reading(task.job, header, body)
        self.readings.append((task.number, reading))
        self.tasks.popleft()

    def _blame(self, job: Job, status: int, words: str) -> SourceError:
        if status == -signal.SIGALRM:
            why = f"took longer than {self._seconds:g} s"
            return SourceError(job.path, why, remedy=_SLOWER)
        if any(sign in words for sign in _NO_MEMORY):
            return too_much_memory(job.path, self._megabytes)
        what = f"status {status}"
        if self._raves:
            what = "it answered nonsense"
        elif status < 0:
            what = f"signal {signal.Signals(-status).name.removeprefix('SIG')}"
        why = f"made the reader crash ({what}{': ' if words else ''}{words})"
        starved = not words and not self._raves and -status in _STARVED
        return SourceError(job.path, why, remedy=_LARGER if starved else "Leave it out")


def _environment() -> dict[str, str]:
    """Ours, such that the process imports what we would, and no library starts threads."""
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_THREAD_LIMIT"), "1")
    return os.environ | one | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8:replace"}


def _last_line(file: IO[bytes]) -> str:
    size = os.fstat(file.fileno()).st_size
    said = os.pread(file.fileno(), 4096, max(0, size - 4096)).decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    return lines[-1][:_WORDS] if lines else ""
