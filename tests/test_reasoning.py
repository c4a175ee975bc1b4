from __future__ import annotations

from collections.abc import Generator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.reasoning import told_apart
from rag.types import Step


def run(pieces: Iterable[str], *, answers: bool = True) -> tuple[list[str], str, str]:
    """The thoughts, the answer, and what is returned."""
    events: Generator[Step | str, None, str] = told_apart(pieces, answers=answers)
    thoughts, answer = [], ""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            return thoughts, answer, end.value
        if isinstance(event, Step):
            assert event.kind == "thought"
            thoughts.append(event.text)
        else:
            assert event
            answer += event


@pytest.mark.parametrize(
    ("reply", "thoughts", "answer"),
    [
        ("It is hot. It is wet.\nAnswer: Tea [1].", ["It is hot.", "It is wet."], "Tea [1]."),
        ("Answer: Tea [1].", [], "Tea [1]."),
        ("Brewed at 80. Answer: 80 [1]", ["Brewed at 80."], "80 [1]"),
        ("By [1] it is hot. [1] Final answer: Tea", ["By [1] it is hot."], "Tea"),
        ("1. Look.\n2. See.\n**Answer:** Tea", ["1. Look.", "2. See."], "Tea"),
        ("Hot.\n**Answer**: **Tea**", ["Hot."], "**Tea**"),
        ("Hot. Therefore, the answer is 80 degrees.", ["Hot."], "80 degrees."),
        ("뜨겁습니다.\n답: 홍차입니다 [1].", ["뜨겁습니다."], "홍차입니다 [1]."),
        ("뜨겁습니다. 따라서 답은 홍차입니다.", ["뜨겁습니다."], "홍차입니다."),
        ("뜨겁다.\n최종 답변\uff1a 홍차", ["뜨겁다."], "홍차"),
        ("Hot.\nAnswer: Tea.\nAnswer: Milk.", ["Hot."], "Tea.\nAnswer: Milk."),
    ],
)
def test_thoughts_and_answer(reply: str, thoughts: list[str], answer: str) -> None:
    assert run([reply]) == (thoughts, answer, "")
    assert run(reply) == (thoughts, answer, "")  # character by character


@pytest.mark.parametrize("reply", ["It is hot. The answers differ.", "답장은 없었다. 답답하다."])
def test_a_reply_without_an_answer_is_all_thought(reply: str) -> None:
    thoughts, answer, rest = run([reply])
    assert (" ".join(thoughts), answer, rest) == (reply, "", reply)


def test_where_none_is_to_come_all_is_thought() -> None:
    reply = "It is hot. Answer: Tea."
    assert run([reply], answers=False) == (["It is hot.", "Answer: Tea."], "", reply)


def test_the_answer_streams_as_it_comes() -> None:
    events = told_apart(iter(["Hot.\nAns", "wer:", " ", "Bl", "ack"]))
    assert list(events) == [Step("thought", "Hot."), "Bl", "ack"]


@given(st.text(alphabet="A답:. \n[1]*", max_size=60), st.data())
def test_how_a_reply_is_cut_makes_no_difference(reply: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(reply)))
    assert run(filter(None, [reply[:cut], reply[cut:]])) == run([reply])
