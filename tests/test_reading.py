"""Files read by other processes: each job's reading, in order, whatever happens to the others."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.readers import read
from indexer.reading import Job, Readers, Reading
from rag.errors import RagError
from tests.support import misread

MISREAD = str(Path(misread.__path__[0]))


@pytest.fixture(autouse=True)
def _misread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children do as their files say."""
    monkeypatch.syspath_prepend(MISREAD)


@pytest.fixture
def readers() -> Iterator[Readers]:
    with Readers(2, seconds=60) as made:
        yield made


def job(name: str, text: str, **fields: str) -> Job:
    return Job(f"file:///{name}", name, data=text.encode(), **fields)


def good(number: int) -> Job:
    return job(f"{number}.md", f"# Tea {number}\n\nGreen tea, cup {number}.\n\n- 차\n- 茶\n")


def whys(readings: list[Reading]) -> list[str]:
    return [reading.error.why if reading.error else "" for reading in readings]


def test_in_order_and_as_the_reader_itself_gives_them(readers: Readers) -> None:
    jobs = [good(n) for n in range(200)]
    for given, reading in zip(jobs, readers.read(jobs), strict=True):
        assert given.data is not None
        direct = read(given.data, uri=given.uri, path=given.path)
        sha256 = hashlib.sha256(given.data).hexdigest()
        assert reading == Reading(
            given.uri, given.path, direct.document, sha256, notes=direct.notes,
            verbatim=direct.verbatim,
        )  # fmt: skip


def test_files_are_opened_by_the_child(readers: Readers, tmp_path: Path) -> None:
    name = os.fsdecode(b"a\nb\xff.md")
    file = tmp_path / name
    file.write_text("# 차\n\n녹차\n", "utf-8")
    (reading,) = readers.read([Job(file.as_uri(), name, file)])
    assert reading.document
    assert (reading.document.text, reading.uri, reading.path) == (
        "# 차\n\n녹차\n", file.as_uri(), name,
    )  # fmt: skip


def test_known_bytes_are_not_read_again(readers: Readers) -> None:
    text = "!raise nothing, for it is not read\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert next(readers.read([job("a.md", text, sha256=sha256), good(1)])) == Reading(
        "file:///a.md", "a.md", sha256=sha256, same=True
    )


def test_what_is_empty_unknown_or_gone(readers: Readers, tmp_path: Path) -> None:
    binary = b"\x93NUMPY" + bytes(range(256)) * 9
    with (tmp_path / "large.md").open("wb") as file:
        file.truncate(1 << 40)
    readings = list(
        readers.read(
            [
                job("empty.md", ""),
                job("blank.txt", "\ufeff \r\n\t"),
                Job("file:///x", "x.npy", data=binary),
                Job("file:///gone.md", "gone.md", tmp_path / "gone.md"),
                Job("file:///folder.md", "folder.md", tmp_path),
                Job("file:///large.md", "large.md", tmp_path / "large.md"),
                good(6),
            ]
        )
    )
    assert [r.path for r in readings if r.empty] == ["empty.md", "blank.txt"]
    assert [r.path for r in readings if r.unknown] == ["x.npy"]
    assert [r.path for r in readings if r.unread] == ["gone.md"]
    assert [r.error.path for r in readings if r.error] == [r.path for r in readings[:6]]
    assert whys(readings)[3:5] == ["No such file or directory", "is a folder"]
    assert readings[2].sha256 == hashlib.sha256(binary).hexdigest()
    assert readings[3].sha256 == ""


def test_no_jobs(readers: Readers) -> None:
    assert list(readers.read([])) == []


def test_large_ones_both_ways_at_once(readers: Readers) -> None:
    paragraph = "Words of 차 and 茶 in rows that go on for a while, and then no more.\n"
    texts = [f"# {n}\n\n" + paragraph * 60_000 for n in range(6)]
    jobs = [job(f"{n}.txt", text) for n, text in enumerate(texts)]
    for reading, text in zip(readers.read(jobs), texts, strict=True):
        assert reading.document
        assert reading.document.text.strip() == text.strip()


def test_takes_but_some_jobs_ahead_and_stops_when_nobody_listens(readers: Readers) -> None:
    taken = []

    def jobs() -> Iterator[Job]:
        for n in range(1000):
            taken.append(n)
            yield good(n)

    readings = readers.read(jobs())
    for n in range(10):
        assert next(readings).path == f"{n}.md"
        assert len(taken) <= n + 40
    readings.close()  # type: ignore[attr-defined]
    assert len(taken) < 60
    assert next(readers.read([good(7)])).path == "7.md"


def test_an_error_of_the_jobs_passes(readers: Readers) -> None:
    def jobs() -> Iterator[Job]:
        yield good(1)
        raise RagError("no more")

    with pytest.raises(RagError, match="no more"):
        list(readers.read(jobs()))
    assert next(readers.read([good(7)])).document


def test_several_threads_at_once(readers: Readers) -> None:
    found: dict[int, list[str]] = {}

    def work(first: int) -> None:
        found[first] = [r.path for r in readers.read([good(first + n) for n in range(50)])]

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {100 * n: [f"{100 * n + i}.md" for i in range(50)] for n in range(4)}


def test_processes_outlive_the_thread_that_started_them() -> None:
    with Readers() as readers:
        thread = threading.Thread(target=lambda: list(readers.read([good(1)])))
        thread.start()
        thread.join()
        before = children()
        assert next(readers.read([good(2)])).document
        assert children() == before != set()
    assert children() == set()


def test_a_process_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import indexer.readers\nindexer.readers.read = 0")
    (tmp_path / "json.py").write_text("raise ValueError('no json today')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Readers() as readers, pytest.raises(RagError, match=r"does not start: .*no json today"):
        next(readers.read([good(1)]))


def test_a_process_that_cannot_be_started_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    with Readers() as readers, pytest.raises(RagError, match=r"cannot be started: .*No such file"):
        next(readers.read([good(1)]))


PARENT = """
import sys, time
sys.path[:0] = {path!r}
from indexer.reading import Job, Readers
readers = Readers(2)
jobs = [Job("file:///" + n, n, data=b"!bear " + n.encode()) for n in sys.argv[1:]]
list(readers.read(jobs))
"""


def test_children_end_with_their_parent_even_when_busy(tmp_path: Path) -> None:
    notes = [tmp_path / "1", tmp_path / "2"]
    script = PARENT.format(path=[MISREAD, str(Path(read.__code__.co_filename).parents[2])])
    parent = subprocess.Popen([sys.executable, "-c", script, *map(str, notes)])
    until(lambda: all(note.exists() and note.read_text().strip() for note in notes))
    family = children(parent.pid) | {int(note.read_text()) for note in notes}
    assert len(family) == 4
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not any(map(alive, family)))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children(of: int | None = None) -> set[int]:
    return {
        int(pid)
        for task in Path(f"/proc/{of or os.getpid()}/task").iterdir()
        for pid in (task / "children").read_text().split()
        if b"reading_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    }


def until(true: object) -> None:
    """Wait for what is to happen soon; it is a failure if it does not within a minute."""
    assert callable(true)
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
