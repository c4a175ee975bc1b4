"""ReAct: thoughts, the three actions, what is shown of them, and how it ends when they fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.workspace import Workspace
from tests.support import hops
from tests.support.hops import ENGLISH, GARAM, KOREAN, SEO, block, play

NAME = "react"
FINAL = "The river Noeul flows through Garam [2]."
STOPPED = ("observation", "The steps ended without an answer; it is written from what was read.")
LINE = "[2] Garam # Garam Garam lives by its potters. The river Noeul flows through Garam. " + (
    "## Market The market of Garam opens at dawn. Boats reach it by the Noeul."
)


@pytest.fixture(scope="module")
def saem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with hops.workspace(tmp_path_factory.mktemp("hops")) as opened:
        yield opened


def test_search_and_finish(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        "I need her town.\nAction 1: Search[Mina Seo]",
        "Thought 2: It is Garam.\nAction 2: Search[Garam river]\n",
        f"Thought 3: That is all.\nAction 3: Finish[{FINAL}]",
        top_k=1,
    )
    assert played.searched == [ENGLISH, "Mina Seo", "Garam river"]
    assert [(c.stop, c.schema, c.max_tokens) for c in played.llm.calls] == [
        (("\nObservation",), None, 300)
    ] * 3
    assert "An action is exactly one of:\nSearch[entity]:" in played.llm.calls[0].system
    first, second, third = played.users
    assert first == f"Question: {ENGLISH}\n\nThought 1:"
    turn = "Thought 1: I need her town.\nAction 1: Search[Mina Seo]\nObservation 1:\n" + block(SEO)
    assert second == f"Question: {ENGLISH}\n{turn}\nThought 2:"
    assert third == (
        f"Question: {ENGLISH}\n{turn}\nThought 2: It is Garam.\nAction 2: Search[Garam river]\n"
        f"Observation 2:\n{block(GARAM)}\nThought 3:"
    )
    assert played.steps == [
        ("thought", "I need her town."),
        ("action", "Search[Mina Seo]"),
        ("observation", " ".join(SEO.split())),
        ("thought", "It is Garam."),
        ("action", "Search[Garam river]"),
        ("observation", LINE),
        ("thought", "That is all."),
        ("action", f"Finish[{FINAL}]"),
    ]
    assert (played.answer.text, played.streamed) == (FINAL, FINAL)
    assert [(c.n, c.path, c.quote) for c in played.answer.citations] == [
        (2, "en/garam.md", "The river Noeul flows through Garam.")
    ]


def test_lookup_walks_the_occurrences_in_korean(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        KOREAN,
        "Thought 1: 강을 찾자.\nAction 1: Search[가람]",
        "Action 2: Lookup[노을강]",
        "Action 3: Lookup[노을강]",
        "Action 4: Lookup[노을강]",
        "Action 5: Finish[가람에는 노을강이 흐릅니다 [2]. 배도 다닙니다 [3].]",
        top_k=1,
    )
    observed = [text for kind, text in played.steps if kind == "observation"]
    assert observed[1] == "(1 / 2)\n[2] 가람 가람에는 노을강이 흐릅니다."
    assert observed[2] == "(2 / 2)\n[3] 가람 배는 노을강으로 들어옵니다."
    assert (
        observed[3]
        == "이미 한 행동이라 새로 나오는 것이 없습니다. 다른 행동을 하거나 Finish로 끝내세요."
    )
    assert "행동(Action)은 다음 셋 가운데 하나" in played.llm.calls[0].system
    assert played.users[2].endswith(
        "Thought 2: Action 2: Lookup[노을강]\nObservation 2: (1 / 2)\n"
        + block("[2] 가람\n가람에는 노을강이 흐릅니다.")
        + "\nThought 3:"
    )
    assert [(c.n, c.quote) for c in played.answer.citations] == [
        (2, "가람에는 노을강이 흐릅니다."), (3, "배는 노을강으로 들어옵니다.")
    ]  # fmt: skip


def test_lookup_needs_a_document_and_a_string_in_it(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        "Action 1: Lookup[Noeul]",
        "Action 2: Search[Garam river]",
        "Action 3: Lookup[granite]",
        f"Action 4: Finish[{FINAL}]",
    )
    observed = [text for kind, text in played.steps if kind == "observation"]
    assert observed[0] == "There is no document to look this up in yet. Search first."
    assert observed[2] == "Nothing more was found."
    assert played.searched == [ENGLISH, "Garam river"]


def test_a_malformed_action_is_told_once(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        "I shall look at the river.",
        "Action 2: Delete[everything]",
        "Noeul flows through Garam [1].",
        top_k=1,
    )
    wrong = "That is no action. Write exactly one line: Action: Search[...], Lookup[...] or Finish"
    assert played.steps == [
        ("thought", "I shall look at the river."),
        ("observation", f"{wrong}[...]"),
        ("thought", "Action 2: Delete[everything]"),
        STOPPED,
    ]
    assert played.users[1] == (
        f"Question: {ENGLISH}\nThought 1: I shall look at the river.\n"
        f"Observation 1: {wrong}[...]\nThought 2:"
    )
    assert played.users[2] == f"{block(SEO)}\n\nQuestion: {ENGLISH}"
    assert played.llm.calls[2].stop == ()
    assert played.searched == [ENGLISH]


def test_a_loop_is_told_once_then_ended(saem: Workspace) -> None:
    played = play(saem, NAME, ENGLISH, *["Action: Search[Garam  river]"] * 3, FINAL, top_k=1)
    assert played.searched == [ENGLISH, "Garam river"]
    assert len(played.llm.calls) == 4
    observed = [text for kind, text in played.steps if kind == "observation"]
    assert observed[1].startswith("This was done before")
    assert played.steps[-1] == STOPPED
    assert played.users[3].startswith(f"{block('[1]' + GARAM[3:], '[2]' + SEO[3:])}\n\nQuestion")


def test_steps_are_limited(saem: Workspace) -> None:
    said = [f"Action: Search[Garam {n}]" for n in range(9)]
    last = FINAL.replace("[2]", "[1]")
    played = play(saem, NAME, ENGLISH, *said[:3], last, max_steps=3, top_k=1)
    assert len(played.llm.calls) == 4
    assert played.steps[-1] == STOPPED
    assert played.answer.program == NAME


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("finish[Noeul flows [1]]", "Noeul flows [1]"),
        ("**Thought 1:** so.\n**Action 1:** `Finish[Noeul]`", "Noeul"),
        ("Action 1: Finish[Noeul flows [1].", "Noeul flows [1]."),
        (
            "Thought: so. Action: Finish[Noeul\n\nflows [1].] Observation 1: no",
            "Noeul\n\nflows [1].",
        ),
    ],
)
def test_how_finish_is_read(saem: Workspace, reply: str, answer: str) -> None:
    played = play(saem, NAME, "What flows through Garam?", reply)
    assert played.steps[-1] == ("action", f"Finish[{answer}]")
    assert len(played.llm.calls) == 1
    assert played.steps[:-1] in ([], [("thought", "so.")])
