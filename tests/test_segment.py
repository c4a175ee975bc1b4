"""A segment is whole or refused."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import CorruptIndex
from rag.index import segment

ARRAYS: dict[str, NDArray[Any]] = {
    "rows": np.array([3, 5, 9], np.int64),
    "ids": np.arange(48, dtype=np.uint8).reshape(3, 16),
    "vectors": np.arange(12, dtype=np.float16).reshape(3, 4),
    "terms": np.frombuffer("a한국".encode(), np.uint8),
    "empty": np.empty(0, np.uint32),
}


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    folder = tmp_path / "segments" / "1"
    return folder, segment.write(folder, ARRAYS)


def flip_first(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 0x80])


def truncate(data: bytes) -> bytes:
    return data[:-1]


def grow(data: bytes) -> bytes:
    return data + b"\0"


class TestRoundTrip:
    def test_arrays_come_back_equal_with_their_types(
        self, written: tuple[Path, dict[str, str]]
    ) -> None:
        found = segment.read(*written)
        assert set(found) == set(ARRAYS)
        for name, array in ARRAYS.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found[name], array)

    def test_the_manifest_names_every_file_and_nothing_else_stays(
        self, written: tuple[Path, dict[str, str]]
    ) -> None:
        folder, manifest = written
        assert {f.name for f in folder.iterdir()} == set(manifest)
        assert [f.name for f in folder.parent.iterdir()] == ["1"]
        assert segment.size(folder) == sum(f.stat().st_size for f in folder.iterdir())

    def test_arrays_cannot_be_written_and_large_ones_are_mapped(
        self, written: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = segment.read(*written)
        assert not isinstance(found["vectors"].base, np.memmap)
        monkeypatch.setattr(segment, "_SMALL", 0)
        mapped = segment.read(*written)
        assert isinstance(mapped["vectors"].base, np.memmap)
        for arrays in (found, mapped):
            with pytest.raises(ValueError, match="read-only"):
                arrays["vectors"][0, 0] = 1
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(arrays[name], array)
                assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)

    def test_what_a_writer_that_died_left_under_the_name_is_replaced(
        self, written: tuple[Path, dict[str, str]]
    ) -> None:
        manifest = segment.write(written[0], {"rows": np.arange(2)})
        assert {f.name for f in written[0].iterdir()} == {"rows.npy"}
        assert segment.read(written[0], manifest)["rows"].tolist() == [0, 1]


class TestDamage:
    @pytest.mark.parametrize("name", [f"{n}.npy" for n in ARRAYS])
    @pytest.mark.parametrize("damage", [flip_first, flip_last, truncate, grow, lambda _: b""])
    @pytest.mark.parametrize("small", [0, 1 << 16])
    def test_a_changed_file_is_named(
        self,
        written: tuple[Path, dict[str, str]],
        name: str,
        damage: Callable[[bytes], bytes],
        small: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(segment, "_SMALL", small)
        folder, manifest = written
        file = folder / name
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(CorruptIndex, match="checksum") as e:
            segment.read(folder, manifest)
        assert e.value.file == file

    @pytest.mark.parametrize("name", [f"{n}.npy" for n in ARRAYS])
    def test_a_deleted_file_is_named(self, written: tuple[Path, dict[str, str]], name: str) -> None:
        folder, manifest = written
        (folder / name).unlink()
        with pytest.raises(CorruptIndex) as e:
            segment.read(folder, manifest)
        assert e.value.file == folder / name

    def test_a_deleted_folder_is_told(self, written: tuple[Path, dict[str, str]]) -> None:
        folder, manifest = written
        shutil.rmtree(folder)
        with pytest.raises(CorruptIndex):
            segment.read(folder, manifest)


class TestOtherFiles:
    """Files that are no arrays, as an index over vectors."""

    def test_are_compared_with_their_checksums(self, written: tuple[Path, dict[str, str]]) -> None:
        folder, manifest = written
        file = folder / "flat.faiss"
        file.write_bytes(b"an index")
        with pytest.raises(CorruptIndex, match="checksum") as e:
            segment.check(folder, manifest | {file.name: "0" * 64})
        assert e.value.file == file
        segment.check(folder, manifest | {file.name: hashlib.sha256(b"an index").hexdigest()})
        file.unlink()
        with pytest.raises(CorruptIndex):
            segment.check(folder, {file.name: "0" * 64})


class TestNothingIsUnpickled:
    def test_an_object_array_is_not_written(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="allow_pickle"):
            segment.write(tmp_path / "1", {"rows": np.array([{}], object)})
        assert not (tmp_path / "1").exists()

    def test_an_object_array_is_not_read_even_with_the_right_checksum(self, tmp_path: Path) -> None:
        manifest = segment.write(tmp_path / "1", {"rows": np.arange(3)})
        file = tmp_path / "1" / "rows.npy"
        np.save(file, np.array([{}], object), allow_pickle=True)
        manifest["rows.npy"] = segment._sha256(file)
        with pytest.raises(CorruptIndex) as e:
            segment.read(tmp_path / "1", manifest)
        assert e.value.file == file

    def test_an_empty_file_with_the_right_checksum(self, tmp_path: Path) -> None:
        manifest = segment.write(tmp_path / "1", {"rows": np.arange(3)})
        file = tmp_path / "1" / "rows.npy"
        file.write_bytes(b"")
        manifest["rows.npy"] = segment._sha256(file)
        with pytest.raises(CorruptIndex):
            segment.read(tmp_path / "1", manifest)


def test_what_a_dead_writer_left_is_replaced(tmp_path: Path) -> None:
    left = tmp_path / ".1.tmp"
    left.mkdir()
    (left / "rows.npy").write_bytes(b"half")
    (left / "other.npy").write_bytes(b"half")
    manifest = segment.write(tmp_path / "1", ARRAYS)
    assert {f.name for f in (tmp_path / "1").iterdir()} == set(manifest)
    assert not left.exists()
    np.testing.assert_array_equal(segment.read(tmp_path / "1", manifest)["rows"], [3, 5, 9])


def test_a_failing_disk_leaves_no_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    for n in range(len(ARRAYS) + 2):
        left = itertools.count()

        def fail(descriptor: int, n: int = n, left: Iterator[int] = left) -> None:
            if next(left) == n:
                raise OSError(errno.EIO, "Input/output error")
            real(descriptor)

        folder = tmp_path / str(n)
        with monkeypatch.context() as m:
            m.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="Input/output"):
                segment.write(folder, ARRAYS)
        last = n == len(ARRAYS) + 1  # it stands, but who wrote it was told that it may not
        assert folder.exists() == last
    manifest = segment.write(tmp_path / "0", ARRAYS)
    assert set(segment.read(tmp_path / "0", manifest)) == set(ARRAYS)
