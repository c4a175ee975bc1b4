"""Least-to-most prompting: what is asked, searched for and answered, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.workspace import Workspace
from tests.support import hops
from tests.support.hops import ENGLISH, GARAM, KOREAN, SEO, block, play, 가람, 서미나

NAME = "least-to-most"


@pytest.fixture(scope="module")
def saem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with hops.workspace(tmp_path_factory.mktemp("hops")) as opened:
        yield opened


def test_simpler_questions_lead_to_the_answer(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        "Here they are:\n1. Where was Mina Seo born?\n2. Which river flows through #1?",
        "Garam [1]",
        "The river Noeul flows through Garam [2].",
        "The river Noeul flows through Garam, where she was born [2].",
        top_k=1,
    )
    assert played.searched == [
        ENGLISH,
        "Where was Mina Seo born?",
        "Which river flows through Garam?",
    ]
    decompose, first, second, last = played.users
    assert decompose == f"Question: {ENGLISH}"
    assert "Write at most 6, one a line, numbered." in played.llm.calls[0].system
    assert first == (f"{block(SEO)}\n\nKnown so far:\n-\n\nQuestion: Where was Mina Seo born?")
    assert second == (
        f"{block(GARAM)}\n\nKnown so far:\n- Where was Mina Seo born? -> Garam [1]\n\n"
        "Question: Which river flows through Garam?"
    )
    assert last == (
        f"{block(SEO, GARAM)}\n\nKnown so far:\n- Where was Mina Seo born? -> Garam [1]\n"
        "- Which river flows through Garam? -> The river Noeul flows through Garam [2].\n\n"
        f"Question: {ENGLISH}"
    )
    assert [(c.stop, c.schema, c.max_tokens) for c in played.llm.calls] == [
        ((), None, 300), ((), None, 120), ((), None, 120), ((), None, 300)
    ]  # fmt: skip
    assert played.steps == [
        ("plan", "1. Where was Mina Seo born?\n2. Which river flows through #1?"),
        ("question", "Where was Mina Seo born?"),
        ("answer", "Garam [1]"),
        ("question", "Which river flows through Garam?"),
        ("answer", "The river Noeul flows through Garam [2]."),
    ]
    assert played.answer.text == "The river Noeul flows through Garam, where she was born [2]."
    assert played.answer.text == played.streamed
    assert [(c.n, c.path, c.quote) for c in played.answer.citations] == [
        (2, "en/garam.md", "The river Noeul flows through Garam.")
    ]
    assert (played.answer.program, played.answer.generator) == (NAME, "scripted")


def test_in_korean(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        KOREAN,
        "1. 서미나는 어디에서 태어났나요?\n2. #1에는 어떤 강이 흐르나요?",
        "가람 [1]",
        "노을강이 흐릅니다 [2].",
        "가람에는 노을강이 흐릅니다 [2].",
        top_k=1,
    )
    assert played.searched == [
        KOREAN,
        "서미나는 어디에서 태어났나요?",
        "가람에는 어떤 강이 흐르나요?",
    ]
    assert played.users[0] == f"질문: {KOREAN}"
    assert "많아도 6개까지" in played.llm.calls[0].system
    assert played.users[2] == (
        f"{block(가람)}\n\n지금까지 알아낸 것:\n- 서미나는 어디에서 태어났나요? -> 가람 [1]\n\n"
        "질문: 가람에는 어떤 강이 흐르나요?"
    )
    assert played.users[3].startswith(block(서미나, 가람))
    assert [(c.path, c.quote) for c in played.answer.citations] == [
        ("ko/garam.md", "가람에는 노을강이 흐릅니다.")
    ]


@pytest.mark.parametrize("reply", ["", "I cannot split that.", f"1. {ENGLISH}", "1.\n2. \n- !"])
def test_what_cannot_be_split_is_answered_as_it_stands(saem: Workspace, reply: str) -> None:
    played = play(saem, NAME, ENGLISH, reply, "The river Noeul flows through Garam [2].")
    assert played.steps == [("plan", "The question was not split; it is answered as it stands.")]
    assert len(played.llm.calls) == 2
    assert played.answer.citations[0].path == "en/garam.md"


def test_a_question_without_hits_is_told(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        KOREAN,
        "1. zzz qqq?\n2. 가람에는 어떤 강이 흐르나요?",
        "노을강 [2]",
        "가람에는 노을강이 흐릅니다 [2].",
        mode="bm25",
    )
    nothing = "이 질문에 답할 문서 조각이 없습니다."
    assert ("answer", nothing) in played.steps
    assert len(played.llm.calls) == 3
    assert f"- zzz qqq? -> {nothing}" in played.users[1]


def test_no_more_questions_than_steps(saem: Workspace) -> None:
    many = "\n".join(f"{n}. What of Garam {n}?" for n in range(1, 40))
    played = play(saem, NAME, ENGLISH, many, "Potters [1].", max_steps=3)
    assert [kind for kind, _ in played.steps] == ["plan", *["question", "answer"] * 3]
    assert len(played.llm.calls) == 1 + 3 + 1
