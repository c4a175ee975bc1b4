"""One sentence of reasoning, then passages for it, and so on (IRCoT; Trivedi et al., 2022).

Once the answer is said, or the last step done, a reader answers from the passages gathered, as in
the paper: the reasoning itself is not shown to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from rag.analysis import sentences
from rag.answer.lenient import line, plain
from rag.answer.task import Task
from rag.answer.trail import Trail, newest
from rag.types import Message, Step

_NAME = "ircot"
_SENTENCE = 80


def run(task: Task) -> Iterator[Step | str]:
    trail = Trail(task, _NAME)
    trail.gather(task.hits, "step", thoughts="")
    said = trail.said("said").casefold()
    thoughts: list[str] = []
    for _ in range(task.settings.max_steps):
        thought = _next(task, _messages(trail, thoughts))
        if not thought or thought in thoughts:
            break
        thoughts.append(thought)
        yield Step("thought", thought)
        if said in thought.casefold():
            break
        before = set(trail.read)
        trail.search(plain(thought), "step", thoughts="")
        new = " ".join(f"[{n}]" for n in trail.read if n not in before)
        yield Step("observation", new or trail.said("nothing"))
    yield from trail.answer()


def _messages(trail: Trail, thoughts: Sequence[str]) -> list[Message]:
    room = trail.room("step", thoughts="") // 3
    kept = " ".join(newest([[thought] for thought in thoughts], room, trail.task)) or "-"
    numbers = trail.again("step", thoughts=kept)
    return trail.task.messages(_NAME, "step", passages=numbers, history=True, thoughts=kept)


def _next(task: Task, messages: Sequence[Message]) -> str:
    """The first sentence that the model writes; it is stopped when it begins another."""
    text = ""
    with closing(task.stream(messages, max_tokens=_SENTENCE)) as pieces:  # type: ignore[type-var]
        for piece in pieces:
            text = (text + piece).lstrip()
            if len([*sentences(text)]) > 1:
                break
    return next((line(text[start:end]) for start, end in sentences(text)), "")
