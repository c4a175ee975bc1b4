"""Answers a question over a collection, with citations that resolve. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.analysis import detect
from rag.answer import prompt
from rag.answer.cited import CitedText
from rag.answer.context import pack
from rag.answer.evidence import Evidence, Sentence
from rag.answer.llm import LLM
from rag.errors import BadQuery
from rag.search import Searcher
from rag.types import Answer, Citation, Filter, Hit, Message, Mode, SearchResult

Event = SearchResult | str | Answer
"""What a streamed answer consists of: the hits, deltas of text, the whole."""
_MARGIN = 64
_QUOTED = 2


class Answerer:
    """Answers from what ``searcher`` finds.

    Parameters
    ----------
    llm
        Without one, answers quote the best sentences.
    """

    def __init__(self, searcher: Searcher, llm: LLM | None = None) -> None:
        self.searcher = searcher
        self.llm = llm
        self.settings = searcher.settings

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

        The ``Answer`` may differ from the deltas: if no sentence of what the model wrote rests on
        a passage, it quotes the best sentences instead and says so in its warnings. Closing the
        iterator stops the model.

        Raises
        ------
        BadQuery
            The question is empty, or too long for the model.
        LLMUnavailable, LLMTimeout
            The model failed; the hits were delivered before.
        """
        result = self.searcher.search(question, top_k, mode, filter)
        yield result
        language = detect(question)
        warnings = list(result.warnings)
        if not result.hits:
            yield self._answer(question, prompt.refusal(language), (), (), warnings, abstained=True)
            return
        if self.llm is None:
            text, quotes = self._quoted(question, result.hits)
            yield text
            yield self._answer(question, text, quotes, result.hits, warnings)
            return
        hits, messages = self._prompt(self.llm, question, result.hits, language, history)
        cited = CitedText(Evidence(hits, self.searcher.encoder), len(hits))
        parts: list[str] = []
        deltas = self.llm.stream(messages, max_tokens=self.settings.answer_tokens)
        try:
            for delta in deltas:
                if shown := cited.feed(delta):
                    parts.append(shown)
                    yield shown
        finally:
            if close := getattr(deltas, "close", None):
                close()
        if rest := cited.end():
            parts.append(rest)
            yield rest
        text = "".join(parts).strip()
        if cited.dropped:
            warnings.append(
                f"{cited.dropped} citation(s) of passages that do not exist were dropped"
            )
        if prompt.is_refusal(text):
            yield self._answer(
                question, prompt.refusal(language), (), result.hits, warnings, abstained=True
            )
        elif cited.quotes:
            yield self._answer(question, text, cited.quotes, hits, warnings)
        else:
            warnings.append(
                "the model's answer rested on no passage; quoting the documents instead"
            )
            text, quotes = self._quoted(question, result.hits)
            yield self._answer(question, text, quotes, result.hits, warnings)

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
        context, passages = pack(hits, budget, llm.count)
        room -= context.tokens
        kept: list[Message] = []
        for message in reversed(history):
            room -= llm.count(message.content)
            if room < 0:
                break
            kept.insert(0, message)
        return context.hits, prompt.messages(question, passages, language, kept)

    def _quoted(self, question: str, hits: Sequence[Hit]) -> tuple[str, list[Sentence]]:
        """An answer made of the documents' own best sentences."""
        quotes = Evidence(hits[:5], self.searcher.encoder).relevant(question, _QUOTED)
        return " ".join(f"{' '.join(q.text.split())} [{q.n}]" for q in quotes), quotes

    def _answer(
        self,
        question: str,
        text: str,
        quotes: Sequence[Sentence],
        hits: Sequence[Hit],
        warnings: Sequence[str],
        *,
        abstained: bool = False,
    ) -> Answer:
        chunks = [hits[q.n - 1].chunk for q in quotes]
        places = [(c.document, q.start) for c, q in zip(chunks, quotes, strict=True)]
        lines = self.searcher.collection.lines(places)
        citations = tuple(
            Citation(q.n, c.document, c.version, c.path, line, q.start, q.end, q.text)
            for q, c, line in zip(quotes, chunks, lines, strict=True)
        )
        return Answer(question, text, abstained, citations, tuple(hits), tuple(warnings))
