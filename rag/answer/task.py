"""A question under way, as prompt programs see it: what they may read, ask and spend.

Retrieved text comes to a model only through `Passages`, as data, and a program has no other means
than these: nothing here writes, fetches or runs anything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

from rag.answer.llm import LLM
from rag.answer.passages import Passages
from rag.answer.prompts import Prompts, voiced
from rag.answer.refusal import refusal
from rag.errors import BadQuery, LLMTimeout, LLMUnavailable, RagError
from rag.harmless import harmless
from rag.settings import Settings
from rag.types import Hit, Message

_MARGIN = 64
_LONGEST = 64
"""Characters of a reply for each token that it may have; what is more is a runaway's."""
_WIDE = 16
"""A piece is a token, and one more for each of so many characters, where they come all at once."""
_SPOKEN = ("answer", "revise")
"""Parts whose reply people read; a persona does not speak in plans and checks."""
Search = Callable[[str], Sequence[Hit]]
Text = Callable[[str, str], str]


class Task:
    """One question.

    Parameters
    ----------
    hits
        What was found for the question itself.
    search
        Finds passages for another one, as the asker may see them.
    text
        A document's version as a whole; raises `NotFound` where that is gone.
    persona
        Name of a template for how the model is to speak; empty for none.
    history
        Earlier turns, oldest first.
    left
        Set once nobody waits for the answer: the model is stopped, and asked no more.

    Attributes
    ----------
    passages
        Those shown to the model so far.
    """

    def __init__(
        self,
        question: str,
        language: str,
        hits: Sequence[Hit],
        *,
        llm: LLM,
        search: Search,
        text: Text,
        settings: Settings,
        prompts: Prompts,
        persona: str = "",
        history: Sequence[Message] = (),
        left: Event | None = None,
    ) -> None:
        self.question = harmless(question)
        self.language = language
        self.hits = hits
        self.search = search
        self.text = text
        self.settings = settings
        self.prompts = prompts
        self.passages = Passages(llm.count, text, settings.context_tokens)
        self.llm = llm
        self._persona = persona
        self._history = [Message(m.role, harmless(m.content)) for m in history]
        self._until = time.monotonic() + settings.answer_seconds
        self._tokens = settings.total_tokens
        self._left = left or Event()

    def read(
        self,
        hits: Sequence[Hit],
        prompt: str,
        part: str = "answer",
        *,
        spare: int = 0,
        **values: Any,  # noqa: ANN401
    ) -> list[int]:
        """Number those of ``hits`` that fit into this prompt, and say their numbers.

        ``spare`` tokens are left for messages that are no part of the template.

        Raises
        ------
        BadQuery
            The prompt is too long for the model even without passages.
        """
        empty = self.messages(prompt, part, **values)
        room = self.room(empty) - spare
        if room < _MARGIN:
            window = self.llm.context_tokens
            raise BadQuery(
                f"the question is too long for the model's window of {window:,} tokens",
                remedy="Shorten it",
            )
        return self.passages.read(hits, room)

    def messages(
        self,
        prompt: str,
        part: str = "answer",
        *,
        passages: Sequence[int] = (),
        examples: Sequence[Message] = (),
        history: bool = False,
        spare: int = 0,
        **values: Any,  # noqa: ANN401
    ) -> list[Message]:
        """A part of a template, filled in.

        ``$question``, ``$passages`` and ``$refusal`` (what to say where they hold no answer) have
        their values; ``values`` are those of others, made harmless. ``examples`` stand before the
        last message and, with ``history``, after them the earlier turns that fit and leave
        ``spare`` tokens.
        """
        said = {name: harmless(str(value)) for name, value in values.items()}
        said = {"question": self.question, **said}
        found = self.prompts.get(prompt).messages(
            part,
            self.language,
            passages=self.passages.block(passages),
            refusal=refusal(self.language),
            **said,
        )
        if self._persona and part in _SPOKEN:
            found = voiced(found, self.prompts.get(self._persona, "persona"), self.language)
        found[-1:-1] = examples
        if history:
            found[-1:-1] = self._turns(self.room(found) - spare)
        return found

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> Iterator[str]:
        """The model's reply, piece by piece, within what the question may still spend.

        Raises
        ------
        LLMTimeout
            Its time is up.
        LLMUnavailable
            Its tokens are spent, or the model failed.
        BadQuery
            The messages do not fit the model's window.
        """
        self._await_somebody()
        left = self._until - time.monotonic()
        if left <= 0:
            raise LLMTimeout(self.llm.endpoint, self.settings.answer_seconds)
        if self._tokens <= 0:
            total = self.settings.total_tokens
            why = f"the {total:,} tokens that a question may take (total_tokens) are spent"
            raise LLMUnavailable(self.llm.endpoint, why)
        most = min(max_tokens or self.settings.answer_tokens, self._tokens)
        pieces = self.llm.stream(
            messages, max_tokens=most, temperature=temperature, stop=stop, schema=schema,
            seconds=left if math.isfinite(left) else None,
        )  # fmt: skip
        room = most * _LONGEST
        with closing(pieces):  # type: ignore[type-var]
            for piece in pieces:
                self._tokens -= 1 + len(piece) // _WIDE
                if left_out := len(piece) > room:
                    piece = piece[:room]
                room -= len(piece)
                yield piece
                self._await_somebody()
                if left_out:
                    return

    def _await_somebody(self) -> None:
        if self._left.is_set():
            raise LLMUnavailable(self.llm.endpoint, "nobody waits for its reply any more")

    def ask(self, messages: Sequence[Message], **how: Any) -> str:  # noqa: ANN401
        """The model's whole reply; ``how`` as in ``stream``."""
        return "".join(self.stream(messages, **how)).strip()

    def sample(
        self,
        messages: Sequence[Message],
        count: int,
        *,
        temperature: float = 0.7,
        **how: Any,  # noqa: ANN401
    ) -> Iterator[str]:
        """``count`` replies to the same, as many at once as the model can take.

        Those that fail are left out.

        Raises
        ------
        LLMTimeout, LLMUnavailable
            All have failed.
        """
        pool = ThreadPoolExecutor(min(count, self.llm.at_once), "sample")
        asked = [
            pool.submit(self.ask, messages, temperature=temperature, **how) for _ in range(count)
        ]
        failed: list[RagError] = []
        try:
            for one in asked:
                try:
                    reply = one.result()
                except (LLMTimeout, LLMUnavailable) as e:
                    failed.append(e)
                else:
                    yield reply
        except BaseException:
            self._left.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if len(failed) == count:
            raise failed[0]

    def room(self, messages: Sequence[Message]) -> int:
        """Tokens that the model's window has left beside ``messages`` and an answer."""
        room = self.llm.context_tokens - self.settings.answer_tokens - _MARGIN
        return room - sum(self.llm.count(m.content) for m in messages)

    def _turns(self, room: int) -> list[Message]:
        """The newest earlier turns that fit ``room`` tokens."""
        kept: list[Message] = []
        for message in reversed(self._history):
            room -= self.llm.count(message.content)
            if room < 0:
                break
            kept.insert(0, message)
        return kept
