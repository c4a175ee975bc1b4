from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.answer import Answerer
from rag.answer.refusal import REFUSAL
from rag.types import Answer, Message, Step
from rag.workspace import Workspace
from tests.support.scripted import Scripted

QUESTION = "How is black tea made?"
THOUGHT = "Passage 1 is about tea. It names boiling water."
ANSWER = "Black tea needs boiling water [1]."
STEPS = (Step("thought", "Passage 1 is about tea."), Step("thought", "It names boiling water."))
FENCED = r"<passages ([0-9a-f]{12})>\n\[1\] Tea\n.*\n</passages \1>\n\n"
CONCLUDE = (
    f"Therefore, what is the answer to the question: {QUESTION}\nGive the answer alone, briefly, "
    "with the numbers of its passages, like [1]. If the passages do not hold it, reply only: "
    + REFUSAL["en"]
)


def ask(saem: Workspace, llm: Scripted, question: str = QUESTION, *, shown: bool) -> Answer:
    program = "chain-of-thought" if shown else "zero-shot-chain-of-thought"
    return Answerer(saem.searcher(), llm).ask(question, program=program)


def test_worked_examples_lead_to_reasoning_and_answer(saem: Workspace) -> None:
    llm = Scripted(f"{THOUGHT}\nAnswer: {ANSWER}")
    given = ask(saem, llm, shown=True)
    assert (given.text, given.steps, given.program) == (ANSWER, STEPS, "chain-of-thought")
    assert [c.quote for c in given.citations] == ["Black tea needs boiling water."]
    (call,) = llm.calls
    assert call.roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert (call.temperature, call.stop, call.schema) == (0.0, (), None)
    assert call.max_tokens == saem.settings.answer_tokens
    assert 'then write "Answer:" and the answer alone' in call.system
    assert [m.content for m in call.messages[1:5]] == [
        "<passages example>\n[1] The Salt Road is a novel by Mira Ostrow, published in 1987.\n\n"
        "[2] Mira Ostrow grew up in Velm, where she was born, and moved to the coast at twenty.\n"
        "</passages example>\n\nQuestion: Where was the author of The Salt Road born?",
        "Passage 1 says that Mira Ostrow wrote The Salt Road. Passage 2 says that she was born in "
        "Velm.\nAnswer: In Velm [1][2].",
        "<passages example>\n[1] The east bridge was opened in 1931 and is made of stone.\n\n"
        "[2] Since 1978 the west bridge has carried most of the traffic. It was opened in that "
        "year.\n</passages example>\n\n"
        "Question: How many years after the east bridge was the west bridge opened?",
        "The east bridge was opened in 1931, says passage 1. The west bridge was opened in 1978, "
        "says passage 2. 1978 less 1931 is 47.\nAnswer: 47 years [1][2].",
    ]
    assert re.fullmatch(FENCED + re.escape(f"Question: {QUESTION}"), call.last, re.DOTALL)


def test_in_korean(saem: Workspace) -> None:
    llm = Scripted("1번 조각은 차에 관한 것입니다.\n답: 홍차는 끓는 물이 필요합니다 [1].")
    given = ask(saem, llm, "홍차는 끓는 물이 필요한가요?", shown=True)
    assert given.text == "홍차는 끓는 물이 필요합니다 [1]."
    assert given.steps == (Step("thought", "1번 조각은 차에 관한 것입니다."),)
    (call,) = llm.calls
    assert call.messages[2].content.endswith("답: 벨름에서 태어났습니다 [1][2].")
    assert call.last.endswith("질문: 홍차는 끓는 물이 필요한가요?")


def test_reasoning_without_an_answer_is_concluded(saem: Workspace) -> None:
    llm = Scripted(THOUGHT, ANSWER)
    given = ask(saem, llm, shown=True)
    assert (given.text, given.steps) == (ANSWER, STEPS)
    first, second = llm.calls
    assert second.messages == [
        *first.messages,
        Message("assistant", THOUGHT),
        Message("user", CONCLUDE),
    ]


def test_step_by_step_then_the_answer(saem: Workspace) -> None:
    llm = Scripted(THOUGHT, ANSWER)
    given = ask(saem, llm, shown=False)
    assert (given.text, given.steps) == (ANSWER, STEPS)
    assert given.program == "zero-shot-chain-of-thought"
    first, second = llm.calls
    asked = f"Question: {QUESTION}\n\nLet's think step by step."
    assert first.roles == ["system", "user"]
    assert re.fullmatch(FENCED + re.escape(asked), first.last, re.DOTALL)
    assert second.messages == [
        *first.messages,
        Message("assistant", THOUGHT),
        Message("user", CONCLUDE),
    ]
    assert [(c.temperature, c.stop, c.schema) for c in llm.calls] == [(0.0, (), None)] * 2


def test_a_thought_cannot_change_the_speaker(saem: Workspace) -> None:
    llm = Scripted("Hm.<|im_end|>", ANSWER)
    ask(saem, llm, shown=False)
    assert llm.calls[1].messages[-2].content == "Hm.< |im_end|>"


def test_thoughts_come_before_the_model_has_finished(saem: Workspace) -> None:
    llm = Scripted(f"{THOUGHT}\nAnswer: {ANSWER}")
    events = Answerer(saem.searcher(), llm).stream(QUESTION, program="chain-of-thought")
    next(events)
    assert next(events) == STEPS[0]
    assert llm.closed == 0
    events.close()
    assert llm.closed == 1


@pytest.mark.parametrize("shown", [True, False])
def test_a_refusal_abstains(saem: Workspace, *, shown: bool) -> None:
    llm = Scripted(f"None says it.\nAnswer: {REFUSAL['en']}", REFUSAL["en"])
    given = ask(saem, llm, shown=shown)
    assert (given.abstained, given.text) == (True, REFUSAL["en"])


@pytest.mark.parametrize("shown", [True, False])
def test_a_long_conversation_leaves_room_for_the_conclusion(
    saem: Workspace, *, shown: bool
) -> None:
    llm = Scripted("so " * 299, ANSWER)
    program = "chain-of-thought" if shown else "zero-shot-chain-of-thought"
    history = [Message("user", "Tell me more of tea. " * 4)] * 200
    answerer = Answerer(saem.searcher(), llm)
    answerer.ask(QUESTION, program=program, history=history)
    for call in llm.calls:
        prompt = sum(llm.count(m.content) for m in call.messages)
        assert prompt + call.max_tokens <= llm.context_tokens
        assert call.messages.count(history[0]) > 10


def test_users_may_add_worked_examples(saem: Workspace, tmp_path: Path) -> None:
    from rag.answer.prompts import OURS

    own = tmp_path / "prompts"
    own.mkdir()
    text = (OURS / "chain-of-thought.toml").read_text("utf-8")
    more = '\n[example-3.en]\nuser = "Q3"\nassistant = "Answer: A3"\n'
    (own / "chain-of-thought.toml").write_text(text + more, "utf-8")
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(prompts=str(own))
    llm = Scripted(f"Answer: {ANSWER}")
    Answerer(searcher, llm).ask(QUESTION, program="chain-of-thought")
    assert [m.content for m in llm.calls[0].messages[5:7]] == ["Q3", "Answer: A3"]
