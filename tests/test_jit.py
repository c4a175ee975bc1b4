"""Where compiled code is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from rag import jit


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_of_the_user_alone_is_used_again(temporary: Path) -> None:
    folder = jit._temporary()
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    assert jit._temporary() == folder


def test_one_that_others_could_have_written_into_is_not(temporary: Path) -> None:
    """What numba finds there it unpickles."""
    folder = jit._temporary()
    folder.chmod(0o777)
    assert jit._temporary() != folder


def test_nor_a_link(temporary: Path) -> None:
    folder = jit._temporary()
    folder.rmdir()
    folder.symlink_to(temporary)
    assert jit._temporary() != folder
