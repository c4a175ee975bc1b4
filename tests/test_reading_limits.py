"""Files that break their reader, or take too much: each fails alone, with its reason."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.reading import Readers
from tests.test_reading import MISREAD, alive, good, job, until, whys

SLOW = "took longer than 2 s"
LARGE = "needed more than 200 MB"


@pytest.fixture(autouse=True)
def _misread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(MISREAD)


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(1, seconds=600, megabytes=200) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Readers]:
    with Readers(1, seconds=2) as made:
        yield made


@pytest.mark.parametrize("deed", ["sleep 1000", "spin"])
def test_what_takes_too_long_fails_alone(hasty: Readers, deed: str) -> None:
    good_1, bad, good_2 = hasty.read([good(1), job("bad.md", f"!{deed}\n"), good(2)])
    assert good_1.document
    assert good_2.document
    assert whys([bad]) == [SLOW]
    assert bad.error
    assert "read_seconds" in bad.error.remedy


@pytest.mark.parametrize(
    ("deed", "why", "setting"),
    [
        ("hoard", LARGE, "read_mb"),
        ("abort terminate called: std::bad_alloc", LARGE, "read_mb"),
        ("abort memory allocation of 12 bytes failed", LARGE, "read_mb"),
        ("segv", "made the reader crash (signal SEGV)", ""),
        ("rave", "made the reader crash (it answered nonsense)", ""),
        ("abort", "made the reader crash (signal ABRT)", "read_mb"),
        ("abort bad table", "made the reader crash (signal ABRT: bad table)", ""),
        ("exit 3", "made the reader crash (status 3)", ""),
        ("exit 0", "made the reader crash (status 0)", ""),
        ("leave 4", "made the reader fail (SystemExit: 4)", ""),
        ("nest", "is nested too deeply", ""),
        ("raise seven", r"made the reader fail (ValueError: invalid literal .* 'seven')", ""),
    ],
)
def test_it_alone_fails_and_says_why(readers: Readers, deed: str, why: str, setting: str) -> None:
    jobs = [good(1), job("bad.md", f"!{deed}\n"), *(good(n) for n in range(2, 30))]
    readings = list(readers.read(jobs))
    assert [r.path for r in readings] == [j.path for j in jobs]
    assert [bool(r.document) for r in readings] == [True, False] + [True] * 28
    error = readings[1].error
    assert error
    assert error.path == "bad.md"
    assert re.fullmatch(re.escape(why).replace(r"\.\*", ".*"), error.why)
    assert setting in error.remedy


def test_several_at_once_and_in_a_row(readers: Readers) -> None:
    deeds = ["segv", "hoard", "raise x", "segv", "", "abort x", "nest", "hoard", ""]
    jobs = [job(f"{n}.md", f"!{d}\n" if d else "tea") for n, d in enumerate(deeds)]
    readings = list(readers.read(jobs))
    assert [bool(r.document) for r in readings] == [not deed for deed in deeds]
    assert [why.split(" (")[0] for why in whys(readings)] == [
        "made the reader crash", LARGE, "made the reader fail", "made the reader crash", "",
        "made the reader crash", "is nested too deeply", LARGE, "",
    ]  # fmt: skip


def test_the_clock_runs_for_the_file_alone(hasty: Readers) -> None:
    """Neither for those before it, nor while nobody asks for readings."""
    jobs = [job(f"{n}.md", "!sleep 0.8\n\ntea") for n in range(4)]
    found = []
    for reading in hasty.read([*jobs, good(4)]):
        found.append(bool(reading.document))
        if len(found) == 1:
            time.sleep(3)
    assert found == [True] * 5


def test_what_it_started_ends_with_it(hasty: Readers, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    (reading,) = hasty.read([job("bad.md", f"!bear {note}\n")])
    assert whys([reading]) == [SLOW]
    until(lambda: not alive(int(note.read_text())))


def test_what_it_prints_goes_nowhere(readers: Readers, capfd: pytest.CaptureFixture[str]) -> None:
    jobs = [job("loud.md", "!shout\n\ntea"), job("bad.md", "!segv\n")]
    loud, bad = readers.read(jobs)
    assert loud.document
    assert whys([bad]) == ["made the reader crash (signal SEGV)"]
    assert capfd.readouterr() == ("", "")


def test_it_cannot_fill_the_disk(readers: Readers, tmp_path: Path) -> None:
    (reading,) = readers.read([job("bad.md", f"!fill {tmp_path / 'large'}\n")])
    assert "File too large" in whys([reading])[0]


def test_a_signal_of_the_terminal_does_not_reach_them(readers: Readers) -> None:
    assert next(readers.read([good(1)])).document
    (worker,) = readers._idle
    worker._process.send_signal(signal.SIGINT)
    assert next(readers.read([good(2)])).document
    assert readers._idle == [worker]


def test_one_that_was_killed_while_idle_is_replaced(readers: Readers) -> None:
    assert next(readers.read([good(1)])).document
    (worker,) = readers._idle
    worker._process.kill()
    worker._process.wait()
    assert next(readers.read([good(2)])).document
    assert readers._idle != [worker]
