"""Thinking step by step, then the answer drawn from it (Kojima et al. 2022, arXiv:2205.11916)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.answer.reasoning import told_apart
from rag.answer.task import Task
from rag.harmless import harmless
from rag.types import Message, Step

_NAME = "zero-shot-chain-of-thought"


def run(task: Task) -> Iterator[Step | str]:
    spare = concluding(task)
    read = task.read(task.hits, _NAME, "think", spare=spare)
    messages = task.messages(_NAME, "think", passages=read, history=True, spare=spare)
    thought = yield from told_apart(task.stream(messages), answers=False)
    yield from conclusion(task, messages, thought)


def conclusion(task: Task, messages: Sequence[Message], thought: str) -> Iterator[str]:
    """The answer that follows from what the model thought in reply to ``messages``."""
    asked = task.messages(_NAME, "answer")
    return task.stream([*messages, Message("assistant", harmless(thought)), *asked])


def concluding(task: Task) -> int:
    """Tokens that a conclusion takes at most, besides the prompt before and the answer."""
    asked = task.messages(_NAME, "answer")
    return task.settings.answer_tokens + sum(task.llm.count(m.content) for m in asked)
