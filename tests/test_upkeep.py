"""`rag verify`, `rag backup`, `rag restore` and `rag compact` as they are typed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from rag.cli import commands, upkeep
from rag.errors import BadQuery, CollectionMissing, NotFound, SourceError
from rag.workspace import Workspace
from tests.support import docs

app = typer.Typer()
for command in (
    upkeep.verify,
    upkeep.backup,
    upkeep.restore,
    upkeep.compact,
    upkeep.reindex,
    commands.status,
):
    app.command(command.__name__)(command)


@pytest.fixture
def home(saem: Workspace) -> Path:
    saem.close()
    return saem.settings.home


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def said(home: Path, *words: str) -> dict[str, Any]:
    result = run(home, *words, "--json")
    assert result.exception is None, result.output
    return dict(json.loads(result.stdout))


def test_verify_says_what_it_looked_at(home: Path) -> None:
    found = said(home, "verify")
    assert found["ok"]
    assert found["problems"] == []
    assert found["sampled"] == found["passages"] >= found["documents"] > 0
    assert said(home, "verify", "--sample", "2")["sampled"] == 2
    assert "'default' is sound" in run(home, "verify").stdout


def test_verify_names_the_file_and_the_remedy_and_fails(home: Path) -> None:
    file = next(home.glob("collections/default/segments/*/ids.npy"))
    file.write_bytes(file.read_bytes()[:-1])
    result = run(home, "verify", "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["file"] == str(file)
    assert problem["what"] == "it is damaged"
    assert "rag restore" in problem["remedy"]
    result = run(home, "verify")
    assert result.exit_code == 1
    assert "'default' is damaged" in result.stdout


def test_a_backup_comes_back_under_any_name(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tar"
    assert said(home, "backup", str(out)) == {
        "collection": "default", "file": str(out), "bytes": out.stat().st_size,
    }  # fmt: skip
    again = said(home, "restore", str(out), "--collection", "again")
    assert again["collection"] == "again"
    assert again["documents"] == said(home, "verify")["documents"]
    refused = run(home, "restore", str(out))
    assert isinstance(refused.exception, BadQuery)
    assert "documents again" in run(home, "restore", str(out), "--force").stdout
    assert "read back and compared" in run(home, "backup", str(tmp_path)).stdout


def test_compacting_after_deleting_takes_less_space(home: Path) -> None:
    workspace = Workspace(docs.settings(home))
    collection = workspace.collection()
    collection.delete([d.id for d in collection.documents()])
    workspace.close()
    found = said(home, "compact")
    assert found["bytes"] < found["bytes_before"]
    assert "it took" in run(home, "compact").stdout
    assert said(home, "verify")["documents"] == 0


@pytest.mark.parametrize("words", [("verify",), ("backup", "x.tar"), ("compact",)])
def test_a_collection_that_does_not_exist(home: Path, words: tuple[str, ...]) -> None:
    result = run(home, *words, "--collection", "none")
    assert isinstance(result.exception, CollectionMissing)


def test_a_file_that_is_no_backup(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    result = run(home, "restore", str(tmp_path / "notes.txt"), "--collection", "new")
    assert isinstance(result.exception, SourceError)


def test_forgetting_drops_every_encoder_that_does_not_serve(home: Path) -> None:
    workspace = Workspace(docs.settings(home))
    workspace.collection().start_shadow("one that was given up")
    workspace.close()
    said(home, "reindex", "--forget")
    (status,) = said(home, "status")["collections"]
    assert [space["state"] for space in status["spaces"]] == ["serving"]
    assert isinstance(run(home, "reindex", "--forget").exception, NotFound)


def test_a_damaged_collection_hides_no_other(home: Path) -> None:
    workspace = Workspace(docs.settings(home))
    workspace.collection("sound", create=True)
    workspace.close()
    file = next(home.glob("collections/default/segments/*/ids.npy"))
    file.write_bytes(file.read_bytes()[:-1])
    result = run(home, "status", "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert [c["name"] for c in told["collections"]] == ["sound"]
    assert [c["name"] for c in told["failed"]] == ["default"]
    assert "sound" in run(home, "status").stdout


def test_what_changed_just_before_a_command_ended_is_purged_by_the_next(home: Path) -> None:
    workspace = Workspace(docs.settings(home))
    collection = workspace.collection()
    collection.delete([d.id for d in collection.documents()])
    collection.tidy()  # the segments go; the texts may still be fetched for a while
    workspace.close()
    with closing(sqlite3.connect(collection.path / "catalog.sqlite", isolation_level=None)) as db:
        kept = "SELECT count(*) FROM documents"
        assert db.execute(kept).fetchone() != (0,)
        db.execute("UPDATE documents SET died_at = died_at - 3600")
        workspace = Workspace(docs.settings(home))
        workspace.collection().tidy()
        workspace.close()
        assert db.execute(kept).fetchone() == (0,)
