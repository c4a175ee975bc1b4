from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

import pytest

from rag.answer import Answerer
from rag.answer.refusal import REFUSAL
from rag.errors import LLMTimeout, LLMUnavailable, RagError
from rag.types import Answer, Message, SearchResult, Step
from rag.workspace import Workspace
from tests.support.scripted import Scripted

GOOD = "Answer: Brewed at 80 degrees [1]."
QUESTION = "How hot is green tea brewed?"


def ask(
    saem: Workspace, *replies: str | RagError, question: str = QUESTION
) -> tuple[Answer, Scripted]:
    """The answer where the samples are ``replies``, in that order; errors are raised."""
    turn = iter(replies)

    def reply(_: Sequence[Message]) -> str:
        said = next(turn)
        if isinstance(said, RagError):
            raise said
        return said

    llm = Scripted(reply)
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(samples=len(replies))
    return Answerer(searcher, llm).ask(question, program="self-consistency"), llm


def test_the_majority_wins_however_it_is_written(saem: Workspace) -> None:
    replies = [
        "It is tea.\nAnswer: Brewed at 90 degrees [1].",
        "Passage 1.\nAnswer: Brewed at 80 degrees [1].",
        "Answer: brewed at 80.0 degrees",
        "Hm.\nAnswer: Boiling water [1].",
        "So.\nAnswer: Brewed at 80 degrees!",
    ]
    given, llm = ask(saem, *replies)
    assert given.text.startswith(("Brewed at 80 degrees", "brewed at 80.0 degrees"))
    assert given.program == "self-consistency"
    assert [c.quote for c in given.citations] == ["Green tea is brewed at 80 degrees."]
    samples = [s.text for s in given.steps if s.kind == "sample"]
    assert sorted(samples) == sorted(r.partition("Answer: ")[2] for r in replies)
    assert given.steps[-1] == Step("check", "3 of 5 samples agree")
    assert len(llm.calls) == 5
    prompts = {tuple((m.role, m.content) for m in call.messages) for call in llm.calls}
    assert len(prompts) == 1
    for call in llm.calls:
        assert (call.temperature, call.stop, call.schema) == (0.7, (), None)
        assert call.max_tokens == saem.settings.answer_tokens
        assert call.roles == ["system", "user", "assistant", "user", "assistant", "user"]
        assert call.last.endswith(f"Question: {QUESTION}")


def test_the_prompt_is_chain_of_thoughts(saem: Workspace) -> None:
    _, llm = ask(saem, "Answer: 80 degrees [1].")
    other = Scripted("Answer: 80 degrees [1].")
    Answerer(saem.searcher(), other).ask(QUESTION, program="chain-of-thought")
    assert llm.calls[0].messages[:-1] == other.calls[0].messages[:-1]


def test_in_korean_particles_do_not_part_answers(saem: Workspace) -> None:
    given, _ = ask(
        saem,
        "답: 80도에서 [1]",
        "답: 100도 [1]",
        "답: 80도입니다 [1].",
        question="녹차는 몇 도에서 우리나요?",
    )
    assert given.text.startswith("80도")
    assert given.steps[-1] == Step("check", "2 of 3 samples agree")


def test_most_refuse(saem: Workspace) -> None:
    refusal = f"Answer: {REFUSAL['en']}"
    given, _ = ask(saem, refusal, "Answer: 80 degrees [1].", f"Hm.\n{refusal}")
    assert (given.abstained, given.text) == (True, REFUSAL["en"])
    assert given.steps[-1] == Step("check", "2 of 3 samples agree")


@pytest.mark.parametrize(
    "reply", ["Let me see.\nBrewed at 80 degrees [1].", "Brewed at 80 degrees [1]."]
)
def test_a_reply_that_marks_no_answer_ends_with_it(saem: Workspace, reply: str) -> None:
    given, _ = ask(saem, reply)
    assert given.text == "Brewed at 80 degrees [1]."


def test_samples_that_say_nothing(saem: Workspace) -> None:
    given, _ = ask(saem, "", " ", "")
    assert "Green tea is brewed at 80 degrees." in given.text
    assert given.generator == "extractive"


def test_the_first_of_equals_wins(saem: Workspace) -> None:
    given, _ = ask(saem, "Answer: Brewed at 80 degrees [1].", "Answer: Boiling water [1].")
    assert given.text == "Brewed at 80 degrees [1]."
    assert given.steps[-1] == Step("check", "1 of 2 samples agree")


def test_samples_that_fail_are_left_out(saem: Workspace) -> None:
    given, llm = ask(saem, LLMUnavailable("x", "down"), GOOD, LLMTimeout("x", 1.0), GOOD)
    assert given.text == "Brewed at 80 degrees [1]."
    assert given.steps[-1] == Step("check", "2 of 2 samples agree")
    assert len(llm.calls) == 4


def test_when_all_fail_the_documents_are_quoted(saem: Workspace) -> None:
    given, _ = ask(saem, LLMTimeout("x", 1.0), LLMTimeout("x", 1.0))
    assert (given.degraded, given.generator) == ("LLMTimeout", "extractive")
    assert "Green tea is brewed at 80 degrees." in given.text


def test_samples_end_with_the_tokens_of_the_question(saem: Workspace) -> None:
    turn = itertools.count()
    llm = Scripted(lambda _: f"Sample {next(turn)}.\n{GOOD}")
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(samples=5, total_tokens=20)
    given = Answerer(searcher, llm).ask(QUESTION, program="self-consistency")
    assert given.steps[-1].text.endswith("of 3 samples agree")
    assert [c.max_tokens for c in llm.calls] == [20, 12, 4]


def test_a_client_that_leaves_stops_the_sampling(saem: Workspace) -> None:
    left = threading.Event()
    turn = itertools.count()

    def reply(_: Sequence[Message]) -> str:
        if next(turn):
            left.wait(60)
        return GOOD

    llm = Scripted(reply)
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(samples=50)
    events = Answerer(searcher, llm).stream(QUESTION, program="self-consistency")
    assert isinstance(next(events), SearchResult)
    assert next(events) == Step("sample", "Brewed at 80 degrees [1].")
    events.close()
    left.set()
    for thread in threading.enumerate():
        if thread.name.startswith("sample"):
            thread.join(60)
    assert len(llm.calls) <= 2
    assert llm.closed == len(llm.calls)


def test_samples_are_asked_for_at_once_where_the_model_can(saem: Workspace) -> None:
    together = threading.Barrier(3, timeout=60)

    def reply(_: Sequence[Message]) -> str:
        together.wait()
        return GOOD

    llm = Scripted(reply)
    llm.at_once = 3
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(samples=3)
    given = Answerer(searcher, llm).ask(QUESTION, program="self-consistency")
    assert given.steps[-1] == Step("check", "3 of 3 samples agree")
