from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rag.answer import Answerer
from rag.answer.refusal import REFUSAL
from rag.errors import BadQuery
from rag.types import Answer, Message
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.scripted import Scripted

QUESTION = "How is black tea made?"
ELSEWHERE = "Who won the football match of the stars?"
HISTORY = [Message("user", "What is tea?"), Message("assistant", "A drink.")]


def test_a_refusal_in_another_language_is_one_and_is_not_translated(saem: Workspace) -> None:
    llm = Scripted(REFUSAL["ko"], "There is nothing about it.")
    given = Answerer(saem.searcher(), llm).ask(QUESTION)
    assert (given.abstained, given.text) == (True, REFUSAL["en"])
    assert len(llm.calls) == 1


def test_code_that_no_passage_holds_counts_against_an_answer(saem: Workspace) -> None:
    code = "\n".join(f"tea.boil({n})" for n in range(3))
    said = f"Black tea needs boiling water [1].\n```python\n{code}\n```"
    given = Answerer(saem.searcher(), Scripted(said)).ask(QUESTION)
    assert "boil(" not in given.text
    assert given.generator == "extractive"


def test_a_failed_model_leaves_a_condensed_question_refused_as_without_one(
    saem: Workspace,
) -> None:
    settings = saem.settings
    saem.settings = settings.replace(rewrite=("condense",), total_tokens=1, min_confidence=0.9)
    for program in ("zero-shot", "least-to-most"):
        searcher = saem.searcher()
        searcher._ask = lambda *_: ELSEWHERE
        given = Answerer(searcher, Scripted("x" * 64)).ask(
            "And who won?", history=HISTORY, program=program
        )
        assert given.abstained, program


def test_a_reply_has_no_more_characters_than_its_tokens_could(saem: Workspace) -> None:
    class Wide(Scripted):
        def stream(self, *_: object, **__: object) -> Iterator[str]:
            yield "Black tea needs boiling water [1]. " + "word " * 1_000_000
            raise AssertionError("it was read on")

    saem.settings = saem.settings.replace(answer_tokens=10)
    *_, text, given = Answerer(saem.searcher(), Wide()).stream(QUESTION)
    assert isinstance(given, Answer)
    assert isinstance(text, str)
    assert len(given.text) <= 640


def test_a_name_that_nothing_has_is_told_in_short(saem: Workspace) -> None:
    answerer = Answerer(saem.searcher())
    for program, persona in (("../" * 10_000, ""), ("", "../" * 10_000)):
        with pytest.raises(BadQuery) as e:
            answerer.ask(QUESTION, program=program, persona=persona)
        assert len(str(e.value)) < 1000


def test_a_reply_that_is_not_streamed_stops_once_nobody_waits(saem: Workspace) -> None:
    left = threading.Event()
    with FakeLLM(reply="word " * 3000, pause=0.02) as fake:
        saem.settings = saem.settings.replace(llm_url=fake.url, answer_tokens=3000)
        how = {"program": "plan-and-solve", "left": left}
        events = saem.answerer().stream("How is black tea made?", **how)
        next(events)
        threading.Timer(0.3, left.set).start()
        given = list(events)[-1]
        assert fake.disconnected.wait(10)
    assert isinstance(given, Answer)
    assert given.degraded == "LLMUnavailable"
    assert len(fake.chats()) == 1
