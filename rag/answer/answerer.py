"""Answers a question over a collection, with citations that resolve. Knows no HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.analysis import detect, terms
from rag.answer import prompt
from rag.answer.cited import CitedText
from rag.answer.confidence import confidence
from rag.answer.context import pack
from rag.answer.evidence import Evidence, Sentence
from rag.answer.llm import LLM
from rag.errors import BadQuery
from rag.search import Searcher
from rag.types import Answer, Citation, Filter, Hit, Message, Mode, SearchResult

Event = SearchResult | str | Answer
"""What a streamed answer consists of: the hits, deltas of text, the whole."""
_MARGIN = 64
_SOURCES = 5
_QUOTED = 2
_FOOTNOTE = re.compile(r"\[([\d,\s]+)\]")
"""What would look like a marker of ours."""


class Answerer:
    """Answers from what ``searcher`` finds.

    Parameters
    ----------
    llm
        Without one, answers quote the best sentences.
    lacking
        Why there is no language model, where one was wanted.
    """

    def __init__(self, searcher: Searcher, llm: LLM | None = None, *, lacking: str = "") -> None:
        self.searcher = searcher
        self.llm = llm
        self.settings = searcher.settings
        self._lacking = lacking

    def ask(
        self,
        question: str,
        top_k: int | None = None,
        mode: Mode | None = None,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        history: Sequence[Message] = (),
    ) -> Answer:
        """The answer as a whole; see ``stream``."""
        answer = [e for e in self.stream(question, top_k, mode, filter, history)][-1]
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
    ) -> Iterator[Event]:
        """First the ``SearchResult``, then deltas of text, at last the ``Answer``.

        The ``Answer`` may differ from the deltas: if too little of what the model wrote rests on
        the passages, it quotes the best sentences instead and says so in its warnings. Where the
        hits hold no answer as far as retrieval can tell, it abstains and asks no model. Closing
        the iterator stops the model.

        Raises
        ------
        BadQuery
            The question is empty, or too long for the model.
        LLMUnavailable, LLMTimeout
            The model failed; the hits were delivered before.
        """
        result = self.searcher.search(question, top_k, mode, filter)
        yield result
        question = result.query
        language = detect(question)
        warnings = list(result.warnings)
        # A further turn ("and why?") may say too little by itself.
        least = self.settings.min_confidence
        if not result.hits or (not history and confidence(self.searcher, result) < least):
            yield self._refusal(question, language, result.hits, warnings)
        elif (llm := self._writer(language, warnings)) is None:
            answer = self._quoted(question, result.hits, warnings)
            yield answer.text
            yield answer
        else:
            yield from self._written(llm, question, result.hits, language, warnings, history)

    def _writer(self, language: str, warnings: list[str]) -> LLM | None:
        """The model, if there is one that writes ``language``."""
        if self.llm is None:
            if self._lacking:
                warnings.append(f"quoting the documents: {self._lacking}")
            return None
        if self.llm.languages and language not in self.llm.languages:
            speaks = ", ".join(self.llm.languages)
            warnings.append(
                f"quoting the documents: the model {self.llm.name} writes {speaks} only"
            )
            return None
        return self.llm

    def _written(
        self,
        llm: LLM,
        question: str,
        found: Sequence[Hit],
        language: str,
        warnings: list[str],
        history: Sequence[Message],
    ) -> Iterator[str | Answer]:
        """What the model writes, with good citations only; then the ``Answer``."""
        hits, messages = self._prompt(llm, question, found, language, history)
        cited = CitedText(Evidence(hits, self.searcher.encoder), len(hits))
        parts: list[str] = []
        deltas = llm.stream(messages, max_tokens=self.settings.answer_tokens)
        try:
            for delta in deltas:
                if shown := cited.feed(delta):
                    parts.append(shown)
                    yield shown
                if cited.looping:
                    warnings.append("the model repeated itself and was stopped")
                    break
        finally:
            if close := getattr(deltas, "close", None):
                close()
        if rest := cited.end():
            parts.append(rest)
            yield rest
        text = "".join(parts).strip()
        if cited.dropped:
            warnings.append(f"{cited.dropped} citation(s) of passages that do not exist dropped")
        if prompt.is_refusal(text):
            yield self._refusal(question, language, found, warnings)
        elif cited.quotes and cited.supported >= cited.statements / 2:
            yield self._answer(question, text, cited.quotes, hits, warnings)
        else:
            warnings.append(
                "too little of the model's answer rested on the passages; "
                "quoting the documents instead"
            )
            yield self._quoted(question, found, warnings)

    def _prompt(
        self,
        llm: LLM,
        question: str,
        hits: Sequence[Hit],
        language: str,
        history: Sequence[Message],
    ) -> tuple[tuple[Hit, ...], list[Message]]:
        """The passages and earlier turns that fit the model's window, newest turns first."""
        room = llm.context_tokens - self.settings.answer_tokens - _MARGIN
        room -= sum(llm.count(m.content) for m in prompt.messages(question, [], language))
        if room < _MARGIN:
            raise BadQuery(
                f"the question is too long for the model's window of {llm.context_tokens:,} tokens",
                remedy="Shorten it",
            )
        budget = min(self.settings.context_tokens, room)
        context, passages = pack(hits, budget, llm.count, self.searcher.collection.text)
        room -= context.tokens
        kept: list[Message] = []
        for message in reversed(history):
            room -= llm.count(message.content)
            if room < 0:
                break
            kept.insert(0, message)
        return context.hits, prompt.messages(question, passages, language, kept)

    def _refusal(
        self, question: str, language: str, hits: Sequence[Hit], warnings: Sequence[str]
    ) -> Answer:
        text = prompt.refusal(language)
        return Answer(question, text, True, (), tuple(hits), tuple(warnings))

    def _quoted(self, question: str, hits: Sequence[Hit], warnings: Sequence[str]) -> Answer:
        """An answer made of the documents' own best sentences."""
        evidence = Evidence(hits[:_SOURCES], self.searcher.encoder)
        weights = self.searcher.collection.idf(terms(question, evidence.language))
        quotes = evidence.relevant(question, weights, _QUOTED)
        if not quotes:  # passages of signs alone
            return self._refusal(question, detect(question), hits, warnings)
        plain = [_FOOTNOTE.sub(r"(\1)", " ".join(q.text.split())) for q in quotes]
        text = " ".join(f"{said} [{q.n}]" for said, q in zip(plain, quotes, strict=True))
        return self._answer(question, text, quotes, hits, warnings)

    def _answer(
        self,
        question: str,
        text: str,
        quotes: Sequence[Sentence],
        hits: Sequence[Hit],
        warnings: Sequence[str],
    ) -> Answer:
        chunks = [hits[q.n - 1].chunk for q in quotes]
        places = [(c.document, c.version, q.start) for c, q in zip(chunks, quotes, strict=True)]
        found = self.searcher.collection.places(places)
        citations = tuple(
            Citation(q.n, c.document, c.version, c.path, at.line, q.start, q.end, q.text, at.page,
                     at.aliases)
            for q, c, at in zip(quotes, chunks, found, strict=True)
        )  # fmt: skip
        return Answer(question, text, False, citations, tuple(hits), tuple(warnings))
