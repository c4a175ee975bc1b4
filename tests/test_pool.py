"""Work in several processes: in order, a little ahead, errors whole, nobody left behind."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.pool import ordered
from rag.errors import CollectionLocked, Overloaded, RagError, SourceError


def uneven(n: int) -> tuple[int, int]:
    """``n``, later for every third, and the process's id."""
    time.sleep(0.02 if n % 3 == 0 else 0)
    return n, os.getpid()


def fail(n: int) -> int:
    if n == 2:
        raise SourceError("a.md", "no UTF-8", 3, remedy="Convert it")
    if n == 3:
        raise Overloaded("8 are waiting", 2.5)
    if n == 4:
        raise CollectionLocked(Path("/data/docs"), "process 41")
    return n


def double(n: int) -> int:
    return 2 * n


class Counted:
    """Numbers, and how many have been taken."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for n in range(self.count):
            self.taken += 1
            yield n


def test_in_order_by_other_processes() -> None:
    found = list(ordered(uneven, range(30), 2))
    assert [n for n, _ in found] == list(range(30))
    workers = {pid for _, pid in found}
    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2
    assert multiprocessing.active_children() == []


def test_one_process_is_this_one_and_lazy() -> None:
    items = Counted(5)
    results = ordered(uneven, items, 1)
    assert items.taken == 0
    assert next(results) == (0, os.getpid())
    assert items.taken == 1
    assert [n for n, _ in results] == [1, 2, 3, 4]


def test_takes_but_a_few_items_ahead_and_stops_when_nobody_listens() -> None:
    items = Counted(1000)
    results = ordered(double, items, 2)
    for n in range(10):
        assert next(results) == 2 * n
        assert items.taken <= n + 1 + 2 + 2
    results.close()  # type: ignore[attr-defined]
    assert items.taken <= 14
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (2, SourceError("a.md", "no UTF-8", 3, remedy="Convert it")),
        (3, Overloaded("8 are waiting", 2.5)),
        (4, CollectionLocked(Path("/data/docs"), "process 41")),
    ],
)
def test_errors_come_over_whole(processes: int, first: int, expected: RagError) -> None:
    results = ordered(fail, [0, 1, first, 0], processes)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(type(expected)) as caught:
        next(results)
    assert str(caught.value) == str(expected)
    assert vars(caught.value) == vars(expected)
    assert multiprocessing.active_children() == []


def test_an_error_of_the_items_ends_the_processes_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise SourceError("b.md", "is gone")

    with pytest.raises(SourceError, match=r"b\.md: is gone"):
        list(ordered(double, items(), 2))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("processes", [1, 2])
def test_no_items(processes: int) -> None:
    assert list(ordered(double, [], processes)) == []


def test_a_killed_process_is_told_in_a_line() -> None:
    with pytest.raises(RagError, match="was killed, most likely for want of memory") as caught:
        list(ordered(os._exit, [1, 2, 3], 2))
    assert "again" in caught.value.remedy
    assert multiprocessing.active_children() == []
