"""Examples of answered questions before the question (Brown et al. 2020, arXiv:2005.14165).

They come from the file that the setting ``examples`` names: those most like the question (Liu et
al. 2022, arXiv:2101.06804), or all. Their order matters (Lu et al. 2022, arXiv:2104.08786), so it
can be set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.answer.examples import Example, load_pool
from rag.answer.task import Task
from rag.errors import ConfigError
from rag.harmless import harmless
from rag.types import Message, Step

_NAME = "few-shot"


def run(task: Task) -> Iterator[Step | str]:
    examples = _examples(task)
    read = task.read(task.hits, _NAME, examples=examples)
    yield from task.stream(task.messages(_NAME, passages=read, examples=examples, history=True))


def _examples(task: Task) -> list[Message]:
    """Turns that show examples, in at most half of the model's window."""
    settings = task.settings
    if not settings.examples:
        raise ConfigError(
            "few-shot has no examples to show",
            remedy="Set `examples` to a JSONL file with a question and an answer a line",
        )
    pool = load_pool(Path(settings.examples).expanduser())
    nearest = pool.nearest(task.question)
    room = task.room([]) // 2
    turns: dict[int, list[Message]] = {}
    for i in nearest[: settings.shots or None]:
        shown = _turns(task, pool.examples[i])
        size = sum(task.llm.count(m.content) for m in shown)
        if size <= room:
            turns[i] = shown
            room -= size
    chosen = sorted(turns) if settings.shot_order == "file" else list(turns)
    if settings.shot_order == "nearest-last":
        chosen.reverse()
    return [message for i in chosen for message in turns[i]]


def _turns(task: Task, example: Example) -> list[Message]:
    shown = "\n\n".join(f"[{n}] {text}" for n, text in enumerate(example.passages, 1))
    return task.prompts.get(_NAME).messages(
        "example" if shown else "bare",
        task.language,
        passages=f"<passages example>\n{harmless(shown)}\n</passages example>",
        question=harmless(example.question),
        answer=harmless(example.answer),
    )
