from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer import sync as sync_module
from rag.errors import CollectionLocked, SourceError
from rag.workspace import Workspace
from tests.support import docs


def paths(saem: Workspace) -> list[str]:
    return [d.path for d in saem.collection().documents()]


def found(saem: Workspace, query: str) -> list[str]:
    return [h.chunk.path for h in saem.searcher().search(query, mode="bm25").hits]


def touch(file: Path) -> None:
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def test_first_run_indexes_every_file(saem: Workspace) -> None:
    assert paths(saem) == sorted(docs.FILES)
    by_path = {d.path: d for d in saem.collection().documents()}
    assert by_path["ko/cors.md"].language == "ko"
    assert by_path["en/cors.md"].language == "en"
    assert by_path["en/cors.md"].title == "CORS"
    for path, known in by_path.items():
        assert saem.collection().text(known.id) == docs.FILES[path]


def test_second_run_reads_nothing(
    saem: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not_run(*_: object) -> bytes:
        raise AssertionError("an unchanged file was read")

    monkeypatch.setattr(Path, "read_bytes", must_not_run)
    generation = saem.collection().generation
    report = docs.index(saem, folder)
    assert (report.unchanged, report.added, report.changed, report.removed) == (5, 0, 0, 0)
    assert saem.collection().generation == generation


def test_a_touched_file_is_read_but_not_indexed_again(
    saem: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(folder / "notes.txt")
    monkeypatch.setattr(sync_module, "read", None)
    assert docs.index(saem, folder).unchanged == 5
    monkeypatch.setattr(Path, "read_bytes", None)
    assert docs.index(saem, folder).unchanged == 5


def test_changed_new_and_deleted_files(saem: Workspace, folder: Path) -> None:
    (folder / "notes.txt").write_text("The spare key is behind the mirror.")
    (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.")
    (folder / "en/tea.md").unlink()
    report = docs.index(saem, folder)
    assert (report.changed, report.added, report.removed, report.unchanged) == (1, 1, 1, 3)
    assert found(saem, "mirror") == ["notes.txt"]
    assert found(saem, "flower pot") == []
    assert found(saem, "espresso") == ["new.md"]
    assert found(saem, "brewed") == []


def test_another_folder_is_left_alone(saem: Workspace, folder: Path, tmp_path: Path) -> None:
    other = docs.write(tmp_path / "other", {"x.md": "# Other\n\nZebra."})
    docs.index(saem, other)
    assert len(paths(saem)) == 6
    (folder / "notes.txt").unlink()
    docs.index(saem, other)
    assert "notes.txt" in paths(saem)
    docs.index(saem, folder / "en")
    assert len(paths(saem)) == 6


def test_bad_files_are_reported_and_the_rest_goes_on(saem: Workspace, folder: Path) -> None:
    (folder / "binary.md").write_bytes(bytes(range(256)) * 4)
    (folder / "latin.md").write_bytes(b"caf\xe9 is not UTF-8")
    (folder / "empty.md").write_text("")
    (folder / "good.md").write_text("# Good\n\nPlatypus.")
    report = docs.index(saem, folder)
    assert [e.path for e in report.failed] == ["binary.md", "empty.md", "latin.md"]
    assert found(saem, "platypus") == ["good.md"]


def test_a_file_that_went_bad_keeps_its_last_good_version(saem: Workspace, folder: Path) -> None:
    (folder / "notes.txt").write_bytes(b"\x00\xff" * 100)
    report = docs.index(saem, folder)
    assert [e.path for e in report.failed] == ["notes.txt"]
    assert found(saem, "flower pot") == ["notes.txt"]


def test_an_empty_folder_deletes_nothing(saem: Workspace, folder: Path) -> None:
    for path in docs.FILES:
        (folder / path).unlink()
    with pytest.raises(SourceError, match=r"holds no documents.*5 indexed documents were kept"):
        docs.index(saem, folder)
    assert len(paths(saem)) == 5


def test_a_folder_that_never_held_documents(saem: Workspace, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    (tmp_path / "void/a.bin").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"holds no documents \(1 files of other types\).*\.md"):
        docs.index(saem, tmp_path / "void")


def test_a_second_writer_is_refused_at_once(saem: Workspace, folder: Path) -> None:
    other = Workspace(saem.settings)
    with saem.collection().writing(), pytest.raises(CollectionLocked, match=f"{os.getpid()}"):
        docs.index(other, folder, vectors=False)
    other.close()


def test_many_small_commits_give_the_same_result(
    saem: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "_BATCH", 1)
    other = Workspace(docs.settings(tmp_path / "second"))
    docs.index(other, folder)
    for query in ("origin", "출처 허용", "tea 80"):
        one, two = (w.searcher().search(query, mode="bm25").hits for w in (saem, other))
        assert [(h.chunk, pytest.approx(h.score)) for h in one] == [(h.chunk, h.score) for h in two]
    other.close()
