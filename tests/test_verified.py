"""Step-wise verification: what is checked, how, and what becomes of what fails."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rag.answer.refusal import REFUSAL
from rag.workspace import Workspace
from tests.support import hops
from tests.support.hops import ENGLISH, GARAM, KOREAN, SEO, block, play

NAME = "verified"
YES, NO = '{"supported": true}', '{"supported": false}'
RIVER = "The river Noeul flows through Garam [2]."
BOATS = "Boats reach it by the Noeul [2]."


@pytest.fixture(scope="module")
def saem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with hops.workspace(tmp_path_factory.mktemp("hops")) as opened:
        yield opened


def test_what_stands_stays(saem: Workspace) -> None:
    played = play(saem, NAME, ENGLISH, "The river Noeul flows through Garam. [2] " + BOATS, YES)
    draft, first, second = played.llm.calls
    assert draft.last.endswith(f"Question: {ENGLISH}")
    assert draft.schema is None
    for call in (first, second):
        assert call.schema is not None
        assert call.schema["properties"] == {"supported": {"type": "boolean"}}
        assert call.max_tokens == 30
        assert 'JSON only: {"supported": true}' in call.system
    assert played.users[1:] == [
        f"{block(GARAM)}\n\nStatement: The river Noeul flows through Garam.",
        f"{block(GARAM)}\n\nStatement: Boats reach it by the Noeul.",
    ]
    assert played.steps == [
        ("answer", "The river Noeul flows through Garam. [2] " + BOATS),
        ("check", f"Borne out: {RIVER}"),
        ("check", f"Borne out: {BOATS}"),
    ]
    assert (played.answer.text, played.streamed) == (f"{RIVER} {BOATS}",) * 2
    assert {c.quote for c in played.answer.citations} == {
        "The river Noeul flows through Garam.", "Boats reach it by the Noeul."
    }  # fmt: skip


def test_what_fails_is_written_again_from_a_search(saem: Workspace) -> None:
    played = play(
        saem, NAME, ENGLISH,
        f"The river Hanbit flows through Garam [2]. {BOATS}", NO, RIVER, YES, YES,
    )  # fmt: skip
    assert played.searched == [ENGLISH, "The river Hanbit flows through Garam."]
    revise = played.users[2]
    assert revise.endswith(
        f"Question: {ENGLISH}\n\nStatement: The river Hanbit flows through Garam."
    )
    assert GARAM in revise
    assert played.steps[1:] == [
        ("check", "Not borne out: The river Hanbit flows through Garam [2]."),
        ("check", f"Written again: {RIVER}"),
        ("check", f"Borne out: {BOATS}"),
    ]
    assert played.answer.text == f"{RIVER} {BOATS}"


@pytest.mark.parametrize("again", [REFUSAL["ko"], "", "가람에는 한빛강이 흐릅니다 [2]."])
def test_what_fails_again_is_left_out_in_korean(saem: Workspace, again: str) -> None:
    draft = "가람은 도자기 마을입니다 [2]. 가람에는 한빛강이 흐릅니다 [1]."
    played = play(saem, NAME, KOREAN, draft, YES, NO, again, NO, top_k=2)
    assert played.users[1].endswith("\n\n진술: 가람은 도자기 마을입니다.")
    assert played.steps[1:] == [
        ("check", "근거 있음: 가람은 도자기 마을입니다 [2]."),
        ("check", "근거 없음: 가람에는 한빛강이 흐릅니다 [1]."),
        ("check", "뺌: 가람에는 한빛강이 흐릅니다 [1]."),
    ]
    assert played.answer.text == "가람은 도자기 마을입니다 [2]."


def test_other_numbers_than_the_passage_fail_unasked(saem: Workspace) -> None:
    played = play(saem, NAME, ENGLISH, "Mina Seo was born in 1962 [1].", REFUSAL["en"])
    assert [c.schema for c in played.llm.calls] == [None, None]
    assert played.steps[-1] == ("check", "Left out: Mina Seo was born in 1962 [1].")
    assert "Mina Seo" in played.answer.text
    assert "1962" not in played.answer.text
    assert "quoting the documents" in played.answer.warnings[-1]


def test_a_sentence_without_a_number_is_checked_with_the_passage_most_like_it(
    saem: Workspace,
) -> None:
    played = play(saem, NAME, ENGLISH, "The river Noeul flows through Garam. Elephants sing.", YES)
    assert played.users[1] == (f"{block(GARAM)}\n\nStatement: The river Noeul flows through Garam.")
    assert ("check", "Left out: Elephants sing.") in played.steps


@pytest.mark.parametrize("verdict", ["", "perhaps", '{"supported": "yes"}', "[true]", "{" * 99])
def test_without_a_verdict_words_decide(saem: Workspace, verdict: str) -> None:
    played = play(saem, NAME, ENGLISH, RIVER + " Elephants sing in Seoul [2].", verdict)
    kept = [text for _, text in played.steps if text.startswith("Borne out")]
    assert kept == [f"Borne out: {RIVER}"]
    assert played.answer.text == RIVER


@pytest.mark.parametrize("reply", [REFUSAL["en"], "```\nx = [1]\n```"])
def test_refusals_and_code_are_not_checked(saem: Workspace, reply: str) -> None:
    played = play(saem, NAME, ENGLISH, reply)
    assert len(played.llm.calls) == 1
    assert played.answer.abstained == (reply == REFUSAL["en"])


def test_a_sentence_may_cite_several_passages(saem: Workspace) -> None:
    played = play(saem, NAME, ENGLISH, "Mina Seo of Garam was born in 1961. [1, 2] Yes.", YES)
    assert played.users[1].startswith(block(SEO, GARAM))
    assert played.answer.text == "Mina Seo of Garam was born in 1961 [1][2]."


def test_a_long_draft_is_checked_in_part(saem: Workspace) -> None:
    draft = " ".join(f"Garam lives by its potters, {n} [2]." for n in "abcdefghijklmnopq")
    played = play(saem, NAME, ENGLISH, draft, json.dumps({"supported": True}))
    assert len(played.llm.calls) == 1 + 12
    assert played.answer.text.count("[2]") == 12
