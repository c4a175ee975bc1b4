"""A question that was made from passages, before it is known to be a good one. Knows no maker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from rag.types import Chunk

Kind = Literal["single", "multi", "unanswerable", "paraphrase", "cross"]
KINDS: tuple[Kind, ...] = ("single", "multi", "unanswerable", "paraphrase", "cross")
Method = Literal["cloze", "title", "llm"]
RULES: tuple[Method, ...] = ("cloze", "title")
LANGUAGES = ("ko", "en")
"""Those that questions can be asked in."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question and the passages that it was made from.

    ``answer`` is empty where none is known, ``model`` where none was used. The passages of an
    ``unanswerable`` one only lent it its words.
    """

    text: str
    kind: Kind
    method: Method
    language: str
    sources: tuple[Chunk, ...]
    answer: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A question that was no good, and why in a few words."""

    reason: str


class Maker(Protocol):
    """Makes questions of passages."""

    @property
    def kinds(self) -> tuple[Kind, ...]: ...

    def drafts(self, kind: Kind, passage: Chunk, language: str) -> Iterator[Draft | Rejected]:
        """Questions of that kind about ``passage``, which is in ``language``, best first."""
        ...


def place(passage: Chunk) -> str:
    """The passage as judgements name it: ``path@start-end``."""
    return f"{passage.path}@{passage.start}-{passage.end}"
