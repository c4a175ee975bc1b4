"""A language model that says what a script has, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from rag.types import Message
from tests.support.fake_llm import pieces

Reply = Callable[[Sequence[Message]], str]


@dataclass(frozen=True)
class Call:
    """One request to the model."""

    messages: list[Message]
    max_tokens: int
    temperature: float
    stop: tuple[str, ...]
    schema: Mapping[str, Any] | None
    seconds: float | None

    @property
    def roles(self) -> list[str]:
        return [m.role for m in self.messages]

    @property
    def system(self) -> str:
        return self.messages[0].content

    @property
    def last(self) -> str:
        return self.messages[-1].content


class Scripted:
    """The model.

    Parameters
    ----------
    replies
        What it says, call by call, the last one from then on; or a function of the messages.

    Attributes
    ----------
    calls
        What it was asked, in order.
    closed
        Streams that ended or were closed.
    at_once
        Calls that it takes at the same time.
    """

    name = endpoint = "scripted"
    context_tokens = 4096
    languages: tuple[str, ...] = ()

    def __init__(self, *replies: str | Reply) -> None:
        self._replies = replies
        self._lock = Lock()
        self.calls: list[Call] = []
        self.closed = 0
        self.at_once = 1

    def count(self, text: str) -> int:
        return len(text) // 3

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        call = Call([*messages], max_tokens, temperature, tuple(stop), schema, seconds)
        with self._lock:
            self.calls.append(call)
            reply = self._replies[min(len(self.calls), len(self._replies)) - 1]
        try:
            yield from pieces(reply if isinstance(reply, str) else reply(messages))
        finally:
            self.closed += 1

    def ready(self) -> None: ...

    def close(self) -> None: ...
