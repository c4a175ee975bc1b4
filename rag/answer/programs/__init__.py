"""Prompt programs: ways to get from a question to an answer with a language model, one file each.

A program is a function of a `Task`. It yields `Step`s, for what it does on the way, and the text of
its answer piece by piece, with ``[n]`` after what rests on passage ``n``. It works with any LLM
client, asks it through the task alone, and keeps within what the task may spend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

from rag.answer.prompts import Prompts
from rag.answer.task import Task
from rag.errors import BadQuery
from rag.types import Step

Program = Callable[[Task], Iterator[Step | str]]
NAMES = (
    "zero-shot",
    "few-shot",
    "chain-of-thought",
    "zero-shot-chain-of-thought",
    "self-consistency",
    "least-to-most",
    "decomposed",
    "plan-and-solve",
    "react",
    "ircot",
    "verified",
    "router",
)
SEARCHING = frozenset(("least-to-most", "decomposed", "plan-and-solve", "react", "ircot", "router"))
"""Those that search for more, so that the first hits do not tell whether they will find it."""


def program(name: str, prompts: Prompts | None = None) -> Program:
    """The program of that name, or zero-shot with the pattern of that name that a user added.

    Raises
    ------
    BadQuery
        There is neither.
    """
    if name in NAMES:
        return _run(name)
    added = prompts.added() if prompts else []
    if name not in added:
        known = ", ".join((*NAMES, *added))
        raise BadQuery(f"there is no program '{name[:64]}'", remedy=f"Known are {known}")
    return partial(_run("zero-shot"), prompt=name)


def _run(name: str) -> Callable[..., Iterator[Step | str]]:
    run: Callable[..., Iterator[Step | str]] = import_module(
        f"rag.answer.programs.{name.replace('-', '_')}"
    ).run
    return run
