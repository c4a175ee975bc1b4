"""A language model that counts what it is asked and says. Knows no prompt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from rag.answer.llm import LLM, estimate_tokens
from rag.errors import RagError
from rag.types import Message


@dataclass(frozen=True, slots=True)
class Call:
    """One reply, or the sum of some.

    ``prompt_tokens`` are those of the messages, without what a chat template adds. The
    milliseconds are those spent waiting for the model: to the first piece, and in all.
    """

    prompt_tokens: int = 0
    answer_tokens: int = 0
    first_token_ms: float = 0.0
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Heard:
    """A reply whose tokens are yet to be counted."""

    prompt: tuple[str, ...]
    answer: str
    first_token_ms: float
    ms: float


class Metered:
    """``llm``, which remembers its replies since the last ``take``; safe to share between threads.

    Tokens are counted when they are asked for, so that counting costs no reply time.
    """

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self._lock = Lock()
        self._heard: list[_Heard] = []

    @property
    def calls(self) -> list[Call]:
        """The calls since the last take, in the order in which they ended."""
        return [self._call(heard) for heard in self._heard]

    @property
    def name(self) -> str:
        return self._llm.name

    @property
    def at_once(self) -> int:
        return self._llm.at_once

    @property
    def endpoint(self) -> str:
        return self._llm.endpoint

    @property
    def context_tokens(self) -> int:
        return self._llm.context_tokens

    @property
    def languages(self) -> tuple[str, ...]:
        return self._llm.languages

    def count(self, text: str) -> int:
        return self._llm.count(text)

    def ready(self) -> None:
        self._llm.ready()

    def close(self) -> None:
        self._llm.close()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        **how: Any,  # noqa: ANN401
    ) -> Iterator[str]:
        """As ``LLM.stream``; a reply that broke off or was stopped counts as far as it came."""
        prompt = tuple(m.content for m in messages)
        said: list[str] = []
        first = spent = 0.0
        pieces = self._llm.stream(messages, max_tokens=max_tokens, **how)
        try:
            while True:
                started = time.perf_counter()
                try:
                    piece = next(pieces)
                except StopIteration:
                    return
                finally:
                    spent += (time.perf_counter() - started) * 1000
                first = first if said else spent
                said.append(piece)
                yield piece
        finally:
            if close := getattr(pieces, "close", None):
                close()
            heard = _Heard(prompt, "".join(said), first if said else spent, spent)
            with self._lock:
                self._heard.append(heard)

    def take(self) -> Call:
        """The sum of the calls since the last take, which are forgotten."""
        with self._lock:
            calls, self._heard = self.calls, []
        return Call(
            sum(c.prompt_tokens for c in calls),
            sum(c.answer_tokens for c in calls),
            sum(c.first_token_ms for c in calls),
            sum(c.ms for c in calls),
        )

    def _call(self, heard: _Heard) -> Call:
        prompt = sum(self._count(text) for text in heard.prompt)
        return Call(prompt, self._count(heard.answer), heard.first_token_ms, heard.ms)

    def _count(self, text: str) -> int:
        """Tokens of ``text``, estimated where the model cannot be asked any more."""
        try:
            return self._llm.count(text)
        except RagError:
            return estimate_tokens(text)
