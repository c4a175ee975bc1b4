"""`rag eval`, `rag tune` and `rag synth` as people use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eval import formats
from tests.support.questions import dataset

SHORT = """\
[[configuration]]
name = "bm25s"
system = "bm25s"
[[configuration]]
name = "words"
mode = "bm25"
[[configuration]]
name = "both"
mode = "hybrid"
"""


class Cli:
    def __init__(self, tmp_path: Path) -> None:
        self.environment = os.environ | {
            "RAG_ENCODER": "hashing",
            "RAG_LLM": "none",
            "RAG_HOME": str(tmp_path / "home"),
            "RAG_CACHE": str(tmp_path / "cache"),
            "COLUMNS": "120",
        }

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rag.cli", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + ("" if code == 0 else done.stderr)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    formats.save(dataset(6), tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    (tmp_path / "grid.toml").write_text(SHORT, "utf-8")
    return tmp_path / "grid.toml"


def test_eval_compares_and_reports(cli: Cli, data: Path, grid: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    shown = cli("eval", "--data", data, "--grid", grid, "--out", out, "--explain-worst", "3")
    assert {"bm25s", "words", "both"} <= {line.split()[0] for line in shown.splitlines() if line}
    assert "data: 30 queries, 5 documents" in shown
    assert (out / "report.html").read_text("utf-8").startswith("<!doctype html>")
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert len(result["outcomes"]) == 3
    assert len(list((out / "runs").glob("*.run"))) == 3


def test_eval_for_ci(cli: Cli, data: Path, grid: Path) -> None:
    cli("eval", "--data", data, "--grid", grid, "--fail-under", "nDCG@10=0.9")
    failed = cli("eval", "--data", data, "--grid", grid, "--fail-under", "P@10=0.5", code=1)
    assert "P@10 of" in failed
    assert "below 0.5" in failed
    assert "write MEASURE=VALUE" in cli("eval", "--data", data, "--fail-under", "x", code=2)


def test_eval_of_answers(cli: Cli, data: Path, tmp_path: Path) -> None:
    (tmp_path / "careful.toml").write_text('mode = "bm25"\nmin_confidence = 0.9\n', "utf-8")
    (tmp_path / "bold.toml").write_text('mode = "bm25"\nmin_confidence = 0.0\n', "utf-8")
    shown = cli("eval", "--data", data, "--config", tmp_path / "careful.toml",
                "--config", tmp_path / "bold.toml", "--answers",
                "--measure", "abstained_right", "--json")  # fmt: skip
    result: dict[str, Any] = json.loads(shown)
    outcomes = {o["name"]: o for o in result["outcomes"]}
    assert outcomes["bold"]["values"]["abstained_right"]["none"] == 1  # nothing is found
    assert outcomes["bold"]["summary"]["abstained_right"]["mean"] == 1
    assert outcomes["careful"]["totals"]["abstained"] > 1
    assert result["measure"] == "abstained_right"


def test_questions_are_made_asked_and_tuned_by(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("index", folder)
    for i in range(30):
        name = f"Topic {i}"
        text = f"# {name}\n\nThe colour of stone number {i} is kept in drawer {i * 7} upstairs.\n"
        (folder / f"stone{i}.md").write_text(text, "utf-8")
    cli("index", folder)
    questions = tmp_path / "questions"
    made = json.loads(cli("synth", questions, "--count", "40", "--kind", "single", "--json"))
    assert made["queries"] >= 20
    asked = json.loads(cli("eval", "--data", questions, "--collection", "default", "--json"))
    words = next(o for o in asked["outcomes"] if o["name"] == "bm25")
    assert words["summary"]["R@100"]["mean"] > 0.9
    tuned = json.loads(
        cli("tune", "--data", questions, "--split", "test", "--collection", "default",
            "--trials", "3", "--json")
    )  # fmt: skip
    won = tuned["held_out"]["comparison"]["difference"]["mean"] > 0
    assert bool(tuned["saved"]) == bool(tuned["settings"])
    assert won == bool(tuned["settings"].keys() - {"min_confidence"})
    status = json.loads(cli("status", "--collection", "default", "--json"))
    assert status["collections"][0]["tuned"].get("settings", {}) == tuned["settings"]


def test_a_tuning_that_wins_counts_until_it_is_reset(cli: Cli, tmp_path: Path) -> None:
    from tests.test_tune import by_length

    formats.save(by_length(), tmp_path / "data", "train")
    docs = tmp_path / "docs"
    for d in by_length().documents:
        (docs / d.path).parent.mkdir(exist_ok=True)
        (docs / f"{d.path}.txt").write_text(d.text, "utf-8")
    cli.environment |= {"RAG_ENCODER": "none"}
    (tmp_path / "bad.toml").write_text("k1 = 4.0\nb = 0.0\n", "utf-8")
    shown = cli("tune", "--data", tmp_path / "data", "--config", tmp_path / "bad.toml",
                "--trials", "12", "--out", tmp_path / "good.toml")  # fmt: skip
    assert "These win on the held-out part." in shown
    assert "# data: data" in (tmp_path / "good.toml").read_text("utf-8")
    both = cli("eval", "--data", tmp_path / "data", "--split", "train", "--config",
               tmp_path / "bad.toml", "--config", tmp_path / "good.toml", "--json")  # fmt: skip
    assert [o["name"] for o in json.loads(both)["outcomes"]] == ["good", "bad"]


def test_nothing_of_the_user_s_is_written_over(cli: Cli, data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "rag.toml"
    mine.write_text('encoder = "hashing"\n', "utf-8")
    assert "was not written by `rag tune`" in cli("tune", "--data", data, "--out", mine, code=2)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/tea.md").write_text("# Tea\n\nGreen tea is brewed at 80 degrees.\n", "utf-8")
    cli("index", tmp_path / "docs")
    before = (data / "qrels/test.tsv").read_bytes()
    assert "were not made by rag synth" in cli("synth", data, code=2)
    assert "no name for a split" in cli("synth", data, "--split", "a/b", code=2)
    assert (data / "qrels/test.tsv").read_bytes() == before


def test_options_that_would_do_nothing_are_refused(cli: Cli, data: Path, tmp_path: Path) -> None:
    assert "Add --answers" in cli("eval", "--data", data, "--judge-url", "http://x/v1", code=2)
    rubric = ("--answers", "--rubric", tmp_path / "none.toml")
    assert "there is no judge" in cli("eval", "--data", data, *rubric, code=2)
    file = tmp_path / "q.csv"
    file.write_text("question,source\ntea,tea.md\n", "utf-8")
    assert "has no splits" in cli("tune", "--data", file, "--test", "test", code=2)
    assert "no measure 'nope'" in cli("eval", "--data", data, "--measure", "nope", code=2)
    named = cli("eval", "--data", data, "--fail-under", "MRR@10=2", code=1)
    assert "RR@10 of" in named


def test_what_is_missing_is_said(cli: Cli, tmp_path: Path, data: Path) -> None:
    assert "nowhere" in cli("eval", "--data", tmp_path / "nowhere", code=1)
    assert "no collection 'none'" in cli("eval", "--data", data, "-c", "none", code=1)
    assert "nothing to tune by" in cli("tune", code=2)
    assert "--collection NAME" in cli("tune", "--reset", code=2)
    assert "no collection 'default'" in cli("synth", tmp_path / "q", code=1)
