"""Work in several processes, results in order. Knows not what the work is."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from rag.errors import RagError

T = TypeVar("T")
R = TypeVar("R")


def ordered(work: Callable[[T], R], items: Iterable[T], processes: int) -> Iterator[R]:
    """``work`` of each item, in order, by so many processes; in this one if there is but one.

    A few items more than there are processes are under way at a time, so what waits stays small.
    Several processes begin afresh: the program must be one that others can import.

    Raises
    ------
    RagError
        One of the processes was killed.
    """
    if processes < 2:
        yield from map(work, items)
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > processes + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as e:
            raise RagError(
                "a process that read files was killed, most likely for want of memory",
                remedy="Run it again: it goes on where it stopped",
            ) from e
        finally:
            for future in waiting:
                future.cancel()
