"""One fact is asked for at once, several by searching on from what was found (IRCoT).

Which it is, the question's words tell (`rag.answer.hops`); no model is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.hops import hops
from rag.answer.programs import program
from rag.answer.task import Task
from rag.types import Step


def run(task: Task) -> Iterator[Step | str]:
    found = hops(task.question, task.language)
    name = "ircot" if found else "zero-shot"
    yield Step("route", f"{name} ({found or 'one fact'})")
    yield from program(name)(task)
