"""What a folder, a file and a glob list: names, links, ignore files, what is left alone."""

from __future__ import annotations

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from indexer.folders import Folder
from indexer.sources import Fetched, Listing, list_sources
from rag.errors import SourceError
from tests.support.docs import write


def names(source: Path) -> list[str]:
    return [item.path for item in Folder(source).list().items]


def skipped(listing: Listing) -> dict[str, str]:
    return {s.path: s.why for s in listing.skipped}


def test_files_by_path_with_stamp_uri_and_day(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"b.md": "text", "a/x.MD": "1", ".hidden.md": "2", ".git/z.md": "3", "LICENSE": "4"},
    )
    listing = Folder(tmp_path).list()
    assert [item.path for item in listing.items] == ["LICENSE", "a/x.MD", "b.md"]
    b, file = listing.items[2], tmp_path / "b.md"
    assert (b.uri, b.file, b.size) == (file.as_uri(), file, 4)
    assert b.stamp == f"4:{file.stat().st_mtime_ns}"
    os.utime(file, (0, 1_700_000_000))
    assert Folder(file).list().items[0].metadata == {"modified": "2023-11-14"}


def test_pictures_and_the_like_are_counted_and_strange_suffixes_are_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        dict.fromkeys(("a.md", "b.png", "c.zip", "d.mp4", "e.so", "f.woff2", "g.odd"), "x"),
    )
    listing = Folder(tmp_path).list()
    assert [item.path for item in listing.items] == ["a.md", "g.odd"]
    assert listing.others == 5


