from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.answer.prompts import OURS
from rag.cli.app import app
from rag.errors import BadQuery, ConfigError
from tests.support.fake_llm import FakeLLM

QUESTION = "녹차는 몇 도에서 우리나요?"
OWN = """
version = 2
kind = "pattern"
about.en = "Mine."
[answer.en]
user = "$passages $question"
"""


def run(*arguments: object) -> tuple[int, str]:
    """The exit code and standard output of `rag prompts`; expected errors are raised."""
    done = CliRunner().invoke(app, ["prompts", *map(str, arguments)], env={"COLUMNS": "200"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def read(*arguments: object) -> tuple[int, dict[str, Any]]:
    code, out = run(*arguments, "--json")
    found: dict[str, Any] = json.loads(out)
    return code, found


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mine.toml").write_text(OWN)
    return folder


def test_list(own: Path) -> None:
    code, found = read("list", "--prompts", own)
    rows = {row["name"]: row for row in found["prompts"]}
    assert (code, found["failed"]) == (0, [])
    assert set(rows) == {"mine", *(f.stem for f in OURS.glob("*.toml"))}
    assert rows["mine"] == {
        "name": "mine", "version": 2, "kind": "pattern", "about": {"en": "Mine."},
        "file": str(own / "mine.toml"), "ours": False,
    }  # fmt: skip
    assert rows["expert"]["ours"]
    code, out = run("list", "--prompts", own)
    assert code == 0
    assert f"mine                        pattern   2  ({own / 'mine.toml'})\n    Mine.\n" in out


def test_the_folder_may_come_from_the_settings(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_PROMPTS", str(own))
    assert read("show", "mine")[1]["version"] == 2


def test_list_goes_on_after_a_file_that_makes_no_sense(own: Path) -> None:
    (own / "bad.toml").write_text("version = ")
    code, found = read("list", "--prompts", own)
    assert code == 3
    assert "mine" in [row["name"] for row in found["prompts"]]
    (failed,) = found["failed"]
    assert failed["name"] == "bad"
    assert f"{own / 'bad.toml'} cannot be read" in failed["error"]


def test_show() -> None:
    code, out = run("show", "brief")
    assert (code, out.rstrip("\n")) == (0, (OURS / "brief.toml").read_text("utf-8").rstrip("\n"))
    code, found = read("show", "brief")
    assert found["parts"]["voice"]["ko"]["system"].startswith("되도록 한 문장으로")


def test_a_name_that_is_none(tmp_path: Path) -> None:
    for command in ("show", "test"):
        with pytest.raises(BadQuery, match="there is no prompt 'nothing'"):
            run(command, "nothing")
    with pytest.raises(ConfigError, match="there is no folder"):
        run("list", "--prompts", tmp_path / "gone")


@pytest.mark.parametrize("name", sorted(f.stem for f in OURS.glob("*.toml")))
def test_ours_pass_their_test(name: str) -> None:
    code, found = read("test", name)
    assert (code, found["problems"], found["reply"]) == (0, [], "")
    for one in found["rendered"]:
        assert one["messages"]
        assert all("$" not in m["content"] for m in one["messages"])


def test_each_part_and_language_is_filled_in() -> None:
    code, out = run("test", "zero-shot")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("==")] == [
        "== answer, en",
        "== answer, ko",
    ]
    assert "Green tea is brewed at 80 degrees." in out
    assert "\n\nQuestion: How is green tea brewed?\n" in out
    assert "\n\n질문: 녹차는 어떻게 우리나요?\n" in out
    assert f"질문: {QUESTION}" in run("test", "zero-shot", "--question", QUESTION)[1]


def test_a_persona_is_shown_below_the_rules_that_it_speaks_by() -> None:
    _, found = read("test", "brief")
    system, user = found["rendered"][1]["messages"]
    assert system["content"].startswith("주어진 문서 조각만 근거로")
    assert "\n\n되도록 한 문장으로" in system["content"]
    assert user["content"].endswith("질문: 녹차는 어떻게 우리나요?")


def test_a_placeholder_that_means_nothing_is_reported(own: Path) -> None:
    file = own / "zero-shot.toml"
    file.write_text(OWN.replace("$question", "$questoin") + "[extra.en]\nuser = '$refusal'\n")
    code, found = read("test", "zero-shot", "--prompts", own)
    assert code == 3
    assert found["problems"] == [
        f"{file}: part 'answer' has $questoin, which means nothing there; "
        "known are passages, question, refusal"
    ]


def test_a_part_that_ours_has_is_missed(own: Path) -> None:
    (own / "few-shot.toml").write_text(OWN)
    code, found = read("test", "few-shot", "--prompts", own)
    assert code == 3
    assert found["problems"] == [
        f"{own / 'few-shot.toml'} lacks the part '{part}'" for part in ("example", "bare")
    ]


def test_a_model_that_is_named_is_asked_once() -> None:
    with FakeLLM(reply="80도입니다 [1].") as fake:
        code, found = read(
            "test", "expert", "--question", QUESTION, "--llm-url", fake.url
        )  # fmt: skip
        (chat,) = fake.chats()
    assert (code, found["reply"]) == (0, "80도입니다 [1].")
    assert chat.body["messages"][-1]["content"].endswith(f"질문: {QUESTION}")
    assert "동료에게 쓰는 전문가처럼" in chat.body["messages"][0]["content"]
