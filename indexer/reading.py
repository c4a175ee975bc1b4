"""Files read by processes that can be killed: one that breaks its reader, or takes too long or too
much memory, fails alone.

Knows neither formats nor the index.
"""

from __future__ import annotations

import select
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from threading import Lock
from types import TracebackType

from indexer.jobs import Job, Reading
from indexer.worker import Task, Worker
from rag.errors import RagError

__all__ = ["Job", "Readers", "Reading"]

_AHEAD = 16
"""Jobs given to a process before the first of them is done."""
_HELD = 64_000_000
"""Characters that may be read before their turn; until they are asked for, nothing is begun."""
_LONGEST = 60.0
"""Seconds of one wait."""


class Readers:
    """Processes that read files. They start when needed, are kept, and replaced when killed.

    Several threads may read at once, each by processes of its own; as many as one may have are
    kept for the next. Close it, or use it as a context.

    Parameters
    ----------
    workers
        How many processes read at a time.
    seconds, megabytes
        What one file may take; it fails alone when it takes more.
    """

    def __init__(self, workers: int = 1, seconds: float = 30, megabytes: int = 512) -> None:
        self._workers = max(1, workers)
        self._seconds = seconds
        self._megabytes = megabytes
        self._idle: list[Worker] = []
        self._lock = Lock()
        self._closed = False
        self._finalizer = weakref.finalize(self, _end, self._idle)

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; those that are still at work end with their readings."""
        with self._lock:
            self._closed = True
            self._finalizer()

    def read(self, jobs: Iterable[Job]) -> Iterator[Reading]:
        """What becomes of each job, in order.

        Takes but some jobs more than were asked for, and the next ones while they are under way.

        Raises
        ------
        RagError
            The processes do not even start.
        """
        crew: list[Worker] = []
        try:
            yield from self._read(enumerate(jobs), crew)
        finally:
            self._dismiss(crew)

    def _read(self, jobs: Iterator[tuple[int, Job]], crew: list[Worker]) -> Iterator[Reading]:
        waiting: deque[Task] = deque()
        done: dict[int, Reading] = {}
        taken = given = 0
        more = True
        while more or given < taken:
            room = taken - given < self._workers * _AHEAD and _size(done) < _HELD
            if not waiting and more and room:
                job = next(jobs, None)
                if job is None:
                    more = False
                    continue
                waiting.append(Task(*job))
                taken += 1
            worker = self._choose(crew) if waiting else None
            if worker:
                worker.give(waiting.popleft())
            _attend(crew, patient=bool(waiting) or not (more and room))
            for dead in [w for w in crew if w.dead]:
                crew.remove(dead)
                waiting.extendleft(reversed(dead.bury()))
                done.update(dead.readings)
            for worker in crew:
                done.update(worker.readings)
                worker.readings.clear()
            while given in done:
                yield done.pop(given)
                given += 1
                for worker in crew:
                    worker.listened()

    def _choose(self, crew: list[Worker]) -> Worker | None:
        """Who is to have the next job; nobody, while all are about to leave."""
        there = [worker for worker in crew if worker.takes]
        least = min(there, key=lambda w: len(w.tasks), default=None)
        if len(crew) == self._workers or (least and not least.tasks):
            return least
        crew.append(self._hire())
        return crew[-1]

    def _hire(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.takes:
                    return worker
                worker.end()
        try:
            return Worker(self._seconds, self._megabytes)
        except OSError as e:
            raise RagError(f"a process that reads files cannot be started: {e}") from e

    def _dismiss(self, crew: list[Worker]) -> None:
        """Keep those that wait for jobs, as many as may be kept, and end the others."""
        for worker in crew:
            with self._lock:
                room = not self._closed and len(self._idle) < self._workers
                keep = room and worker.takes and not worker.tasks
                if keep:
                    self._idle.append(worker)
            if not keep:
                worker.end()


def _attend(crew: list[Worker], *, patient: bool) -> None:
    """Write what can be written and take what was said; ``patient``: wait until there is some."""
    waits = select.poll()
    by_number = {}
    for worker in crew:
        waits.register(worker.output, select.POLLIN)
        by_number[worker.output] = worker.hear
        if worker.input is not None:
            waits.register(worker.input, select.POLLOUT)
            by_number[worker.input] = worker.write
    deadline = min((worker.deadline for worker in crew), default=0.0)
    left = max(0.0, deadline - time.monotonic()) if patient else 0.0
    for number, _ in waits.poll(min(left, _LONGEST) * 1000):
        by_number[number]()
    for worker in crew:
        worker.dead = worker.dead or time.monotonic() >= worker.deadline


def _size(done: dict[int, Reading]) -> int:
    return sum(len(r.document.text) for r in done.values() if r.document)


def _end(workers: list[Worker]) -> None:
    while workers:
        workers.pop().end()
