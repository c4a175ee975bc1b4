from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import rag
from indexer.chunk import whole
from indexer.rows import make_rows
from rag.analysis import Analyser
from rag.encode import hashing, load_encoder
from rag.errors import (
    BadQuery,
    CollectionMissing,
    ConfigError,
    LLMUnavailable,
    ModelMissing,
    NotFound,
)
from rag.index import Collection, Stat, Tuned
from rag.settings import Settings
from rag.types import Document
from rag.workspace import Workspace
from tests.support import docs


def test_names_and_one_object_a_collection(saem: Workspace, folder: Path) -> None:
    saem.index(folder / "en", name="english")
    assert saem.names() == ["default", "english"]
    assert saem.collection("english") is saem.collection("english")
    assert saem.collection() is saem.collection("default")
    assert len(saem.collection("english").documents()) == 2


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "_x", ".x", "x" * 65, "a\nb"])
def test_names_that_would_leave_the_folder_are_refused(saem: Workspace, name: str) -> None:
    with pytest.raises(BadQuery):
        saem.collection(name, create=True)


def test_a_collection_that_is_not_there(saem: Workspace) -> None:
    with pytest.raises(CollectionMissing, match="rag index FOLDER --collection nowhere"):
        saem.collection("nowhere")
    assert not (saem.folder / "nowhere").exists()


def test_index_search_answer(tmp_path: Path, folder: Path) -> None:
    saem = rag.Workspace(docs.settings(tmp_path / "fresh"))
    report = saem.index(str(folder))
    assert (report.added, saem.collection().outstanding()) == (5, 0)
    assert saem.searcher().search("black tea").hits[0].chunk.path == "en/tea.md"
    answer = saem.answerer().ask("Is black tea made with boiling water?")
    assert "Black tea needs boiling water." in answer.text
    saem.close()


def test_missing_models_leave_lexical_search_and_quotations(tmp_path: Path, folder: Path) -> None:
    settings = docs.settings(tmp_path / "bare", encoder="multilingual-e5-small", llm="smollm2")
    saem = Workspace(settings.replace(cache=tmp_path / "empty"))
    saem.index(folder)
    result = saem.searcher().search("black tea")
    assert (result.mode, result.hits[0].chunk.path) == ("bm25", "en/tea.md")
    assert "rag models pull" in result.warnings[0]
    answer = saem.answerer().ask("Is black tea made with boiling water?")
    assert "Black tea needs boiling water." in answer.text
    assert any("rag models pull" in w and "quoting" in w for w in answer.warnings)
    saem.close()


