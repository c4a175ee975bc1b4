"""Folders that the service keeps its collection in step with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.state import Background
from indexer.report import Progress, Report
from rag.errors import SourceError
from rag.index.lock import WriterLock
from rag.workspace import Workspace
from tests.support import docs


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def test_changes_are_applied_though_the_collection_was_held_and_uploads_go_on(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "saem")
    settings = docs.settings(tmp_path / "home", watch=(str(folder),))
    with TestClient(create_app(settings), base_url="http://localhost") as client:

        def paths() -> set[str]:
            try:
                return {d["path"] for d in client.get("/documents").json()["documents"]}
            except KeyError:  # not yet made
                return set()

        wait_for(lambda: paths() == set(docs.FILES))
        with WriterLock(tmp_path / "home/collections/default/sync.lock").hold(10):
            (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.\n")
            up = [("files", ("up.md", b"# Milk\n\nOat milk.\n", "text/markdown"))]
            assert client.post("/documents", files=up).json()["failed"] == []
            wait_for(lambda: "is being written" in caplog.text)
            assert "new.md" not in paths()
        wait_for(lambda: paths() == {*docs.FILES, "new.md", "up.md"})
        assert client.get("/readyz").status_code == 200
    assert caplog.text.count("is being written") == 1


def test_the_service_ends_in_the_midst_of_a_long_run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, ended = threading.Event(), threading.Event()

    def endless(self: Workspace, sources: object, progress: Progress) -> Report:
        running.set()
        try:
            while True:
                progress(1, 2)
                time.sleep(0.01)
        finally:
            ended.set()

    monkeypatch.setattr(Workspace, "sync", endless)
    saem = Workspace(docs.settings(tmp_path / "home", watch=(str(folder),)))
    background = Background(saem)
    background.start()
    assert running.wait(30)
    background.stop()
    assert ended.is_set()
    saem.close()


def test_folders_are_watched_as_they_are_indexed(
    saem: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []
    monkeypatch.setattr("rag.workspace.watch", lambda folders, *_: seen.append(folders))
    monkeypatch.setenv("HOME", str(tmp_path))
    saem.watch(["~/docs", "docs/**/*.md", "later", "https://x.org"], print, print)
    assert seen == [[folder, folder, tmp_path / "later"]]
    for sources in (["https://x.org"], ["nowhere"]):
        with pytest.raises(SourceError, match="no folder or file"):
            saem.watch(sources, print, print)
