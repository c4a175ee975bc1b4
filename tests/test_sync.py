from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from indexer import sync as sync_module
from indexer.readers import read
from indexer.reading import Reading
from indexer.rows import make_rows
from indexer.vectors import fill_vectors
from rag.cli.app import app
from rag.errors import CollectionLocked, SourceError
from rag.index import Stat
from rag.index.lock import WriterLock
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


def test_second_run_reads_nothing(saem: Workspace, folder: Path, jobs: list[Reading]) -> None:
    generation = saem.collection().generation
    report = docs.index(saem, folder)
    assert (report.unchanged, report.added, report.changed, report.removed) == (5, 0, 0, 0)
    assert saem.collection().generation == generation
    assert jobs == []


def test_a_touched_file_is_read_but_not_indexed_again(
    saem: Workspace, folder: Path, jobs: list[Reading]
) -> None:
    touch(folder / "notes.txt")
    for _ in range(2):
        report = docs.index(saem, folder)
        assert (report.unchanged, report.changed) == (5, 0)
    assert [(reading.path, reading.same) for reading in jobs] == [("notes.txt", True)]


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
    (folder / "empty.md").write_text("")
    (folder / "good.md").write_text("# Good\n\nPlatypus.")
    report = docs.index(saem, folder)
    assert [e.path for e in report.failed] == ["binary.md", "empty.md"]
    assert found(saem, "platypus") == ["good.md"]
    assert [e.path for e in saem.entries("failed")] == ["binary.md", "empty.md"]


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
    with pytest.raises(SourceError, match=r"holds no documents \(1 files of other types\)"):
        docs.index(saem, tmp_path / "void")


