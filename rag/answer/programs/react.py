"""Thoughts and actions in turn (ReAct; Yao et al., 2022), over the collection.

The actions are the paper's: ``Search[entity]`` finds passages, ``Lookup[string]`` goes through the
sentences that hold a string in the document found last, ``Finish[answer]`` ends. They only read. An
action that is malformed, or was done before, is told to the model once; from then on, or after the
last step, it answers from what it has read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rag.answer.context import render
from rag.answer.lenient import LINE, line
from rag.answer.page import Page
from rag.answer.task import Task
from rag.answer.trail import Trail, newest
from rag.types import Message, Step

_NAME = "react"
_STOP = ("\nObservation",)
_ACTION = re.compile(
    r"(?:Action[ \t]?\d{0,3}[ \t*]{0,4}:[ \t*`]{0,4}|^[ \t*`]{0,8})(Search|Lookup|Finish)\[",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(r"[\s*]{0,8}Thought[ \t]?\d{0,3}[ \t*]{0,4}:", re.IGNORECASE)
_ENDS = {"[": 1, "]": -1}


class _Action(NamedTuple):
    name: str
    argument: str


def run(task: Task) -> Iterator[Step | str]:
    trail, page = Trail(task, _NAME), Page(task.text)
    turns: list[tuple[str, str]] = []
    done: set[tuple[str, ...]] = set()
    told = False
    for n in range(1, task.settings.max_steps + 1):
        reply = task.ask(_messages(trail, turns, n), stop=_STOP)
        thought, action = _parsed(reply)
        if thought:
            yield Step("thought", thought)
        if action:
            yield Step("action", f"{action.name}[{action.argument}]")
            if action.name == "Finish":
                if not trail.read:
                    trail.gather(task.hits, "answer")
                yield action.argument
                return
        wrong = _wrong(action, done, page)
        if wrong and told:
            break
        told = told or bool(wrong)
        note, numbers = trail.said(wrong) if wrong else "", list[int]()
        if action and not wrong:
            done.add(_key(action, page))
            note, numbers = _observed(trail, page, action)
        shown = [line(render(i, task.passages.hits[i - 1].chunk)) for i in numbers]
        yield Step("observation", "\n".join(part for part in [note, *shown] if part))
        turns.append(_turn(n, reply, note, task.passages.block(numbers) if numbers else ""))
    yield Step("observation", trail.said("stopped"))
    yield from trail.answer()


def _messages(trail: Trail, turns: list[tuple[str, str]], n: int) -> list[Message]:
    room = trail.room("step", transcript="", n=n)
    transcript = "\n".join(newest(turns, room, trail.task))
    return trail.task.messages(_NAME, "step", history=True, transcript=transcript, n=n)


def _turn(n: int, reply: str, note: str, block: str) -> tuple[str, str]:
    """A turn as the next prompt shows it: whole, and without its passages."""
    said = f"Thought {n}: {_LABEL.sub('', reply, count=1).strip()[: 2 * LINE]}\nObservation {n}:"
    return "\n".join(filter(None, [f"{said} {note}".rstrip(), block])), f"{said} {note or '...'}"


def _parsed(reply: str) -> tuple[str, _Action | None]:
    """The thought and the action of a reply; no action where there is none that makes sense."""
    found = _ACTION.search(reply)
    before = reply[: found.start()] if found else reply
    thought = line(_LABEL.sub("", before, count=1).strip("*`\n "))
    if found is None:
        return thought, None
    name, argument = found[1].capitalize(), _bracketed(reply[found.end() :]).strip()
    if name != "Finish":
        argument = line(argument)
    return thought, _Action(name, argument) if argument else None


def _bracketed(text: str) -> str:
    """``text`` up to the bracket that closes the one before it; all of it if none does."""
    depth = 1
    for i, character in enumerate(text):
        depth += _ENDS.get(character, 0)
        if not depth:
            return text[:i]
    return text


def _key(action: _Action, page: Page) -> tuple[str, ...]:
    where = page.document if action.name == "Lookup" else ""
    return action.name, action.argument.casefold(), where


def _wrong(action: _Action | None, done: set[tuple[str, ...]], page: Page) -> str:
    """The part of the template that says what is wrong with an action; empty if nothing is."""
    if action is None:
        return "malformed"
    again = action.name == "Lookup" and page.more(action.argument)
    return "repeated" if _key(action, page) in done and not again else ""


def _observed(trail: Trail, page: Page, action: _Action) -> tuple[str, list[int]]:
    """What an action shows: a remark, and the numbers of passages."""
    task = trail.task
    spare = trail.room("step", transcript="", n=1) // 3
    if action.name == "Search":
        numbers = trail.search(action.argument, "step", transcript="", n=1, spare=spare)
        if numbers:
            page.open(task.passages.hits[numbers[0] - 1])
        return ("" if numbers else trail.said("nothing")), numbers
    if not page.document:
        return trail.said("unopened"), []
    hit, which = page.look_up(action.argument)
    numbers = trail.gather([hit], "step", transcript="", n=1, spare=spare) if hit else []
    return (f"({which})" if numbers else trail.said("nothing")), numbers
