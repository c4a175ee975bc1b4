"""Questions by a language model, in Korean and English, and what is wrong with them.

The passage is data between marks; the reply must be one JSON object of exactly the fields asked
for. Knows no way to search but the collection's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from eval import prompts
from eval.draft import KINDS, LANGUAGES, Draft, Kind, Rejected
from eval.passages import related, terms
from eval.roundtrip import SIMILAR, jaccard, normalized
from rag.analysis import detect
from rag.answer.llm import LLM
from rag.errors import BadQuery
from rag.index import Collection
from rag.types import Chunk, Message

COPIED = 8
"""So many consecutive words of the passage in a question are a copy."""
_REPLY_TOKENS = 200
_CHARACTERS = {"en": (15, 250), "ko": (8, 150)}
_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)
_POINTING = re.compile(
    r"\b(?:the|this|that|these|those|given|above|provided|following)\s+(?:\w+\s+)?"
    r"(?:passages?|texts?|documents?|paragraphs?|articles?|excerpts?|contexts?|authors?|snippets?"
    r"|sections?)\b"
    r"|\b(?:mentioned|described|stated|shown|listed)\s+(?:above|here|below)\b"
    r"|(?<![가-힣])(?:본문|윗글|지문|글쓴이|필자|(?:위|이|아래|주어진|해당|다음)(?:의)?\s*"
    r"(?:글|문서|조각|문단|단락|구절|문장|내용|설명|텍스트))(?=[은는이가을를에의과와도만로으]|\b)",
    re.IGNORECASE,
)


class Unusable(Exception):
    """A reply that makes no question; says why in a few words."""


class Asker:
    """Has a language model make questions of passages."""

    kinds: tuple[Kind, ...] = KINDS

    def __init__(self, llm: LLM, collection: Collection) -> None:
        self._llm = llm
        self._collection = collection

    def drafts(self, kind: Kind, passage: Chunk, language: str) -> Iterator[Draft | Rejected]:
        """At most one, or why there is none.

        Raises
        ------
        LLMUnavailable, LLMTimeout
        """
        asked_in = language
        sources = [passage]
        if kind == "cross":
            asked_in = next(other for other in LANGUAGES if other != language)
            if self._llm.languages and asked_in not in self._llm.languages:
                return
        if kind == "multi":
            other = next(related(self._collection, passage, language), None)
            if other is None:
                return
            sources.append(other)
        try:
            question, answer = self._asked(kind, sources, asked_in)
            if kind == "paraphrase":
                question = self._rephrased(question, answer, passage, asked_in)
        except Unusable as e:
            yield Rejected(str(e))
        else:
            yield Draft(question, kind, "llm", asked_in, tuple(sources), answer, self._llm.name)

    def _asked(self, kind: Kind, sources: Sequence[Chunk], language: str) -> tuple[str, str]:
        task = kind if kind in ("multi", "unanswerable") else "single"
        chat = prompts.ask(task, [source.context for source in sources], language)
        reply = self._reply(chat, prompts.FORM, language)
        question, answer = reply["question"], reply["answer"]
        texts = [source.text for source in sources]
        check_question(question, texts, language)
        if _same(question, prompts.example(task, language)):
            raise Unusable("copied")
        if kind == "unanswerable":
            if answer:
                raise Unusable("has an answer")
            return question, ""
        return question, check_answer(answer, question, texts)

    def _rephrased(self, question: str, answer: str, passage: Chunk, language: str) -> str:
        chat = prompts.rephrase(question, language)
        other = self._reply(chat, prompts.FORM_REPHRASED, language)["question"]
        check_question(other, [passage.text], language)
        if holds(other, answer):
            raise Unusable("tells its answer")
        if _same(other, question):
            raise Unusable("not in other words")
        return other

    def _reply(self, chat: list[Message], form: str, language: str) -> dict[str, str]:
        """The fields of the reply, which the model gets a second chance to write."""
        fields = json.loads(form).keys()
        text = self._said(chat)
        try:
            return parse(text, fields)
        except Unusable:
            chat = [*chat, Message("assistant", text), prompts.again(form, language)]
            return parse(self._said(chat), fields)

    def _said(self, messages: Sequence[Message]) -> str:
        try:
            return "".join(self._llm.stream(messages, max_tokens=_REPLY_TOKENS))
        except BadQuery as e:
            raise Unusable("too long for the model") from e


def parse(reply: str, fields: Iterable[str]) -> dict[str, str]:
    """The reply's JSON object, which must be all of it and have these fields, all strings.

    Raises
    ------
    Unusable
    """
    text = reply.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        found = json.loads(text)
    except ValueError as e:
        raise Unusable("no JSON") from e
    if not isinstance(found, dict) or found.keys() != set(fields):
        raise Unusable("other JSON")
    if not all(isinstance(value, str) for value in found.values()):
        raise Unusable("other JSON")
    return {name: " ".join(value.split()) for name, value in found.items()}


def check_question(question: str, texts: Sequence[str], language: str) -> None:
    """Raise ``Unusable`` if it is none, or none to be asked without the passages ``texts``."""
    low, high = _CHARACTERS[language]
    if len(question) < low:
        raise Unusable("too short")
    if len(question) > high:
        raise Unusable("too long")
    if not question.endswith("?"):
        raise Unusable("no question")
    if detect(question) != language:
        raise Unusable("wrong language")
    if _POINTING.search(question):
        raise Unusable("points at the passage")
    if any(copies(question, text) for text in texts):
        raise Unusable("copied")


def check_answer(answer: str, question: str, texts: Sequence[str]) -> str:
    """The answer as it is kept: of two passages, a phrase of each, joined by a comma.

    Raises
    ------
    Unusable
        It is not in the passages, or already in the question.
    """
    parts = [part.strip() for part in answer.split(" / ")] if len(texts) > 1 else [answer]
    if len(parts) != len(texts) or not all(map(holds, texts, parts)):
        raise Unusable("answer not in the passage")
    if any(holds(question, part) for part in parts):
        raise Unusable("tells its answer")
    return ", ".join(parts)


def copies(question: str, text: str) -> bool:
    """Whether ``COPIED`` consecutive words of ``question`` are so in ``text``."""
    words = normalized(question).split()
    inside = f" {normalized(text)} "
    runs = (words[i : i + COPIED] for i in range(len(words) - COPIED + 1))
    return any(f" {' '.join(run)} " in inside for run in runs)


def holds(text: str, answer: str) -> bool:
    """Whether ``answer`` is in ``text``, case, width and punctuation aside, as whole words.

    After Hangul a particle may follow.
    """
    wanted = normalized(answer)
    whole = rf"(?<![0-9a-z]){re.escape(wanted)}(?![0-9a-z])"
    return bool(wanted) and re.search(whole, normalized(text)) is not None


def _same(a: str, b: str) -> bool:
    return jaccard(frozenset(terms(a)), frozenset(terms(b))) >= SIMILAR
