"""Decomposed prompting (Khot et al., 2022): the model writes a small program, and this runs it.

Each of its steps names a handler and what that is given; ``#1`` stands for what came of the first
step. A part ``do-NAME`` of the template is a handler ``NAME``, which searches for what it is given
if its text has ``$passages``. Besides, ``split`` has its own program written, down to a depth, and
``answer`` ends one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.answer.lenient import json_object, line, referred
from rag.answer.task import Task
from rag.answer.trail import Trail
from rag.types import Step

_NAME = "decomposed"
_DEPTH = 2
_PREFIX = "do-"
_Plan = list[tuple[str, str]]


def run(task: Task) -> Iterator[Step | str]:
    trail = Trail(task, _NAME)
    yield from _solved(trail, task.question, 0)
    yield from trail.answer(known=trail.known("answer"))


def _solved(trail: Trail, asked: str, depth: int) -> Iterator[Step]:
    """Carry out a program for ``asked``; below the first, there is a finding of it in the end."""
    plan = _plan(trail, asked, depth)
    listed = "\n".join(f"{n}. {do}: {given}" for n, (do, given) in enumerate(plan, 1))
    yield Step("plan", listed or trail.said("whole"))
    if depth and not plan:
        yield from trail.look_up(asked, f"{_PREFIX}search")
    found: list[str] = []
    for do, written in plan:
        if len(trail.findings) >= trail.task.settings.max_steps:
            return
        given = referred(written, found)
        yield Step("action", f"{do}: {given}")
        if do == "split":
            yield from _solved(trail, given, depth + 1)
        else:
            yield from _handled(trail, f"{_PREFIX}{do}", given)
        found.append(trail.findings[-1])


def _handled(trail: Trail, part: str, given: str) -> Iterator[Step]:
    if "passages" in trail.task.prompts.get(_NAME).placeholders(part):
        yield from trail.look_up(given, part)
    else:
        yield from trail.conclude(given, part, known=trail.known(part, asked=given))


def _plan(trail: Trail, asked: str, depth: int) -> _Plan:
    """The steps of the program that the model writes; none if that makes no sense."""
    task = trail.task
    parts = task.prompts.get(_NAME).parts
    handlers = [part.removeprefix(_PREFIX) for part in parts if part.startswith(_PREFIX)]
    handlers += ["split", "answer"] if depth < _DEPTH else ["answer"]
    most = task.settings.max_steps
    messages = task.messages(
        _NAME, "plan", history=not depth, asked=asked, handlers=", ".join(handlers), most=most
    )
    program = json_object(task.ask(messages, schema=_schema(handlers, most))) or {}
    plan: _Plan = []
    steps = program.get("steps")
    for step in steps[:most] if isinstance(steps, list) else ():
        do, given = (step.get("do"), step.get("input")) if isinstance(step, dict) else ("", "")
        if do not in handlers or not isinstance(given, str):
            return []
        if do == "answer":
            # Of the program as a whole that is the answer; of one within, a finding.
            return [*plan, ("merge", line(given) or asked)] if depth and plan else plan
        plan.append((do, line(given) or asked))
    return plan


def _schema(handlers: list[str], most: int) -> dict[str, Any]:
    step = {
        "type": "object",
        "properties": {"do": {"enum": handlers}, "input": {"type": "string"}},
        "required": ["do", "input"],
        "additionalProperties": False,
    }
    steps = {"type": "array", "items": step, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"steps": steps},
        "required": ["steps"],
        "additionalProperties": False,
    }
