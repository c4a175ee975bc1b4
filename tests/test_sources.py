from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from indexer.sources import list_files, list_sources
from rag.errors import SourceError

MD = {".md"}


def names(folder: Path) -> list[str]:
    return [f.path for f in list_files(folder, MD).files]


def test_files_of_known_types_sorted_with_stat_and_uri(tmp_path: Path) -> None:
    for name in ("b.md", "a/x.MD", "a/y.bin", ".hidden.md", ".git/z.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    listing = list_files(tmp_path, MD)
    assert [f.path for f in listing.files] == ["a/x.MD", "b.md"]
    assert listing.skipped == 1
    b = listing.files[1]
    assert (b.size, b.mtime_ns) == (4, (tmp_path / "b.md").stat().st_mtime_ns)
    assert b.uri == (tmp_path / "b.md").as_uri()


def test_links_and_pipes_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("text")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.md")
    assert names(tmp_path) == ["real.md"]


def test_a_root_that_is_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x.md").write_text("text")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file.md").symlink_to("real/x.md")
    (tmp_path / "loop").symlink_to("loop")
    (whole,) = list_files(tmp_path / "real", MD).files
    assert list_files(tmp_path / "folder", MD).files == [whole]
    assert list_files(tmp_path / "file.md", MD).files == [whole]
    with pytest.raises(SourceError, match="loop: Too many levels of symbolic links"):
        list_files(tmp_path / "loop", MD)


def test_decomposed_names_are_composed_in_paths_and_kept_in_uris(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "한국어.md")
    (tmp_path / name).write_text("text")
    for source in (tmp_path, tmp_path / name):
        (file,) = list_files(source, MD).files
        assert file.path == "한국어.md" != name
        assert file.uri == (tmp_path / name).as_uri()


def test_sources_without_documents_are_told_apart_and_outer_ones_come_first(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x.md").write_text("text")
    (tmp_path / "void").mkdir()
    listings, failed = list_sources(
        [tmp_path / "a/b", tmp_path / "void", tmp_path / "nope", tmp_path / "a"], MD
    )
    assert [x.root for x in listings] == [tmp_path / "a", tmp_path / "a/b"]
    assert [(e.path, e.why) for e in failed] == [
        (str(tmp_path / "void"), "holds no documents"),
        (str(tmp_path / "nope"), "there is no such file or folder"),
    ]


def test_only_bad_sources_are_one_error_that_names_them_all(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"/one: there is no .*/two: there is no .*Check the path"
    ):
        list_sources([tmp_path / "one", tmp_path / "two"], MD)


def test_a_single_file(tmp_path: Path) -> None:
    file = tmp_path / "one.md"
    file.write_text("text")
    listing = list_files(file, MD)
    assert [f.path for f in listing.files] == ["one.md"]
    assert listing.covers(file.as_uri())
    assert not listing.covers(file.as_uri() + ".md")


def test_a_missing_source_and_one_of_another_type_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere: there is no such file or folder"):
        list_files(tmp_path / "nowhere", MD)
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"a.bin: is of no known type"):
        list_files(tmp_path / "a.bin", MD)


def test_names_that_are_no_text_are_listed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff\nname.md")).write_text("text")
    assert names(tmp_path) == ["bad�\nname.md"]


def test_a_listing_covers_only_what_lies_below_it(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    listing = list_files(tmp_path / "docs", MD)
    assert listing.covers((tmp_path / "docs" / "x.md").as_uri())
    assert not listing.covers((tmp_path / "docs2" / "x.md").as_uri())


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_is_reported_and_its_files_are_not_taken_for_gone(
    tmp_path: Path,
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    listing = list_files(tmp_path, MD)
    assert [e.path for e in listing.failed] == [str(tmp_path / "closed")]
    assert not listing.covers((tmp_path / "closed" / "x.md").as_uri())
