"""A way of several steps to an answer: what was searched, read and found out on it so far.

Knows the parts of a template by their names alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rag.answer.lenient import LINE, line
from rag.answer.task import Task
from rag.errors import BadQuery
from rag.types import Hit, Step

_EACH = 2
"""Passages read for one search; all searches share one budget."""
_BRIEF = 120
_FINDING = 500


class Trail:
    """The way of one question by the template ``prompt``.

    Attributes
    ----------
    read
        Numbers of the passages read on it.
    findings
        What each step before found out.
    """

    def __init__(self, task: Task, prompt: str) -> None:
        self.task = task
        self.prompt = prompt
        self.read: list[int] = []
        self.findings: list[str] = []
        self._asked: list[str] = []

    def search(self, query: str, part: str, **values: Any) -> list[int]:  # noqa: ANN401
        """Numbers of the best passages for ``query`` that fit that part of the template."""
        query = line(query, min(2 * LINE, self.task.settings.max_query_chars))
        try:
            hits = self.task.search(query)
        except BadQuery:  # nothing that can be searched for
            return []
        return self.gather(hits, part, **values)

    def gather(self, hits: Sequence[Hit], part: str, **values: Any) -> list[int]:  # noqa: ANN401
        """Numbers of the best of ``hits`` that fit that part of the template."""
        numbers = self.task.read(hits[:_EACH], self.prompt, part, **values)
        self.read = list(dict.fromkeys([*self.read, *numbers]))
        return numbers

    def again(
        self,
        part: str,
        others: Sequence[Hit] = (),
        **values: Any,  # noqa: ANN401
    ) -> list[int]:
        """Numbers of what was read that fit that part of the template, then of ``others``."""
        read = [self.task.passages.hits[n - 1] for n in self.read]
        return self.task.read([*read, *others], self.prompt, part, **values)

    def look_up(self, asked: str, part: str = "step") -> Iterator[Step]:
        """Have the model answer a question on the way from what is found for it and is known."""
        known = self.known(part, asked=asked)
        if numbers := self.search(asked, part, asked=asked, known=known):
            yield from self.conclude(asked, part, numbers, known)
        else:
            yield self._found(asked, self.said("nothing"))

    def conclude(
        self, asked: str, part: str, numbers: Sequence[int] = (), known: str = ""
    ) -> Iterator[Step]:
        """Have the model answer ``asked`` with these passages."""
        task = self.task
        messages = task.messages(self.prompt, part, passages=numbers, asked=asked, known=known)
        said = " ".join(task.ask(messages, max_tokens=_BRIEF).split())[:_FINDING]
        yield self._found(asked, said or self.said("nothing"))

    def answer(self, **values: Any) -> Iterator[str]:  # noqa: ANN401
        """The answer to the question, from what was read and what was found for itself."""
        task = self.task
        numbers = self.again("answer", task.hits, **values)
        yield from task.stream(task.messages(self.prompt, passages=numbers, history=True, **values))

    def known(self, part: str, **values: Any) -> str:  # noqa: ANN401
        """Questions and answers so far, as many of the last ones as take half that prompt."""
        room = self.room(part, known="", **values) // 2
        pairs = zip(self._asked, self.findings, strict=True)
        lines = [f"- {asked} -> {found}" for asked, found in pairs]
        return "\n".join(newest([[text] for text in lines], room, self.task)) or "-"

    def room(self, part: str, **values: Any) -> int:  # noqa: ANN401
        """Tokens that passages may take in that part of the template."""
        return self.task.room(self.task.messages(self.prompt, part, **values))

    def said(self, part: str, **values: Any) -> str:  # noqa: ANN401
        """A line of the template, in the question's language."""
        return self.task.messages(self.prompt, part, **values)[-1].content

    def _found(self, asked: str, finding: str) -> Step:
        self._asked.append(asked)
        self.findings.append(finding)
        return Step("answer", finding)


def newest(texts: Sequence[Sequence[str]], room: int, task: Task) -> list[str]:
    """The last of ``texts`` that fit ``room`` tokens, each in its first version that does."""
    kept: list[str] = []
    for versions in reversed(texts):
        sized = ((text, task.llm.count(text)) for text in versions)
        fits = next(((text, size) for text, size in sized if size <= room), None)
        if fits is None:
            break
        kept.insert(0, fits[0])
        room -= fits[1]
    return kept
