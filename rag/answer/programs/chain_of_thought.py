"""Reasoning before the answer, as worked examples show it (Wei et al. 2022, arXiv:2201.11903)."""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.programs.zero_shot_chain_of_thought import concluding, conclusion
from rag.answer.reasoning import told_apart
from rag.answer.task import Task
from rag.types import Message, Step

_NAME = "chain-of-thought"
_EXAMPLE = "example-"
"""How the template's parts with worked examples begin."""


def run(task: Task) -> Iterator[Step | str]:
    messages = prompt(task)
    thought = yield from told_apart(task.stream(messages))
    if thought:
        yield from conclusion(task, messages, thought)


def prompt(task: Task) -> list[Message]:
    """Rules, worked examples, passages and the question; leaves room for a conclusion."""
    template = task.prompts.get(_NAME)
    examples = [
        message
        for part in sorted(template.parts)
        if part.startswith(_EXAMPLE)
        for message in template.messages(part, task.language)
    ]
    spare = concluding(task)
    read = task.read(task.hits, _NAME, examples=examples, spare=spare)
    return task.messages(_NAME, passages=read, examples=examples, history=True, spare=spare)
