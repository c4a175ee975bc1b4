"""One question under way: search, program, checks, and what is said where one of them fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.analysis import detect
from rag.answer.cited import CitedText
from rag.answer.evidence import Evidence, Sentence
from rag.answer.extract import quoted
from rag.answer.grounds import Grounds, grounds
from rag.answer.llm import LLM
from rag.answer.masked import Event, masked
from rag.answer.programs import SEARCHING, Program
from rag.answer.redact import Redactor
from rag.answer.refusal import is_refusal, refusal
from rag.answer.task import Task
from rag.answer.tongue import is_in
from rag.answer.topics import blocked
from rag.errors import LLMTimeout, LLMUnavailable, RagError
from rag.types import (
    Answer,
    Citation,
    Filter,
    Hit,
    Message,
    Mode,
    SearchResult,
    Statement,
    Step,
)

if TYPE_CHECKING:
    from rag.answer.answerer import Answerer

_WORTH = {"supported": 1.0, "partly": 0.5, "unsupported": 0.0}
_LEAST = 0.5
"""An answer that is worth less, by its statements, gives way to quotations."""


class Inquiry:
    """What is known of one question, from search to answer."""

    def __init__(
        self,
        answerer: Answerer,
        run: Program,
        program: str,
        persona: str,
        history: Sequence[Message],
        left: threading.Event | None = None,
    ) -> None:
        self._answerer = answerer
        self._left = left
        self._searcher = answerer.searcher
        self._settings = answerer.settings
        self._topics = answerer.topics
        self._run = run
        self._program = program
        self._persona = persona
        self._history = history
        self._warnings: list[str] = []
        self._steps: list[Step] = []
        self._found: Sequence[Hit] = ()
        self._grounds = Grounds((), 0.0)
        self._doubtful = True
        self._until = time.monotonic() + answerer.settings.answer_seconds

    def events(
        self,
        question: str,
        top_k: int | None,
        mode: Mode | None,
        filter: Filter | None,  # noqa: A002 - the field's word
    ) -> Iterator[Event]:
        """As ``Answerer.stream``."""
        events = self._events(question, top_k, mode, filter)
        redactor = Redactor(self._settings.redact)
        return masked(events, redactor) if redactor else events

    def _events(
        self,
        question: str,
        top_k: int | None,
        mode: Mode | None,
        filter: Filter | None,  # noqa: A002
    ) -> Iterator[Event]:
        self._question, self._language = question, detect(question)
        if self._topics.of(question):
            yield SearchResult(question, mode or self._settings.mode, (), 0.0)
            yield self._blocked()
            return
        result = self._searcher.search(question, top_k, mode, filter, self._history)
        if self._topics.of(result.asked):  # as the conversation makes it
            yield replace(result, hits=())
            yield self._blocked()
            return
        yield result
        self._question, self._language = result.query, detect(result.query)
        self._found = result.hits
        self._warnings += result.warnings
        if not result.hits:
            yield self._refusal()
            return
        self._grounds = grounds(self._searcher, replace(result, query=result.asked))
        # A further turn ("and why?") may say too little by itself.
        told = bool(self._history) and result.asked == result.query
        self._doubtful = not told and self._grounds.confidence < self._settings.min_confidence
        llm = self._writer()
        if self._doubtful and (llm is None or self._program not in SEARCHING):
            yield self._refusal()
        elif llm is None:
            answer = self._quoted()
            if not answer.abstained:
                yield answer.text
            yield answer
        else:
            task = Task(
                result.asked,
                self._language,
                result.hits,
                llm=llm,
                search=lambda query: self._searcher.search(query, top_k, mode, filter).hits,
                text=self._searcher.collection.text,
                settings=self._settings,
                prompts=self._answerer.prompts,
                persona=self._persona,
                history=self._history,
                left=self._left,
            )
            yield from self._written(task)

    def _writer(self) -> LLM | None:
        """The model, if there is one that writes the question's language."""
        llm, lacking = self._answerer.llm, self._answerer.lacking
        if llm is None:
            if lacking:
                self._warnings.append(f"quoting the documents: {lacking}")
            return None
        if llm.languages and self._language not in llm.languages:
            speaks = ", ".join(llm.languages)
            self._warnings.append(
                f"quoting the documents: the model {llm.name} writes {speaks} only"
            )
            return None
        return llm

    def _written(self, task: Task) -> Iterator[Step | str | Answer]:
        """What the program writes, with good citations only; then the ``Answer``."""
        cited: CitedText | None = None
        parts: list[str] = []
        events = self._run(task)
        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Step):
                        yield from self._step(event)
                        continue
                    cited = cited or self._cited(task)
                    if shown := cited.feed(event):
                        parts.append(shown)
                        if not self._topics:  # else it is shown once it is known to be on none
                            yield shown
                    if cited.looping:
                        self._warnings.append("the model repeated itself and was stopped")
                        break
        except (LLMTimeout, LLMUnavailable) as e:
            yield self._instead(e)
            return
        cited = cited or self._cited(task)
        if rest := cited.end():
            parts.append(rest)
            if not self._topics:
                yield rest
        text = "".join(parts).strip()
        if not (is_refusal(text) or is_in(text, self._language)):
            text, cited = self._translated(text, cited, task)
        yield self._judged(text, cited, task)

    def _step(self, step: Step) -> Iterator[Step]:
        """``step``, unless it is on a topic that is blocked."""
        if not self._topics.of(step.text):
            self._steps.append(step)
            yield step

    def _cited(self, task: Task) -> CitedText:
        hits = task.passages.hits
        return CitedText(Evidence(hits, self._searcher.encoder), len(hits))

    def _translated(self, text: str, cited: CitedText, task: Task) -> tuple[str, CitedText]:
        """``text`` in the question's language, if the model manages that."""
        try:
            said = task.ask(task.messages("translated", text=text))
        except RagError:
            said = ""
        if not (said and is_in(said, self._language)):
            self._warnings.append("the model answered in another language than the question's")
            return text, cited
        again = self._cited(task)
        return (again.feed(said) + again.end()).strip(), again

    def _judged(self, text: str, cited: CitedText, task: Task) -> Answer:
        """The answer that ``text`` makes, or what is better than that."""
        if cited.dropped:
            self._warnings.append(
                f"{cited.dropped} citation(s) of passages that do not exist dropped"
            )
        if is_refusal(text):
            return self._refusal()
        if self._topics.of(text):
            return self._blocked()
        hits = task.passages.hits
        statements = self._answerer.verifier.check(text, hits, cited.evidence, self._until)
        marks = [*(_WORTH[s.support] for s in statements), *map(float, cited.code)]
        worth = sum(marks) / max(len(marks), 1)
        if cited.quotes and worth >= _LEAST:
            sure = worth if self._program in SEARCHING else worth * self._grounds.confidence
            answer = self._answer(text, cited.quotes, hits, statements, sure)
            return replace(
                answer, generator=task.llm.name, program=self._program, dropped=cited.dropped
            )
        self._warnings.append(
            "too little of the model's answer rested on the passages; quoting the documents instead"
        )
        return replace(self._instead_quoted(), dropped=cited.dropped)

    def _instead(self, error: RagError) -> Answer:
        """Quotations, because the model failed."""
        self._warnings.append(f"quoting the documents: {error}")
        return replace(self._instead_quoted(), degraded=error.kind.__name__)

    def _instead_quoted(self) -> Answer:
        """Quotations in place of what a model wrote, unless they are too doubtful themselves."""
        return self._refusal() if self._doubtful else self._quoted()

    def _blocked(self) -> Answer:
        return Answer(self._question, blocked(self._language), True, (), ())

    def _refusal(self) -> Answer:
        return Answer(
            self._question, refusal(self._language), True, (), tuple(self._found),
            tuple(self._warnings), steps=tuple(self._steps), confidence=self._grounds.confidence,
        )  # fmt: skip

    def _quoted(self) -> Answer:
        """An answer made of the documents' own best sentences."""
        if not (quotes := self._grounds.quotes):  # passages of signs alone
            return self._refusal()
        text = quoted(quotes)
        if self._topics.of(text):
            return self._blocked()
        statements = self._answerer.verifier.check(
            text, self._found, Evidence(self._found[: max(q.n for q in quotes)]), self._until
        )
        return self._answer(text, quotes, self._found, statements, self._grounds.confidence)

    def _answer(
        self,
        text: str,
        quotes: Sequence[Sentence],
        hits: Sequence[Hit],
        statements: tuple[Statement, ...],
        sure: float,
    ) -> Answer:
        chunks = [hits[q.n - 1].chunk for q in quotes]
        places = [(c.document, c.version, q.start) for c, q in zip(chunks, quotes, strict=True)]
        found = self._searcher.collection.places(places)
        citations = tuple(
            Citation(q.n, c.document, c.version, c.path, at.line, q.start, q.end, q.text, at.page,
                     at.aliases)
            for q, c, at in zip(quotes, chunks, found, strict=True)
        )  # fmt: skip
        unsure = sure < self._settings.vague_confidence
        if unsure:
            self._warnings.insert(0, "the evidence is thin: check the quotations")
        return Answer(
            self._question, text, False, citations, tuple(hits), tuple(self._warnings), statements,
            tuple(self._steps), unsure, sure,
        )  # fmt: skip
