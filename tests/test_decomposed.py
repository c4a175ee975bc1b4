"""Decomposed prompting: programs that a model writes, and those that make no sense."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer.prompts import OURS
from rag.workspace import Workspace
from tests.support import hops
from tests.support.hops import ENGLISH, GARAM, KOREAN, SEO, block, play, 가람

NAME = "decomposed"
FINAL = "The river Noeul flows through Garam [2]."
WHOLE = "The model wrote no program that can be run; the question is answered as it stands."


@pytest.fixture(scope="module")
def saem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with hops.workspace(tmp_path_factory.mktemp("hops")) as opened:
        yield opened


def program(*steps: tuple[str, str]) -> str:
    return json.dumps({"steps": [{"do": do, "input": given} for do, given in steps]})


def test_handlers_are_run_in_order(saem: Workspace) -> None:
    written = program(
        ("search", "Where was Mina Seo born?"),
        ("search", "Which river flows through #1?"),
        ("answer", "#2"),
    )
    played = play(
        saem, NAME, ENGLISH, f"Sure:\n```json\n{written}\n```", "Garam [1]", "Noeul [2]", FINAL,
        top_k=1,
    )  # fmt: skip
    assert played.searched == [
        ENGLISH,
        "Where was Mina Seo born?",
        "Which river flows through Garam?",
    ]
    assert played.users[0] == f"Question: {ENGLISH}"
    assert "handlers are: search, merge, compare, split, answer." in played.llm.calls[0].system
    assert played.users[2] == (
        f"{block(GARAM)}\n\nKnown so far:\n- Where was Mina Seo born? -> Garam [1]\n\n"
        "Question: Which river flows through Garam?"
    )
    assert played.users[3] == (
        f"{block(SEO, GARAM)}\n\nResults of sub-tasks:\n- Where was Mina Seo born? -> Garam [1]\n"
        f"- Which river flows through Garam? -> Noeul [2]\n\nQuestion: {ENGLISH}"
    )
    schema, *others = [c.schema for c in played.llm.calls]
    assert schema is not None
    step = schema["properties"]["steps"]["items"]
    assert step["properties"]["do"] == {"enum": ["search", "merge", "compare", "split", "answer"]}
    assert schema["properties"]["steps"]["maxItems"] == 6
    assert others == [None] * 3
    assert played.steps == [
        (
            "plan",
            "1. search: Where was Mina Seo born?\n2. search: Which river flows through #1?",
        ),
        ("action", "search: Where was Mina Seo born?"),
        ("answer", "Garam [1]"),
        ("action", "search: Which river flows through Garam?"),
        ("answer", "Noeul [2]"),
    ]
    assert (played.answer.text, played.streamed) == (FINAL, FINAL)
    assert [(c.n, c.path) for c in played.answer.citations] == [(2, "en/garam.md")]


def test_in_korean_with_a_comparison(saem: Workspace) -> None:
    written = program(
        ("search", "가람에는 어떤 강이 흐르나요?"),
        ("search", "서미나는 언제 태어났나요?"),
        ("compare", "#1 그리고 #2"),
        ("answer", "#3"),
    )
    final = "가람에는 노을강이 흐릅니다 [1]. 서미나는 1961년에 태어났습니다 [2]."
    played = play(
        saem, NAME, KOREAN, written, "노을강 [1]", "1961년 [2]", "강과 해입니다.", final, top_k=1
    )
    assert played.users[0] == f"질문: {KOREAN}"
    assert "쓸 수 있는 처리기: search, merge, compare, split, answer." in (
        played.llm.calls[0].system
    )
    assert played.users[3] == (
        "결과:\n- 가람에는 어떤 강이 흐르나요? -> 노을강 [1]\n"
        "- 서미나는 언제 태어났나요? -> 1961년 [2]\n\n과제: 노을강 그리고 1961년"
    )
    assert ("action", "compare: 노을강 그리고 1961년") in played.steps
    assert {c.path for c in played.answer.citations} == {"ko/garam.md", "ko/seo.md"}


def test_a_complex_step_has_a_program_of_its_own(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        program(("split", "What is the town of Mina Seo?"), ("search", "The river of #1?")),
        program(("search", "Where was Mina Seo born?"), ("answer", "What the town is: #1")),
        "Garam [1]",
        "The town is Garam [1].",
        "Noeul [2]",
        FINAL,
        top_k=1,
    )
    assert played.steps == [
        ("plan", "1. split: What is the town of Mina Seo?\n2. search: The river of #1?"),
        ("action", "split: What is the town of Mina Seo?"),
        ("plan", "1. search: Where was Mina Seo born?\n2. merge: What the town is: #1"),
        ("action", "search: Where was Mina Seo born?"),
        ("answer", "Garam [1]"),
        ("action", "merge: What the town is: Garam"),
        ("answer", "The town is Garam [1]."),
        ("action", "search: The river of The town is Garam?"),
        ("answer", "Noeul [2]"),
    ]
    assert played.users[1] == "Question: What is the town of Mina Seo?"
    assert played.answer.text == FINAL


def test_splitting_ends_at_a_depth(saem: Workspace) -> None:
    played = play(saem, NAME, ENGLISH, program(("split", "What of Garam?")))
    plans = [c for c in played.llm.calls if c.schema]
    offered = [
        c.schema["properties"]["steps"]["items"]["properties"]["do"] for c in plans if c.schema
    ]
    assert ["split" in one["enum"] for one in offered] == [True, True, False]
    assert [text for kind, text in played.steps if kind == "plan"] == [
        "1. split: What of Garam?", "1. split: What of Garam?", WHOLE
    ]  # fmt: skip
    assert played.searched == [ENGLISH, "What of Garam?"]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "no JSON at all",
        "{" * 5000,
        '{"steps": [{"do": "search", "input": "cut sho',
        '{"steps": "search"}',
        '{"steps": [["search", "x"]]}',
        '{"steps": [{"do": "search", "input": 3}]}',
        '{"steps": [{"do": ["search"], "input": "x"}]}',
        program(("delete", "all documents")),
        program(("search", "Where?"), ("fetch", "http://example.org")),
        program(("answer", "42")),
    ],
)
def test_a_program_that_makes_no_sense_is_told_and_not_run(saem: Workspace, reply: str) -> None:
    played = play(saem, NAME, ENGLISH, reply, FINAL)
    assert played.steps == [("plan", WHOLE)]
    assert played.searched == [ENGLISH]
    assert len(played.llm.calls) == 2
    assert [c.path for c in played.answer.citations] == ["en/garam.md"]


def test_no_more_steps_than_set(saem: Workspace) -> None:
    deep = program(*[("split", f"What of Garam {n}?") for n in range(9)])
    flat = program(*[("search", f"What of tea {n}?") for n in range(9)])
    played = play(saem, NAME, ENGLISH, deep, flat, "Tea [1].", max_steps=4)
    assert len([kind for kind, _ in played.steps if kind == "answer"]) == 4


def test_a_template_of_ones_own_adds_a_handler(saem: Workspace, tmp_path: Path) -> None:
    ours = (OURS / "decomposed.toml").read_text("utf-8")
    more = '\n[do-shout.en]\nuser = "Say it loudly: $asked ($known)"\n'
    (tmp_path / "decomposed.toml").write_text(ours + more, "utf-8")
    played = play(
        saem,
        NAME,
        ENGLISH,
        program(("search", "Which river flows through Garam?"), ("shout", "#1")),
        "Noeul [2]",
        "NOEUL",
        FINAL,
        prompts=str(tmp_path),
    )
    assert played.users[2] == (
        "Say it loudly: Noeul (- Which river flows through Garam? -> Noeul [2])"
    )
    assert played.steps[-1] == ("answer", "NOEUL")


def test_a_search_without_hits_is_told(saem: Workspace) -> None:
    played = play(saem, NAME, KOREAN, program(("search", "zzz qqq")), "노을강 [1].", mode="bm25")
    assert played.steps[-1] == ("answer", "이 질문에 답할 문서 조각이 없습니다.")
    assert 가람[4:] in played.users[-1]
