"""Only regular files are opened, and none that is larger than may be read."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from indexer.safe import read_file, safe_open
from rag.errors import SourceError


def test_a_files_bytes_and_size(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"a\n\xff.md")
    file.write_bytes(b"tea\0\xff" * 999)
    assert read_file(file, "a.md") == b"tea\0\xff" * 999
    opened, size = safe_open(file, "a.md", size := 999 * 5)
    with opened:
        assert (size, opened.read(3)) == (999 * 5, b"tea")
        assert os.get_inheritable(opened.fileno()) is False


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert read_file(tmp_path / "a", "a") == b""


def special(folder: Path, kind: str) -> Path:
    path = folder / kind
    if kind == "a link":
        (folder / "target").write_text("tea")
        path.symlink_to("target")
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as bound:
            bound.bind(kind)
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root makes devices")
    return path


@pytest.mark.parametrize("kind", ["a link", "a folder", "a pipe", "a socket", "a device"])
def test_what_is_no_file_is_named(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_file(special(tmp_path, kind), "docs/a.md")
    assert str(caught.value) == f"docs/a.md: is {kind}. Only regular files are read"


def test_what_is_not_there_or_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^a\.md: No such file or directory$"):
        read_file(tmp_path / "gone", "a.md")
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"^a\.md: Not a directory$"):
        read_file(tmp_path / "file" / "below", "a.md")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "locked").touch(0)
    with pytest.raises(SourceError, match=r"^a\.md: Permission denied$"):
        read_file(tmp_path / "locked", "a.md")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as opened:
        opened.truncate(10 << 30)
    with pytest.raises(SourceError, match=r"has 10,240 MB, more than may be read \(512 MB\)"):
        read_file(file, "a.md")
    with file.open("wb") as opened:
        opened.truncate(3 << 20)
    assert len(read_file(file, "a.md", 3 << 20)) == 3 << 20
    with pytest.raises(SourceError, match=r"more than may be read \(3 MB\).* read_mb"):
        read_file(file, "a.md", (3 << 20) - 1)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs files that hide their size")
def test_what_grows_while_it_is_read_is_read_to_its_end_or_refused() -> None:
    file = Path("/proc/self/maps")
    assert file.stat().st_size == 0
    assert b"[stack]" in read_file(file, "a.md")
    with pytest.raises(SourceError, match="more than may be read"):
        read_file(file, "a.md", 100)
