"""A plan first, then its steps, each with what is found for it (Wang et al., 2023)."""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.lenient import items
from rag.answer.task import Task
from rag.answer.trail import Trail
from rag.types import Step

_NAME = "plan-and-solve"


def run(task: Task) -> Iterator[Step | str]:
    trail = Trail(task, _NAME)
    most = task.settings.max_steps
    read = trail.gather(task.hits, "plan", most=most)
    reply = task.ask(task.messages(_NAME, "plan", passages=read, history=True, most=most))
    steps = items(reply, most)
    plan = "\n".join(f"{n}. {one}" for n, one in enumerate(steps, 1))
    yield Step("plan", plan or trail.said("whole"))
    for step in steps:
        yield Step("action", step)
        yield from trail.look_up(step)
    yield from trail.answer(known=trail.known("answer"))
