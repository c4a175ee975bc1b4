"""Simpler questions first, each with the answers before it (Zhou et al., 2022).

``#1`` in a simpler question stands for the answer to the first one.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.lenient import items, referred
from rag.answer.task import Task
from rag.answer.trail import Trail
from rag.types import Step

_NAME = "least-to-most"


def run(task: Task) -> Iterator[Step | str]:
    trail = Trail(task, _NAME)
    most = task.settings.max_steps
    reply = task.ask(task.messages(_NAME, "decompose", history=True, most=most))
    simpler = [one for one in items(reply, most) if one.casefold() != task.question.casefold()]
    plan = "\n".join(f"{n}. {one}" for n, one in enumerate(simpler, 1))
    yield Step("plan", plan or trail.said("whole"))
    for one in simpler:
        asked = referred(one, trail.findings)
        yield Step("question", asked)
        yield from trail.look_up(asked)
    yield from trail.answer(known=trail.known("answer"))
