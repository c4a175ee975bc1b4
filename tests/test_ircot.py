"""IRCoT: sentences of reasoning, the searches between them, and the reader, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.workspace import Workspace
from tests.support import hops
from tests.support.hops import ENGLISH, GARAM, KOREAN, SEO, block, play, 가람, 서미나

NAME = "ircot"
BORN = "Mina Seo was born in Garam."
FINAL = "The river Noeul flows through Garam [2]."


@pytest.fixture(scope="module")
def saem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with hops.workspace(tmp_path_factory.mktemp("hops")) as opened:
        yield opened


def test_each_sentence_is_searched_for_until_the_answer_is_said(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        ENGLISH,
        f"{BORN} Then I would look for",
        "The river of the town Garam, with its market, must be found [1].",
        "So the answer is: Noeul.",
        FINAL,
        top_k=1,
    )
    town = "The river of the town Garam, with its market, must be found [1]."
    assert played.searched == [ENGLISH, BORN, town.replace(" [1]", "")]
    first, second, third, reader = played.users
    asked = f"Question: {ENGLISH}\n\nReasoning so far:"
    assert first == f"{block(SEO)}\n\n{asked} -\n\nNext sentence:"
    assert second == f"{block(SEO)}\n\n{asked} {BORN}\n\nNext sentence:"
    assert third == f"{block(SEO, GARAM)}\n\n{asked} {BORN} {town}\n\nNext sentence:"
    assert reader == f"{block(SEO, GARAM)}\n\nQuestion: {ENGLISH}"
    assert "one sentence at a time" in played.llm.calls[0].system
    assert "from the numbered passages only" in played.llm.calls[3].system
    assert [c.max_tokens for c in played.llm.calls] == [80, 80, 80, 300]
    assert played.steps == [
        ("thought", BORN),
        ("observation", "Nothing more was found."),
        ("thought", town),
        ("observation", "[2]"),
        ("thought", "So the answer is: Noeul."),
    ]
    assert (played.answer.text, played.streamed) == (FINAL, FINAL)
    assert [(c.n, c.path) for c in played.answer.citations] == [(2, "en/garam.md")]
    assert played.paths == ["en/seo.md", "en/garam.md"]


def test_in_korean(saem: Workspace) -> None:
    played = play(
        saem,
        NAME,
        KOREAN,
        "가람의 시장과 강을 찾아야 합니다. 그리고",
        "따라서 답은 다음과 같다: 노을강입니다.",
        "가람에는 노을강이 흐릅니다 [2].",
        top_k=1,
    )
    assert played.searched == [KOREAN, "가람의 시장과 강을 찾아야 합니다."]
    assert played.users[1] == (
        f"{block(서미나, 가람)}\n\n질문: {KOREAN}\n\n"
        "지금까지의 추론: 가람의 시장과 강을 찾아야 합니다.\n\n다음 문장:"
    )
    assert [kind for kind, _ in played.steps] == ["thought", "observation", "thought"]
    assert [c.quote for c in played.answer.citations] == ["가람에는 노을강이 흐릅니다."]


def test_the_model_is_stopped_at_its_second_sentence(saem: Workspace) -> None:
    rambling = f"{BORN} " + "And so on and so forth. " * 50
    played = play(saem, NAME, ENGLISH, rambling, "So the answer is Noeul.", FINAL)
    assert played.steps[0] == ("thought", BORN)
    assert played.llm.closed == 3


@pytest.mark.parametrize("replies", [["", FINAL], [BORN, BORN, FINAL], ["...", "...", FINAL]])
def test_silence_and_repetition_end_the_reasoning(saem: Workspace, replies: list[str]) -> None:
    played = play(saem, NAME, ENGLISH, *replies, top_k=1)
    assert len(played.llm.calls) == len(replies)
    assert len([1 for kind, _ in played.steps if kind == "thought"]) == len(replies) - 2
    assert played.answer.text


def test_steps_are_limited(saem: Workspace) -> None:
    said = [f"Garam has {n} boats." for n in range(9)]
    played = play(saem, NAME, ENGLISH, *said[:2], "Boats reach it by the Noeul [1].", max_steps=2)
    assert len(played.llm.calls) == 3
    assert len(played.searched) == 3


def test_a_thought_without_hits_is_told(saem: Workspace) -> None:
    played = play(saem, NAME, KOREAN, "zzz qqq", "따라서 답은 노을강", "노을강 [1]", mode="bm25")
    assert played.steps[1] == ("observation", "더 찾은 것이 없습니다.")
