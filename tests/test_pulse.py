"""What tells readers of a commit: through a map of a file, or else by the clock."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rag.index.pulse import Pulse


def test_all_who_map_the_file_see_a_beat(tmp_path: Path) -> None:
    one, other = Pulse(tmp_path / "generation"), Pulse(tmp_path / "generation")
    before, _ = other.seen()
    one.beat(7)
    assert other.seen()[0] != before
    assert other.seen()[0] == one.seen()[0] == (7).to_bytes(8, "little")


def test_on_a_full_disk_nothing_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map of a hole kills the process that writes to it when there is no room."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as m:
        m.setattr(os, "pwrite", full)
        pulse = Pulse(tmp_path / "generation")
    before = pulse.seen()
    pulse.beat(7)
    assert pulse.seen() != before
    assert (tmp_path / "generation").read_bytes() == b""
