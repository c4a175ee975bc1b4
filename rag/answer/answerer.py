"""Answers questions over a collection, with citations that resolve. Knows no HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.answer.cache import AnswerCache, Asked, asked
from rag.answer.inquiry import Inquiry
from rag.answer.llm import LLM
from rag.answer.masked import Event
from rag.answer.programs import program as named
from rag.answer.prompts import Prompts
from rag.answer.topics import Topics
from rag.answer.verify import Judge, Verifier
from rag.errors import RagError
from rag.search import Searcher
from rag.types import Answer, Filter, Message, Mode, SearchResult

__all__ = ["Answerer", "Event"]


class Answerer:
    """Answers from what ``searcher`` finds.

    Parameters
    ----------
    llm
        Without one, answers quote the best sentences.
    lacking
        Why there is no language model, where one was wanted.
    judge
        Says whether passages bear out a sentence, besides the words that they share.
    answers
        Those given before, where a like question may get one of them.
    """

    def __init__(
        self,
        searcher: Searcher,
        llm: LLM | None = None,
        *,
        lacking: str = "",
        judge: Judge | None = None,
        answers: AnswerCache | None = None,
    ) -> None:
        self.searcher = searcher
        self.llm = llm
        self.verifier = Verifier(searcher.collection.idf, judge)
        self._answers = answers if searcher.settings.answer_cache else None
        self.settings = searcher.settings
        folder = self.settings.prompts
        self.prompts = Prompts(Path(folder).expanduser() if folder else None)
        self.topics = Topics(self.settings.blocked, searcher.analyser)
        self.lacking = lacking

    def ask(
        self,
        question: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        history: Sequence[Message] = (),
        **how: Any,  # noqa: ANN401
    ) -> Answer:
        """The answer as a whole; see ``stream``."""
        answer = [e for e in self.stream(question, top_k, mode, filter, history, **how)][-1]
        if not isinstance(answer, Answer):
            raise TypeError("a stream ends with an Answer")
        return answer

    def stream(
        self,
        question: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002
        history: Sequence[Message] = (),
        *,
        program: str = "",
        persona: str = "",
        left: threading.Event | None = None,
    ) -> Iterator[Event]:
        """First the ``SearchResult``, then steps and deltas of text, at last the ``Answer``.

        The ``Answer`` may differ from the deltas: if too little of what the model wrote rests on
        the passages, or the model fails, it quotes the best sentences instead and says so. Where
        the hits hold no answer as far as retrieval can tell, it abstains and asks no model.
        Closing the iterator stops the model.

        Parameters
        ----------
        program, persona
            Names in ``rag.answer.programs`` and of a template; the settings' by default.
        left
            May be set by another thread: stops the model also while the iterator is at work.

        Raises
        ------
        BadQuery
            The question is empty, or too long for the model; no program or persona is called so.
        """
        name = program or self.settings.program
        run = named(name, self.prompts)
        persona = persona or self.settings.persona
        if persona:
            self.prompts.get(persona, "persona")
        inquiry = Inquiry(self, run, name, persona, history, left)
        events = inquiry.events(question, top_k, mode, filter)
        if self._answers is None or history:
            return events
        model = self.llm.endpoint if self.llm else ""
        same = self._asked(question, top_k, mode, filter, (name, persona, model))
        return _remembered(events, same, self._answers) if same else events

    def _asked(
        self,
        question: str,
        top_k: int | None,
        mode: Mode | None,
        filter: Filter | None,  # noqa: A002
        writer: tuple[str, ...],
    ) -> Asked | None:
        """What to look for among the answers given before, if the encoder can tell."""
        try:
            return asked(self.searcher, question, top_k, mode, filter, writer=writer)
        except RagError:
            return None


def _remembered(events: Iterator[Event], asked: Asked, answers: AnswerCache) -> Iterator[Event]:
    """The answer given before, or ``events``, whose answer is kept."""
    with closing(events):  # type: ignore[type-var]
        if known := answers.get(asked):
            mode, hits = asked.scope.search.mode, known.hits
            yield SearchResult(known.question, mode, hits, 0.0, known.warnings, cached=True)
            yield known.text
            yield replace(known, cached=True)
            return
        for event in events:
            if isinstance(event, Answer):
                answers.put(asked, event)
            yield event