def test_a_search_makes_no_language_model(saem: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(settings: Settings) -> None:
        raise LLMUnavailable(settings.llm, "it is damaged")

    monkeypatch.setattr("rag.tools.load_llm", made)
    saem.settings = saem.settings.replace(llm="vllm:some/model", rewrite=("repair",))
    assert saem.searcher().search("black tea").warnings == ()
    answer = saem.answerer().ask("Is black tea made with boiling water?")
    assert "Black tea needs boiling water." in answer.text
    assert any("it is damaged" in w for w in answer.warnings)
    saem.settings = saem.settings.replace(rewrite=("multi",), entailment="llm")
    assert "it is damaged" in saem.searcher().search("black tea").warnings[0]
    assert "Black tea needs boiling water." in saem.answerer().ask("How is black tea made?").text


class Longer(hashing.HashingEncoder):
    """The weightless encoder with vectors of another length: another encoder."""

    def __init__(self) -> None:
        super().__init__(dim=256)


@pytest.fixture
def longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A setting that names another encoder."""
    real = load_encoder

    def load(settings: Settings, *more: Any) -> object:
        if settings.encoder == "longer":
            made = Longer()
            made.name = "longer"
            return made
        return real(settings, *more)

    monkeypatch.setattr("rag.tools.load_encoder", load)
    return "longer"


def test_a_collection_is_encoded_anew_and_back(saem: Workspace, longer: str) -> None:
    total = saem.collection().count()
    assert saem.reindex(longer)
    assert saem.collection().status().encoder == "hashing:1:256"
    for workspace in (
        saem,
        Workspace(saem.settings),
        Workspace(saem.settings.replace(encoder=longer)),
    ):
        result = workspace.searcher().search("black tea", mode="dense")
        assert (result.hits[0].chunk.path, result.warnings) == ("en/tea.md", ())
        assert workspace.searcher().encoder.dim == 256  # type: ignore[union-attr]
    saem.rollback()
    again = Workspace(saem.settings.replace(encoder=longer))
    assert again.searcher().encoder.dim == 512  # type: ignore[union-attr]
    assert again.searcher().search("black tea", mode="dense").hits[0].chunk.path == "en/tea.md"
    assert [s.outstanding for s in saem.collection().status().spaces] == [0, 0]
    assert saem.collection().count() == total
    saem.rollback()
    assert saem.collection().status().encoder == "hashing:1:256"


def test_what_is_added_gets_vectors_of_the_encoder_that_serves(
    saem: Workspace, longer: str, folder: Path
) -> None:
    saem.reindex(longer)
    (folder / "new.md").write_text("# Moka\n\nEspresso from the stove.\n")
    assert saem.index(folder).added == 1
    assert saem.collection().outstanding() == 0
    hits = saem.searcher().search("moka espresso", mode="dense").hits
    assert hits[0].chunk.path == "new.md"


def test_an_encoder_that_cannot_be_found_leaves_lexical_search(
    saem: Workspace, longer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    saem.reindex(longer)
    monkeypatch.setattr("rag.tools.load_encoder", load_encoder)
    other = Workspace(saem.settings.replace(cache=tmp_path / "empty"))
    result = other.searcher().search("black tea")
    assert (result.mode, result.hits[0].chunk.path) == ("bm25", "en/tea.md")
    assert "model 'longer' is not on this machine" in result.warnings[0]
    (folder / "new.md").write_text("# New\n")
    other.sync([folder])
    assert "model 'longer'" in other.encode()
    assert other.reindex("hashing")
    assert other.searcher().search("black tea").mode == "hybrid"


def test_reindexing_needs_an_encoder(saem: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no encoder"):
        saem.reindex("none")
    with pytest.raises(ModelMissing):
        Workspace(saem.settings.replace(cache=tmp_path / "empty")).reindex("multilingual-e5-small")
    with pytest.raises(NotFound, match="no previous encoder"):
        saem.rollback()
    assert saem.collection().outstanding() == 0


def test_rag_open_is_a_collection(saem: Workspace) -> None:
    opened = rag.open(str(saem.folder / "default"))
    assert isinstance(opened, Collection)
    assert opened.count() == saem.collection().count()
    opened.close()


def test_a_collection_that_was_made_anew_is_opened_anew(saem: Workspace, folder: Path) -> None:
    assert saem.searcher().search("black tea").hits
    old = saem.collection()
    shutil.rmtree(old.path)
    with pytest.raises(CollectionMissing):
        saem.collection()
    with pytest.raises(CollectionMissing):
        old.delete([d.id for d in old.documents()])
    other = Workspace(saem.settings)
    other.index(docs.write(folder.parent / "new", {"z.md": "# Zebra\n\nStripes."}))
    with pytest.raises(CollectionMissing):
        old.upsert(make_rows([(Document("x", "x.md", "", "Text."), Stat())], whole, Analyser()))
    assert [h.chunk.path for h in saem.searcher().search("stripes").hits] == ["z.md"]
    assert [h.chunk.path for h in other.searcher().search("stripes").hits] == ["z.md"]
    other.close()


def test_folders_that_are_no_collections_are_passed_over(saem: Workspace) -> None:
    shutil.copytree(saem.folder / "default", saem.folder / "default (copy)")
    assert saem.names() == ["default"]


def test_a_collection_s_tuning_counts_in_its_searches_alone(saem: Workspace, folder: Path) -> None:
    saem.index(folder, name="other")
    saem.collection().tune(Tuned({"k1": 3.0, "mode": "bm25"}, {"data": "x"}))
    again = Workspace(saem.settings)
    assert again.searcher().settings.k1 == 3.0
    assert again.searcher().search("tea").mode == "hybrid"  # no matter of tuning
    assert again.searcher("other").settings.k1 == 1.2
    assert again.collection().status().tuned.provenance == {"data": "x"}
    again.collection().tune(Tuned())
    assert again.searcher().settings == again.settings
    again.close()