class TestIgnoreFiles:
    def test_both_kinds_at_every_level_and_the_nearest_rule_wins(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {
                ".gitignore": "*.log.md\n/build/\ndraft*\n",
                ".ragignore": "!draft-final.md\nprivate/\n",
                "a.md": "", "x.log.md": "", "build/a.md": "", "sub/build/a.md": "",
                "draft.md": "", "draft-final.md": "", "private/a.md": "",
                "sub/.gitignore": "!x.log.md\n/only-here.md\n",
                "sub/x.log.md": "", "sub/only-here.md": "", "sub/deep/only-here.md": "",
            },
        )  # fmt: skip
        assert names(tmp_path) == [
            "a.md", "draft-final.md", "sub/build/a.md", "sub/deep/only-here.md", "sub/x.log.md",
        ]  # fmt: skip

    def test_a_file_that_is_named_is_not_ignored(self, tmp_path: Path) -> None:
        write(tmp_path, {".gitignore": "*.md", "a.md": "x"})
        assert names(tmp_path / "a.md") == ["a.md"]
        assert names(tmp_path) == []

    def test_what_is_ignored_by_now_counts_as_gone(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.md": "x", "b.md": "x", ".ragignore": "b.md"})
        listing = Folder(tmp_path).list()
        assert listing.covers((tmp_path / "b.md").as_uri())

    def test_lines_that_make_no_sense_spoil_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.md": "x", "b.md": "x"})
        (tmp_path / ".gitignore").write_bytes(b"\xff\xfe[\n!!!\nb.md\n")
        assert "a.md" in names(tmp_path)


class TestGlobs:
    def test_only_what_matches(self, tmp_path: Path) -> None:
        write(tmp_path, {"x/a.md": "", "x/b.txt": "", "x/y/c.md": "", "z.md": ""})
        assert names(tmp_path / "x" / "*.md") == ["a.md"]
        assert names(tmp_path / "x" / "**" / "*.md") == ["a.md", "y/c.md"]
        assert names(tmp_path / "*" / "b.txt") == ["x/b.txt"]

    def test_it_covers_only_what_it_matches(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.md": "x", "b.txt": "x"})
        listing = Folder(tmp_path / "*.md").list()
        assert listing.covers((tmp_path / "gone 한글.md").as_uri())
        assert not listing.covers((tmp_path / "b.txt").as_uri())

    def test_a_file_may_have_such_a_name(self, tmp_path: Path) -> None:
        write(tmp_path, {"what?.md": "x", "whats.md": "x"})
        assert names(tmp_path / "what?.md") == ["what?.md"]


class TestWhatIsLeftAlone:
    def test_links_pipes_sockets_and_why(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        write(root, {"real.md": "x", "sub/a.md": "x"})
        (tmp_path / "out.md").write_text("secret")
        (root / "in.md").symlink_to(root / "real.md")
        (root / "loop").symlink_to(root)
        (root / "out.md").symlink_to(tmp_path / "out.md")
        (root / "sub/up").symlink_to("../..")
        (root / "void.md").symlink_to("nowhere")
        os.mkfifo(root / "pipe.md")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(root / "s.md"))
        listing = Folder(root).list()
        assert [item.path for item in listing.items] == ["real.md", "sub/a.md"]
        assert skipped(listing) == {
            "out.md": "is a link out of the folder",
            "sub/up": "is a link out of the folder",
            "void.md": "is a link to nothing",
            "pipe.md": "is a pipe",
            "s.md": "is a socket",
        }

    @pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
    def test_a_device_is_no_source(self, path: str) -> None:
        with pytest.raises(SourceError, match=r"is a device\. Name a file or folder"):
            Folder(Path(path)).list()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
    def test_an_unreadable_folder_is_reported_and_its_files_are_not_gone(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"a.md": "x"})
        (tmp_path / "closed").mkdir()
        (tmp_path / "closed").chmod(0)
        listing = Folder(tmp_path).list()
        assert [e.path for e in listing.failed] == [str(tmp_path / "closed")]
        assert not listing.covers((tmp_path / "closed" / "x.md").as_uri())


class TestNames:
    def test_a_root_that_is_a_link_is_what_it_leads_to(self, tmp_path: Path) -> None:
        write(tmp_path, {"real/x.md": "text"})
        (tmp_path / "folder").symlink_to("real")
        (tmp_path / "file.md").symlink_to("real/x.md")
        (tmp_path / "loop").symlink_to("loop")
        (whole,) = Folder(tmp_path / "real").list().items
        assert Folder(tmp_path / "folder").list().items == [whole]
        assert Folder(tmp_path / "file.md").list().items == [whole]
        with pytest.raises(SourceError, match="loop: Too many levels of symbolic links"):
            Folder(tmp_path / "loop").list()

    def test_decomposed_names_are_composed_in_paths_and_kept_in_uris(self, tmp_path: Path) -> None:
        name = unicodedata.normalize("NFD", "한국어.md")
        (tmp_path / name).write_text("text")
        for source in (tmp_path, tmp_path / name):
            (item,) = Folder(source).list().items
            assert item.path == "한국어.md" != name
            assert item.uri == (tmp_path / name).as_uri()

    def test_names_that_are_no_text(self, tmp_path: Path) -> None:
        (tmp_path / os.fsdecode(b"bad\xff\nname.md")).write_text("text")
        assert names(tmp_path) == ["bad�\nname.md"]

    def test_a_listing_covers_only_what_lies_below_it(self, tmp_path: Path) -> None:
        write(tmp_path, {"docs/x.md": "1"})
        listing = Folder(tmp_path / "docs").list()
        assert listing.covers((tmp_path / "docs" / "y.md").as_uri())
        assert not listing.covers((tmp_path / "docs2" / "x.md").as_uri())


def test_fetching_reads_the_file_unless_its_stamp_is_known(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "text"})
    folder = Folder(tmp_path)
    (item,) = folder.list().items
    assert folder.fetch(item, "") == Fetched(b"text", item.stamp)
    assert folder.fetch(item, item.stamp) is None


def test_sources_without_documents_are_told_apart_and_outer_ones_come_first(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/x.md": "text"})
    (tmp_path / "void").mkdir()
    specs = [tmp_path / "a/b", tmp_path / "void", tmp_path / "nope", tmp_path / "a"]
    listings, failed = list_sources([(str(s), Folder(s)) for s in specs])
    assert [x.root for _, x in listings] == [(tmp_path / n).as_uri() for n in ("a", "a/b")]
    assert [(e.path, e.why) for e in failed] == [
        (str(tmp_path / "void"), "holds no documents"),
        (str(tmp_path / "nope"), "there is no such file or folder"),
    ]


def test_only_bad_sources_are_one_error_that_names_them_all(tmp_path: Path) -> None:
    specs = [tmp_path / "one", tmp_path / "two"]
    with pytest.raises(
        SourceError, match=r"/one: there is no .*/two: there is no .*Check the path"
    ):
        list_sources([(str(s), Folder(s)) for s in specs])
