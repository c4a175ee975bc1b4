"""What is not backed up, and what is not restored."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from rag.errors import BadQuery, CollectionLocked, CorruptIndex, IncompatibleIndex, SourceError
from rag.index import Collection, backup
from rag.index.backup import HEAD, SUMS, back_up, restore
from rag.index.catalog import FORMAT
from tests.support.collections import found
from tests.support.corpus import row
from tests.test_backup import filled, names, opened, target

__all__ = ["filled", "target"]


class TestRefused:
    def test_a_collection_that_is_there_unless_it_is_to_be_replaced(
        self, filled: Collection, place: Path, target: Path
    ) -> None:
        back_up(place, target)
        filled.upsert([row("new", "omega")])
        with pytest.raises(BadQuery, match=r"a collection 'collection' already.*--force"):
            restore(target, place)
        assert found(filled, "omega") == ["omega"]
        restore(target, place, force=True)
        assert filled.replaced
        other = opened(place)
        assert found(other, "omega") == []
        assert names(place.parent) == ["collection", "out"]
        other.close()

    def test_one_that_is_being_written(
        self, filled: Collection, place: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backup, "_LEASE", 0.0)
        back_up(place, target)
        with filled.writing(), pytest.raises(CollectionLocked):
            restore(target, place, force=True)
        assert not filled.replaced
        assert names(place.parent) == ["collection", "out"]

    def test_a_damaged_collection_is_not_backed_up(
        self, filled: Collection, place: Path, target: Path
    ) -> None:
        file = next((place / "segments").glob("*/rows.npy"))
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(CorruptIndex) as e:
            back_up(place, target)
        assert e.value.file == file
        file.unlink()
        with pytest.raises(CorruptIndex) as e:
            back_up(place, target)
        assert e.value.file == file
        assert names(target.parent) == []

    def test_another_file_is_neither_overwritten_nor_restored(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        target.write_text("my notes")
        with pytest.raises(SourceError, match="is no backup of a collection"):
            back_up(place, target)
        with pytest.raises(SourceError, match="is no backup of a collection"):
            restore(target, tmp_path / "again")
        with pytest.raises(SourceError, match="No such file"):
            restore(tmp_path / "none.tar", tmp_path / "again")
        assert target.read_text() == "my notes"
        assert not (tmp_path / "again").exists()

    def test_a_damaged_backup_at_every_part(
        self, filled: Collection, place: Path, target: Path, tmp_path: Path
    ) -> None:
        back_up(place, target)
        whole = target.read_bytes()
        with tarfile.open(target) as tar:
            data = [(m.offset_data, m.size) for m in tar if m.size]
        cuts = [whole[: at + size // 2] for at, size in data]
        flips = [
            whole[: at + size // 2]
            + bytes([whole[at + size // 2] ^ 1])
            + whole[at + size // 2 + 1 :]
            for at, size in data
        ]
        ends = [whole[: at - 512] for at, _ in data]  # nothing of a member, and no end of the tar
        for damaged in (*cuts, *flips, *ends):
            target.write_bytes(damaged)
            with pytest.raises((SourceError, IncompatibleIndex)):
                restore(target, tmp_path / "again")
            assert not (tmp_path / "again").exists()
        assert names(tmp_path) == ["collection", "out"]

    @pytest.mark.parametrize(
        "name", ["../out", "/etc/out", "segments/../../out", "segments/x/out", "writer.lock", "a/b"]
    )
    def test_members_that_belong_elsewhere(self, tmp_path: Path, name: str) -> None:
        self.refused(tmp_path, tarfile.TarInfo(name))

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
    def test_members_that_are_no_plain_files(self, tmp_path: Path, kind: bytes) -> None:
        member = tarfile.TarInfo("query-log.jsonl")
        member.type, member.linkname = kind, "/etc/passwd"
        self.refused(tmp_path, member)

    def refused(self, tmp_path: Path, member: tarfile.TarInfo) -> None:
        with tarfile.open(tmp_path / "evil.tar", "w") as tar:
            head = json.dumps({"saem-backup": 1, "format": FORMAT}).encode()
            for info, data in ((tarfile.TarInfo(HEAD), head), (member, b""),
                               (tarfile.TarInfo(SUMS), b"{}")):  # fmt: skip
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        with pytest.raises(SourceError, match=r"is damaged \(it holds "):
            restore(tmp_path / "evil.tar", tmp_path / "home" / "again")
        assert names(tmp_path) == ["evil.tar", "home"]
        assert names(tmp_path / "home") == []

    def test_another_format(self, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "old.tar", "w") as tar:
            head = json.dumps({"saem-backup": 1, "format": 1}).encode()
            info = tarfile.TarInfo(HEAD)
            info.size = len(head)
            tar.addfile(info, io.BytesIO(head))
        with pytest.raises(IncompatibleIndex, match=f"backup format is 1, this is {FORMAT}"):
            restore(tmp_path / "old.tar", tmp_path / "again")
