"""The READMEs and the manual say what the code does: settings, commands, links, the snippet."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rag import wire
from rag.cli.app import app
from rag.settings import Settings, fields
from rag.workspace import Workspace
from tests.support import docs

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]
PAGES = [*READMES, *sorted((ROOT / "docs").rglob("*.md"))]
BROUGHT_LATER = {ROOT / "docs/page.png"}
NO_SETTING = {("index", "--watch")}
"""Flags that share a setting's name only: this one says to go on, not what to watch."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


readmes = pytest.mark.parametrize("readme", READMES, ids=name)
tables = pytest.mark.parametrize(
    "manual", [ROOT / "docs" / lang / "settings-and-errors.md" for lang in ("en", "ko")], ids=name
)
pages = pytest.mark.parametrize("page", PAGES, ids=name)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks in ``language``."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """What the shell blocks and the inline code call, as words, without comments."""
    text = page.read_text("utf-8")
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines + inline if (words := line.split("#")[0].split())]


def table(readme: Path) -> list[tuple[str, str, str]]:
    """The rows of the settings' table: name, default, the commands with a flag."""
    row = re.compile(r"^\| `([a-z0-9_]+)` \| `([^`]*)` \| ([^|]*)\|.+\|$", re.M)
    return row.findall(readme.read_text("utf-8"))


def shown_default(field: dataclasses.Field[object]) -> str:
    if field.name == "home":
        return "~/.saem"
    if field.name == "cache":
        return "~/.cache/saem"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    if field.default == ():
        return "[]"
    return '""' if field.default == "" else str(field.default)


@tables
def test_the_table_of_settings_is_complete_and_right(manual: Path) -> None:
    assert [(setting, default) for setting, default, _ in table(manual)] == [
        (f.name, shown_default(f)) for f in fields()
    ]


def test_the_defaults_that_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert Settings().home == Path("~/.saem").expanduser()
    assert Settings().cache == Path("~/.cache/saem").expanduser()


@tables
def test_flags_of_settings_are_where_the_table_says(manual: Path) -> None:
    known = options()
    for setting, _, flagged in table(manual):
        flag = f"--{setting.replace('_', '-')}"
        having = {
            c
            for c, flags in known.items()
            if flag in flags
            and not c.startswith(("models ", "prompts "))
            and (c, flag) not in NO_SETTING
        }
        listed = set(re.findall(r"`(\w+)`", flagged))
        if listed == {"models"}:
            listed = {c for c in known if not c.startswith(("models ", "prompts "))}
        assert having == listed, setting


@pages
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    called = [c for c in commands(page) if c[0] == "make" and len(c) > 1]
    for call in called:
        wanted = {word for word in call[1:] if "=" not in word}
        assert wanted <= targets, call
        variables = {word.split("=")[0] for word in call[1:] if "=" in word}
        assert variables <= {"DOCS", "HOME_DIR", "PORT", "PYTHON", "DATA"}, call


def options() -> dict[str, set[str]]:
    """Each command, ``models list`` for a nested one, and its options."""
    found = {}
    top = typer.main.get_command(app)
    for command, group in top.commands.items():  # type: ignore[attr-defined]
        for nested, leaf in getattr(group, "commands", {"": group}).items():
            flags = {flag for p in leaf.params for flag in (*p.opts, *p.secondary_opts)}
            found[f"{command} {nested}".strip()] = flags | {"--help"}
    return found


@pages
def test_every_rag_command_and_option_exists(page: Path) -> None:
    known = options()
    for call in commands(page):
        at = next((i for i, w in enumerate(call) if w in ("rag", ".venv/bin/rag")), None)
        # `rag` may follow variables or `docker exec`; elsewhere it is a name (`rag` of an answer).
        if at is None or at + 1 == len(call):
            continue
        words = call[at + 1 :]
        nested = words[0] in ("models", "prompts")
        if nested and words[1:2] == ["|"]:
            continue
        command = " ".join(words[:2]) if nested else words[0]
        assert command in known, call
        flags = {w.split("=")[0] for w in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", w)}
        assert flags <= known[command], call


@readmes
def test_the_readme_shows_every_command(readme: Path) -> None:
    text = readme.read_text("utf-8")
    for command in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"rag {command}" in text


@pages
def test_relative_links_and_images_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target.partition("#")[0]).resolve()
        assert file.exists() or file in BROUGHT_LATER, target


@readmes
def test_the_python_snippet_runs(readme: Path, tmp_path: Path) -> None:
    (snippet,) = blocks(readme, "python")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    environment = os.environ | {
        "RAG_ENCODER": "hashing",
        "RAG_LLM": "none",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    ranks = [line.split()[0] for line in done.stdout.splitlines()[:3]]
    assert ranks == ["1", "2", "3"]
    assert re.search(r"^\[\d+\] (en|ko)/[\w-]+\.md:\d+ .", done.stdout, re.M)
    assert (tmp_path / "my-home/collections/manual/catalog.sqlite").is_file()


@readmes
def test_the_documented_shapes_are_the_real_ones(readme: Path, tmp_path: Path) -> None:
    saem = Workspace(docs.settings(tmp_path / "home"))
    docs.index(saem, docs.write(tmp_path / "docs"))
    answer = wire.answer(saem.answerer().ask("How is green tea brewed?"))
    found = wire.search(saem.searcher().search("tea"))
    saem.close()
    shapes = dict(re.findall(r"^\| (.+?) \| `\{(.+)\}` \|", readme.read_text("utf-8"), re.M))

    def keys(row: str) -> list[str]:
        shape = re.sub(r": (\{[^}]*\}|\[[^\]]*\])", "", shapes[row])
        return shape.split(", ")

    assert keys("`search`, `POST /search`") == list(found)
    assert keys("`ask`, `POST /ask`") == list(answer)
    assert keys("hit") == list(found["hits"][0])
    assert keys("citation") == list(answer["citations"][0])
