from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answer import Answerer, programs
from rag.answer.hops import hops
from rag.answer.task import Task
from rag.types import Step
from rag.workspace import Workspace
from tests.support.questions_of_hops import MANY, ONE
from tests.support.scripted import Scripted


@pytest.mark.parametrize("language", ["en", "ko"])
def test_how_many_questions_are_told_apart(language: str) -> None:
    false = [q for q in ONE[language] if hops(q, language)]
    missed = [q for q in MANY[language] if not hops(q, language)]
    assert len(ONE[language]) == len(MANY[language]) == 24
    assert len(false) <= 1, false
    assert len(missed) <= 2, missed


@pytest.mark.parametrize(
    ("question", "language", "found"),
    [
        ("Which is older, the old bridge or the new bridge?", "en", "comparison"),
        ("Who directed the film that won the first festival?", "en", "bridge"),
        ("When and where was the treaty signed?", "en", "several"),
        ("Can I upload more than 5 files?", "en", ""),
        ("Who wrote the story 'The lion and the man who was the same'?", "en", ""),
        ("옛 다리와 새 다리 중 어느 것이 더 오래되었나요?", "ko", "comparison"),
        ("지원팀을 이끄는 사람의 전화번호는 무엇인가요?", "ko", "bridge"),
        ("누가 이 규칙을 만들었고 언제부터 시행되었나요?", "ko", "several"),
        ("영화 '연인의 온도의 비밀은'의 감독은?", "ko", ""),
        ("Wie hoch ist der Turm?", "de", ""),
        ("", "en", ""),
    ],
)
def test_kinds(question: str, language: str, found: str) -> None:
    assert hops(question, language) == found


def test_a_long_question_is_looked_at_in_part() -> None:
    asked = "What is the difference between black tea and green tea?"
    assert hops("x " * 200 + asked, "en") == "comparison"
    assert hops("x " * 300 + asked, "en") == ""


@pytest.mark.parametrize(
    ("question", "name", "reason"),
    [
        ("How is black tea made?", "zero-shot", "one fact"),
        ("What is the difference between black tea and green tea?", "ircot", "comparison"),
    ],
)
def test_the_program_that_a_question_is_sent_to(
    saem: Workspace, monkeypatch: pytest.MonkeyPatch, question: str, name: str, reason: str
) -> None:
    ran: list[str] = []

    def stub(named: str) -> programs.Program:
        def run(task: Task) -> Iterator[Step | str]:
            ran.append(named)
            task.read(task.hits, "zero-shot")
            yield "Black tea needs boiling water [1]."

        return run

    monkeypatch.setattr("rag.answer.programs.router.program", stub)
    given = Answerer(saem.searcher(), Scripted("never")).ask(question, program="router")
    assert ran == [name]
    assert given.steps == (Step("route", f"{name} ({reason})"),)
    assert given.text == "Black tea needs boiling water [1]."


def test_the_way_itself_asks_no_model(saem: Workspace) -> None:
    llm = Scripted("Black tea needs boiling water [1].")
    Answerer(saem.searcher(), llm).ask("How is black tea made?", program="router")
    zero = Scripted("Black tea needs boiling water [1].")
    Answerer(saem.searcher(), zero).ask("How is black tea made?", program="zero-shot")
    assert len(llm.calls) == len(zero.calls) == 1
    assert llm.calls[0].system == zero.calls[0].system


def test_it_is_not_the_default(saem: Workspace) -> None:
    assert saem.settings.program == "zero-shot"
