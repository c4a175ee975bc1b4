from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import hypothesis
import pytest

from indexer.reading import Job, Readers, Reading
from rag import models
from rag.index import Collection
from rag.settings import Settings
from rag.workspace import Workspace
from tests.support import docs

hypothesis.settings.register_profile("saem", deadline=None)  # timings decide no test
hypothesis.settings.load_profile("saem")


@pytest.fixture(scope="session")
def models_cache() -> Path:
    """The real default models, fetched once into the cache that `rag` itself uses."""
    cache = Settings.load().cache
    for name in models.MODELS:
        models.pull(name, cache, print)
    return cache


@pytest.fixture(autouse=True)
def _no_settings_from_outside(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests see neither the caller's RAG_* variables nor a rag.toml of the working folder."""
    for name in [n for n in os.environ if n.startswith("RAG_")]:
        monkeypatch.delenv(name)
    if "models_cache" in request.fixturenames:
        request.getfixturevalue("models_cache")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small folder of documents."""
    return docs.write(tmp_path / "docs")


@pytest.fixture
def saem(tmp_path: Path, folder: Path) -> Iterator[Workspace]:
    """A workspace whose default collection holds `folder`, with vectors."""
    workspace = Workspace(docs.settings(tmp_path / "home"))
    docs.index(workspace, folder)
    yield workspace
    workspace.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where `collection` is."""
    return tmp_path / "collection"


@pytest.fixture
def collection(place: Path) -> Iterator[Collection]:
    """An empty collection."""
    opened = Collection(place, create=True)
    yield opened
    opened.close()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """What comes of the jobs that readers are given from now on."""
    seen: list[Reading] = []
    real = Readers.read

    def watched(self: Readers, jobs: Iterable[Job]) -> Iterator[Reading]:
        for reading in real(self, jobs):
            seen.append(reading)
            yield reading

    monkeypatch.setattr(Readers, "read", watched)
    return seen
