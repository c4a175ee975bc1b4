"""The command line as people use it: real processes, real folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import errors
from rag.cli import view
from rag.cli.app import EXIT_CODES
from tests.support import docs
from tests.support.fake_llm import FakeLLM


class Cli:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = os.environ | {"RAG_ENCODER": "hashing", "RAG_LLM": "none"}

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rag.cli", *map(str, arguments), "--home", str(self.home)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, input=stdin, timeout=120
        )

    def json(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stderr
        value: dict[str, Any] = json.loads(done.stdout)
        return value


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home")


@pytest.fixture
def indexed(cli: Cli, folder: Path) -> Cli:
    cli.json("index", folder)
    return cli


def test_every_error_has_an_exit_code() -> None:
    ours = {e for e in vars(errors).values() if isinstance(e, type)}
    assert set(EXIT_CODES) == {e for e in ours if issubclass(e, errors.RagError)} - {
        errors.RagError
    }


def test_index_reports_what_it_did(cli: Cli, folder: Path) -> None:
    first = cli.json("index", folder)
    assert (first["added"], first["failed"], first["outstanding"]) == (5, [], 0)
    second = cli.json("index", folder)
    assert (second["added"], second["unchanged"]) == (0, 5)
    text = cli.run("index", folder)
    assert text.returncode == 0
    assert "unchanged" in text.stdout


def test_index_without_waiting_leaves_vectors_outstanding(cli: Cli, folder: Path) -> None:
    report = cli.json("index", folder, "--no-wait")
    assert report["outstanding"] == cli.json("status")["collections"][0]["passages"] > 0


def test_index_partly(cli: Cli, folder: Path) -> None:
    (folder / "binary.md").write_bytes(bytes(range(256)))
    report = cli.json("index", folder, code=3)
    assert [f["path"] for f in report["failed"]] == ["binary.md"]
    assert report["added"] == 5
    done = cli.run("index", folder)
    assert done.returncode == 3
    assert "what failed before: rag status --failed" in done.stderr
    assert "binary.md: looks like" in cli.run("status", "--failed").stdout
    (entry,) = cli.json("status", "--failed")["entries"]
    assert (entry["path"], entry["state"]) == ("binary.md", "failed")
    assert cli.json("status", "--dropped")["entries"] == []


def test_names_take_one_line_and_obey_no_terminal(cli: Cli, folder: Path) -> None:
    (folder / "a\n\x1b[31mred.md").write_text("# Coffee\n\nEspresso is strong.\n")
    (folder / "b\nbad.json").write_text("{")
    (folder / "c\ncopy.md").write_text("# Coffee\n\nEspresso is strong.\n")
    cli.json("index", folder, code=3)
    listed = cli.run("status", "-c", "default").stdout
    assert "\x1b" not in listed
    assert " passages  a " in next(line for line in listed.splitlines() if "red.md" in line)
    assert cli.run("status", "--failed").stdout.startswith("b bad.json:1: ")
    (told, _) = cli.run("status", "--dropped").stdout.splitlines()
    assert told.startswith("c copy.md: says the same as another document (a ")


def test_index_of_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli.run("index", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "there is no such file or folder" in done.stderr
    (tmp_path / "void").mkdir()
    assert cli.json("index", tmp_path / "void", code=1)["error"]["type"] == "SourceError"


def test_search_json(indexed: Cli) -> None:
    found = indexed.json("search", "black tea", "--top-k", "2")
    assert set(found) == {
        *("query", "mode", "took_ms", "cached", "rewritten", "hits", "facets", "warnings"),
    }
    assert (found["query"], found["mode"]) == ("black tea", "hybrid")
    best = found["hits"][0]
    assert best["path"] == "en/tea.md"
    assert best["rank"] == 1
    assert set(best["scores"]) == {"bm25", "dense"}
    assert set(best) == {
        *("rank", "score", "document", "version", "path", "title", "heading"),
        *("start", "end", "text", "scores", "matches"),
    }


@pytest.mark.parametrize("mode", ["bm25", "tfidf", "dense", "hybrid"])
def test_search_modes(indexed: Cli, mode: str) -> None:
    found = indexed.json("search", "홍차는 끓는 물", "--mode", mode)
    assert (found["mode"], found["hits"][0]["path"]) == (mode, "ko/tea.md")


def test_search_prints_place_heading_and_text(indexed: Cli) -> None:
    done = indexed.run("search", "wildcards star", "--filter", "path=en/*")
    assert done.returncode == 0
    assert "en/cors.md:" in done.stdout
    assert "CORS" in done.stdout
    assert "A star allows every origin" in done.stdout


def test_ask_json_cites(indexed: Cli) -> None:
    given = indexed.json("ask", "홍차는 끓는 물이 필요한가요?")
    assert set(given) == {
        *("question", "answer", "abstained", "unsure", "confidence", "generator", "program"),
        *("degraded", "cached", "citations", "dropped", "statements", "steps", "hits", "warnings"),
    }
    assert {s["support"] for s in given["statements"]} == {"supported"}
    assert given["generator"] == "extractive"
    quotes = {c["path"]: c for c in given["citations"]}
    assert quotes["ko/tea.md"]["quote"] in docs.FILES["ko/tea.md"]
    assert set(given["citations"][0]) == {
        *("n", "document", "version", "path", "line", "start", "end", "quote", "page", "aliases"),
    }


def test_ask_streams_then_lists_sources(indexed: Cli) -> None:
    with FakeLLM(reply="Black tea needs boiling water [1].") as fake:
        done = indexed.run("ask", "How is black tea made?", "--llm-url", fake.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Black tea needs boiling water [1].\n")
    assert "[1] en/tea.md:3" in done.stdout
    assert "“Black tea needs boiling water.”" in done.stdout


def test_ask_names_an_endpoint_that_is_down_and_quotes(indexed: Cli) -> None:
    with FakeLLM(reply="") as fake:
        url = fake.url
    done = indexed.run("ask", "How is black tea made?", "--llm-url", url)
    assert done.returncode == 0
    assert url in done.stderr
    assert "Black tea needs boiling water. [" in done.stdout


def test_a_long_note_takes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    view.warn("word " * 60)
    assert capsys.readouterr().err.count("\n") == 1


def test_bad_questions(indexed: Cli) -> None:
    error = indexed.json("ask", "x" * 100_000, code=2)["error"]
    assert (error["type"], "100,000" in error["message"]) == ("BadQuery", True)
    assert indexed.json("search", " ", code=2)["error"]["type"] == "BadQuery"
    assert indexed.json("search", "x", "--mode", "magic", code=2)["error"]["type"] == "BadQuery"
    assert indexed.run("search").returncode == 2
    assert indexed.json("search", code=2)["error"]["type"] == "UsageError"
    assert indexed.json("search", "x", "-k", "many", code=2)["error"]["type"] == "UsageError"


def test_what_a_terminal_would_obey_is_not_printed(cli: Cli, folder: Path) -> None:
    (folder / "evil.txt").write_text("Zebra \x1b]0;owned\x07\x1b[31m stripes.")
    cli.json("index", folder)
    for command in ("search", "ask"):
        out = cli.run(command, "zebra stripes").stdout
        assert "Zebra" in out
        assert not set(out) & {"\x1b", "\x07"}


def test_output_in_any_encoding(indexed: Cli) -> None:
    indexed.environment["PYTHONIOENCODING"] = "ascii"
    assert indexed.run("search", "홍차").returncode == 0
    assert indexed.run("search", "x", "--filter", "\udcff=1").returncode == 0


def test_a_reader_that_has_had_enough(indexed: Cli) -> None:
    command = f"{sys.executable} -m rag.cli search tea --home {indexed.home} | true"
    done = subprocess.run(
        command, shell=True, env=indexed.environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr


def test_status(cli: Cli, folder: Path) -> None:
    assert cli.json("status") == {"collections": [], "failed": []}
    assert "rag index" in cli.run("status").stdout
    cli.json("index", folder, "--collection", "handbook")
    (status,) = cli.json("status")["collections"]
    assert (status["name"], status["documents"], status["outstanding"]) == ("handbook", 5, 0)
    assert "en/tea.md" in cli.run("status", "--collection", "handbook").stdout


def test_delete(indexed: Cli) -> None:
    assert indexed.json("delete", "--path", "en/*", "--yes")["deleted"] == 2
    (hit,) = indexed.json("search", "flower pot", "--top-k", "1")["hits"]
    assert indexed.json("delete", hit["document"], "--yes")["deleted"] == 1
    assert indexed.json("status")["collections"][0]["documents"] == 2
    assert indexed.json("delete", hit["document"], "--yes", code=1)["error"]["type"] == "NotFound"
    assert indexed.json("delete", code=2)["error"]["type"] == "BadQuery"
    assert "--yes" in indexed.json("delete", "--path", "**", code=2)["error"]["remedy"]


def test_delete_asks_first(indexed: Cli) -> None:
    assert indexed.run("delete", "--path", "en/*", stdin="n\n").returncode == 1
    assert indexed.json("status")["collections"][0]["documents"] == 5
    assert indexed.run("delete", "--path", "en/*", stdin="y\n").returncode == 0
    assert indexed.json("status")["collections"][0]["documents"] == 3


def test_a_collection_that_does_not_exist(cli: Cli) -> None:
    error = cli.json("search", "tea", "--collection", "nowhere", code=1)["error"]
    assert error["type"] == "CollectionMissing"
    assert "rag index" in error["remedy"]
    assert (
        cli.json("search", "tea", "--collection", "../x", code=2)["error"]["type"] == "ConfigError"
    )


def test_an_index_of_a_newer_version(indexed: Cli) -> None:
    import sqlite3

    with sqlite3.connect(indexed.home / "collections/default/catalog.sqlite") as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.close()
    error = indexed.json("search", "tea", code=1)["error"]
    assert error["type"] == "IncompatibleIndex"
    assert "99" in error["message"]


def test_unknown_settings(indexed: Cli, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text("topk = 3")
    error = indexed.json("search", "tea", "--config", tmp_path / "my.toml", code=2)["error"]
    assert "Did you mean 'top_k'?" in error["remedy"]


def test_import_is_light() -> None:
    code = """
import sys, time
started = time.perf_counter()
import rag
took = time.perf_counter() - started
heavy = {"torch", "faiss", "numba", "transformers", "sentence_transformers"} & set(sys.modules)
print(took, heavy)
assert not heavy
import rag.cli.app
assert not {"torch", "faiss", "numba", "fastapi"} & set(sys.modules)
assert set(rag.__all__) <= set(dir(rag)) | set(rag._HOMES) | {"open"}
for name in rag.__all__:
    assert getattr(rag, name) is not None
assert not {"torch", "faiss"} & set(sys.modules), "first use imports them, not the names"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
