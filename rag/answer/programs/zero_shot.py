"""The passages and the question, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.task import Task
from rag.types import Step


def run(task: Task, prompt: str = "zero-shot") -> Iterator[Step | str]:
    """``prompt`` is the template to use."""
    read = task.read(task.hits, prompt)
    yield from task.stream(task.messages(prompt, passages=read, history=True))
