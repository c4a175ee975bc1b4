"""Changes of folders are told in batches, whatever happens to the folders meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer import watch as watching
from indexer.watch import watch
from rag.errors import SourceError

Told = set[Path] | None


class Watched:
    """A folder that is watched by a thread, and what it was told."""

    def __init__(self, *folders: Path) -> None:
        self.told: list[Told] = []
        self.notes: list[str] = []
        self.failing: Exception | None = None
        self.during: Callable[[], object] = bool
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=watch, args=(folders, self.apply, self._stop, self.notes.append)
        )
        self._thread.start()
        self.until(lambda: None in self.told, "everything was not looked at")
        self.told.clear()

    def apply(self, changed: Told) -> None:
        if self.failing:
            raise self.failing
        self.told.append(changed)
        self.during()

    def names(self) -> set[Path]:
        """All that was told, in however many batches."""
        return {name for told in self.told for name in (told or {Path("everything")})}

    def hears(self, *paths: Path) -> None:
        """Wait until each of ``paths`` was told, by itself or with all below a folder."""

        def heard() -> bool:
            names = self.names()
            return None in self.told or all(
                any(path.is_relative_to(name) for name in names) for path in paths
            )

        self.until(heard, f"was not told of {paths}")

    def until(self, true: Callable[[], bool], why: str) -> None:
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end, f"{why}: {self.told} {self.notes}"
            assert self._thread.is_alive(), self.notes
            time.sleep(0.01)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "docs" / "old.md").write_text("old")
    made = Watched(tmp_path / "docs")
    yield made
    made.close()


@pytest.fixture
def docs(watched: Watched, tmp_path: Path) -> Path:
    assert watched.told == []
    return tmp_path / "docs"


def test_each_kind_of_change_and_nothing_else(watched: Watched, docs: Path) -> None:
    (docs / "deep" / "new.md").write_text("new")
    watched.hears(docs / "deep" / "new.md")
    (docs / "old.md").write_text("changed")
    watched.hears(docs / "old.md")
    (docs / "old.md").rename(docs / "moved.md")
    watched.hears(docs / "old.md", docs / "moved.md")
    (docs / "moved.md").unlink()
    watched.hears(docs / "moved.md")
    assert watched.names() == {docs / "deep" / "new.md", docs / "old.md", docs / "moved.md"}


def test_changes_at_once_are_one_batch(watched: Watched, docs: Path) -> None:
    names = {docs / f"{n}.md" for n in range(50)}
    for name in names:
        name.write_text("new")
    watched.hears(*names)
    assert len(watched.told) <= 2


def test_a_storm_is_told_as_everything(watched: Watched, docs: Path) -> None:
    for n in range(10_000):
        (docs / "deep" / f"{n}.md").write_text("new")
    watched.until(lambda: None in watched.told, "no storm was told")
    (docs / "deep" / "9.md").write_text("calm again")
    watched.told.clear()
    (docs / "late.md").write_text("calm again")
    watched.hears(docs / "late.md")


def test_new_folders_however_deep_and_what_comes_into_them(watched: Watched, docs: Path) -> None:
    deep = docs / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "early.md").write_text("new")
    watched.hears(deep / "early.md")
    watched.told.clear()
    (deep / "late.md").write_text("new")
    watched.hears(deep / "late.md")
    assert None not in watched.told


def test_editors_that_save_by_renaming(watched: Watched, docs: Path) -> None:
    file = docs / "old.md"
    file.rename(docs / "old.md~")
    file.write_text("by vim")
    (docs / "old.md~").unlink()
    watched.hears(file)
    watched.told.clear()
    (docs / ".old.md.swp").write_text("by others")
    (docs / ".old.md.swp").replace(file)
    watched.hears(file)
    assert all(told and docs / ".old.md.swp" not in told for told in watched.told)


def test_hidden_ones_are_not_told_but_ignore_files_are(watched: Watched, docs: Path) -> None:
    (docs / ".git" / "objects").mkdir(parents=True)
    (docs / ".git" / "objects" / "1").write_text("hidden")
    (docs / ".hidden.md").write_text("hidden")
    (docs / "deep" / ".ragignore").write_text("*.md")
    watched.hears(docs / "deep" / "new.md")
    assert watched.names() == {docs / "deep"}


def test_a_folder_that_vanishes_and_comes_back(watched: Watched, docs: Path) -> None:
    away = docs.with_name("away")
    docs.rename(away)
    watched.until(lambda: None in watched.told, "it was not missed")
    (away / "other.md").write_text("not ours")
    watched.told.clear()
    docs.mkdir()
    watched.until(lambda: None in watched.told, "it was not seen to come back")
    watched.told.clear()
    (docs / "new.md").write_text("new")
    watched.hears(docs / "new.md")
    assert watched.names() == {docs / "new.md"}


def test_links_are_not_followed(watched: Watched, docs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (docs / "link").symlink_to(other)
    (docs / "deep" / "loop").symlink_to(docs)
    watched.hears(docs / "deep" / "loop")
    watched.told.clear()
    (other / "theirs.md").write_text("theirs")
    (docs / "ours.md").write_text("ours")
    watched.hears(docs / "ours.md")
    assert watched.names() == {docs / "ours.md"}


def test_names_that_are_no_utf_8(watched: Watched, docs: Path) -> None:
    (docs / os.fsdecode(b"\xff.md")).write_text("new")
    watched.until(lambda: None in watched.told, "it was not told")
    (docs / os.fsdecode(b"\xfe")).mkdir()
    watched.told.clear()
    (docs / "new.md").write_text("new")
    watched.hears(docs / "new.md")


def test_errors_are_noted_and_everything_is_tried_again(
    watched: Watched, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_AT_LAST", 0.1)
    watched.failing = SourceError("new.md", "is broken")
    (docs / "new.md").write_text("new")
    watched.until(lambda: len(watched.notes) >= 2, "it was not tried again")
    watched.failing = OSError("the disk is full")
    watched.until(lambda: "OSError" in watched.notes[-1], "it was not tried again")
    watched.failing = None
    watched.until(lambda: watched.told[:1] == [None], "it was not tried again")
    (docs / "new.md").write_text("newer")
    watched.hears(docs / "new.md")
    assert watched.notes[0] == "new.md: is broken"
    assert watched.notes[-1] == "OSError: the disk is full"


def test_what_changes_while_it_is_applied_comes_next(watched: Watched, docs: Path) -> None:
    second = docs / "second.md"
    watched.during = lambda: second.exists() or second.write_text("new")
    (docs / "first.md").write_text("new")
    watched.hears(docs / "first.md", second)
    assert len(watched.told) >= 2


def test_a_single_file_and_a_link_to_a_folder(tmp_path: Path) -> None:
    real, file = tmp_path / "real", tmp_path / "one.md"
    real.mkdir()
    file.write_text("one")
    (tmp_path / "link").symlink_to(real)
    watched = Watched(tmp_path / "link", file)
    try:
        (tmp_path / "other.md").write_text("other")
        (real / "new.md").write_text("new")
        file.write_text("two")
        watched.hears(real / "new.md", file)
        assert watched.names() == {real / "new.md", file}
    finally:
        watched.close()


def test_without_the_systems_help_it_looks_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = watching.RustNotify

    def limited(folders: list[str], debug: bool, polls: bool, *rest: int) -> object:
        if not polls:
            raise OSError("OS file watch limit reached")
        return real(folders, debug, polls, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "RustNotify", limited)
    (tmp_path / "old.md").write_text("old")
    watched = Watched(tmp_path)
    try:
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "new.md").write_text("new")
        watched.hears(tmp_path / "deep" / "new.md")
        (tmp_path / "old.md").unlink()
        watched.hears(tmp_path / "old.md")
        assert len(watched.notes) == 1
        assert "limit reached" in watched.notes[0]
        assert "max_user_watches" in watched.notes[0]
    finally:
        watched.close()
