"""The Typer application and what happens to errors."""

from __future__ import annotations

import io
import itertools
import json
import os
import sqlite3
import sys
from typing import Annotated, Any

import typer

from rag import __version__, errors
from rag.cli import commands, explain, measuring, models, prompts, tuning, upkeep, view

EXIT_CODES: dict[type[errors.RagError], int] = {
    errors.ConfigError: 2,
    errors.CollectionMissing: 1,
    errors.CollectionLocked: 1,
    errors.CorruptIndex: 1,
    errors.IncompatibleIndex: 1,
    errors.SourceError: 1,
    errors.ModelMissing: 1,
    errors.DependencyMissing: 1,
    errors.BadQuery: 2,
    errors.NotFound: 1,
    errors.NotAllowed: 1,
    errors.Overloaded: 1,
    errors.LLMUnavailable: 1,
    errors.LLMTimeout: 1,
}
"""0 is success, 1 failed, 2 wrong usage, 3 partly: some files failed, the rest is indexed."""

app = typer.Typer(
    name="rag",
    help="Saem (샘): search your documents and get answers that show where they stand.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        view.say(__version__)
        raise typer.Exit


app.command("index")(commands.index)
app.command("search")(commands.search)
app.command("explain")(explain.explain)
app.command("ask")(commands.ask)
app.command("serve")(commands.serve)
app.command("status")(commands.status)
app.command("delete")(commands.delete)
app.command("reindex")(upkeep.reindex)
app.command("compact")(upkeep.compact)
app.command("verify")(upkeep.verify)
app.command("backup")(upkeep.backup)
app.command("restore")(upkeep.restore)
app.command("eval")(measuring.evaluate)
app.command("tune")(tuning.tune)
app.command("synth")(tuning.synth)
app.add_typer(models.app, name="models")
app.add_typer(prompts.app, name="prompts")


def main() -> None:
    """Run the command line; expected errors become one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as e:
        if e.code == 2 and _wants_json():  # Typer has said on standard error what is wrong
            _fail("UsageError", "the command line is wrong", "See `rag COMMAND --help`", 2)
        raise
    except errors.RagError as e:
        _fail(e.kind.__name__, e.message, e.remedy, EXIT_CODES.get(e.kind, 1))
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, sqlite3.Error) as e:
        _fail(type(e).__name__, str(e), "", 1)


def _wants_json() -> bool:
    options = itertools.takewhile(lambda word: word != "--", sys.argv)
    return "--json" in options


def _fail(kind: str, message: str, remedy: str, code: int) -> None:
    if _wants_json():
        error: dict[str, Any] = {"type": kind, "message": message, "remedy": remedy}
        print(json.dumps({"error": error}, ensure_ascii=False))  # noqa: T201
    else:
        print(f"rag: {message}" + (f"\n     {remedy}" if remedy else ""), file=sys.stderr)  # noqa: T201
    sys.exit(code)