def test_a_bad_source_is_reported_and_the_rest_goes_on(
    saem: Workspace, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "void").mkdir()
    (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.")
    report = docs.index(saem, tmp_path / "nope", tmp_path / "void", folder)
    assert (report.added, report.unchanged, report.removed) == (1, 5, 0)
    assert [(Path(e.path).name, e.why) for e in report.failed] == [
        ("nope", "there is no such file or folder"),
        ("void", "holds no documents"),
    ]
    for path in docs.FILES:
        (folder / path).unlink()
    (folder / "new.md").unlink()
    other = docs.write(tmp_path / "other", {"x.md": "# Other\n\nZebra."})
    report = docs.index(saem, folder, other)
    assert [e.remedy.split(";")[0] for e in report.failed] == ["Its 6 indexed documents were kept"]
    assert len(paths(saem)) == 7


def test_only_bad_sources_make_no_collection(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    arguments = ["index", str(tmp_path / "nope"), str(tmp_path / "void")]
    done = CliRunner().invoke(app, [*arguments, "--home", str(tmp_path / "home"), "--no-wait"])
    assert isinstance(done.exception, SourceError)
    assert "void: holds no documents" in str(done.exception)
    assert not (tmp_path / "home").exists()
    docs.write(tmp_path / "docs")
    arguments.append(str(tmp_path / "docs"))
    done = CliRunner().invoke(app, [*arguments, "--home", str(tmp_path / "home"), "--no-wait"])
    assert done.exit_code == 3
    assert len(paths(Workspace(docs.settings(tmp_path / "home")))) == 5


def test_an_upload_of_only_bad_files_makes_no_collection(saem: Workspace) -> None:
    files = [("files", ("bad.md", b"\x00\x01\x02" * 100, "text/markdown"))]
    with TestClient(create_app(saem.settings), base_url="http://localhost") as client:
        body = client.post("/documents", files=files, data={"collection": "fresh"}).json()
    assert (body["documents"], [f["path"] for f in body["failed"]]) == ([], ["bad.md"])
    assert saem.names() == ["default"]


def test_paths_follow_the_source_that_was_asked_for(saem: Workspace, folder: Path) -> None:
    total = saem.collection().count()
    for sources, expected in (
        ([folder / "en"], ["cors.md", "ko/cors.md", "ko/tea.md", "notes.txt", "tea.md"]),
        ([folder], sorted(docs.FILES)),
        ([folder / "en", folder], sorted(docs.FILES)),
        ([folder, folder / "en"], sorted(docs.FILES)),
    ):
        docs.index(saem, *sources, vectors=False)
        assert paths(saem) == expected
        assert (saem.collection().count(), saem.collection().outstanding()) == (total, 0)
    assert docs.index(saem, folder).unchanged == 5


def test_an_inner_source_that_the_outer_passes_over_is_kept(saem: Workspace, folder: Path) -> None:
    docs.write(folder / ".hidden", {"x.md": "# Other\n\nZebra."})
    for _ in range(2):
        docs.index(saem, folder, folder / ".hidden")
        assert paths(saem) == sorted([*docs.FILES, "x.md"])


def test_a_link_to_an_indexed_folder_adds_nothing(
    saem: Workspace, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)
    report = docs.index(saem, tmp_path / "link")
    assert (report.added, report.unchanged) == (0, 5)
    assert paths(saem) == sorted(docs.FILES)


@pytest.mark.parametrize("nothing", [b"", b" \n\t\n", b"\xef\xbb\xbf\r\n"])
def test_an_emptied_file_is_found_no_more(saem: Workspace, folder: Path, nothing: bytes) -> None:
    (folder / "notes.txt").write_bytes(nothing)
    for removed, failed, before in ((1, ["notes.txt"], 0), (0, [], 1)):
        report = docs.index(saem, folder)
        assert (report.removed, [e.path for e in report.failed]) == (removed, failed)
        assert (report.before, report.unchanged) == (before, 4)
        assert found(saem, "flower pot") == []
        assert len(paths(saem)) == 4


def test_a_second_sync_is_refused_at_once(saem: Workspace, folder: Path) -> None:
    other = Workspace(saem.settings)
    (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.")

    def meanwhile(*_: int) -> None:
        with pytest.raises(CollectionLocked, match=f"{os.getpid()}"):
            docs.index(other, folder, vectors=False)

    assert sync_module.sync(saem.collection(), [folder], saem.recipe(), meanwhile).added == 1
    assert docs.index(other, folder, vectors=False).unchanged == 6
    other.close()


def test_other_writers_get_in_while_files_are_read(saem: Workspace, folder: Path) -> None:
    other = Workspace(saem.settings)
    docs.write(folder, {"a.md": "# Coffee\n\nEspresso.", "z.md": "# Milk\n\nOat."})
    uploads = docs.write(folder.parent / "uploads", {"up.md": "# Up\n\nZebra."})
    up = read((uploads / "up.md").read_bytes(), uri="upload:up.md", path="up.md").document
    recipe = saem.recipe()
    (row,) = make_rows([(up, Stat())], recipe.chunker, recipe.analyser)
    encoder = saem.encoder()
    assert encoder is not None

    def meanwhile(*_: int) -> None:
        other.collection().upsert([row], wait=0)
        fill_vectors(other.collection(), encoder)

    assert sync_module.sync(saem.collection(), [folder], saem.recipe(), meanwhile).added == 2
    assert paths(saem) == sorted([*docs.FILES, "a.md", "up.md", "z.md"])
    other.close()


def test_a_commit_waits_for_another_writer(saem: Workspace, folder: Path) -> None:
    other = WriterLock(saem.collection().path / "writer.lock")
    (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.")
    (folder / "en/tea.md").unlink()
    touch(folder / "notes.txt")
    taken, release = threading.Event(), threading.Event()

    def write() -> None:
        with other.hold():
            taken.set()
            release.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    taken.wait(10)
    timer = threading.Timer(1.5, release.set)  # longer than a commit waits of itself
    timer.start()
    report = docs.index(saem, folder, vectors=False)
    thread.join()
    assert (report.added, report.removed, report.unchanged) == (1, 1, 4)


def test_many_small_commits_give_the_same_result(
    saem: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.batches._MOST", 1)
    monkeypatch.setattr("indexer.rows._FIRST", 1)
    other = Workspace(docs.settings(tmp_path / "second"))
    docs.index(other, folder)
    for query in ("origin", "출처 허용", "tea 80"):
        one, two = (w.searcher().search(query, mode="bm25").hits for w in (saem, other))
        assert [(h.chunk, pytest.approx(h.score)) for h in one] == [(h.chunk, h.score) for h in two]
    other.close()
