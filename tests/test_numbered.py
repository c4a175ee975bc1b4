"""Passages as they are numbered over the prompts for one question."""

from __future__ import annotations

import re

from rag.answer.passages import Passages
from rag.types import Hit
from tests.support.corpus import chunks, document

WORDS = "one two three four five six seven eight nine ten"


def hits(*texts: str) -> list[Hit]:
    made = document("a", "\n\n".join(texts))
    return [Hit(n, 1.0, chunk, {}) for n, chunk in enumerate(chunks(made), 1)]


def passages(tokens: int) -> Passages:
    return Passages(lambda text: len(text.split()), lambda name, version: "", tokens)


def test_numbers_are_kept_and_known_passages_come_first() -> None:
    first, second, third = hits("a b", "c d", "e f")
    shown = passages(1000)
    assert shown.read([first, second], 1000) == [1, 2]
    assert shown.read([third, second], 1000) == [2, 3]
    assert shown.read([first, first], 1000) == [1]
    assert [hit.chunk.text for hit in shown.hits] == ["a b", "c d", "e f"]
    mark = re.search("<passages ([0-9a-f]{12})>", shown.block([]))
    assert mark
    assert shown.block([3, 1]) == (
        f"<passages {mark[1]}>\n[3] \ne f\n\n[1] \na b\n</passages {mark[1]}>"
    )


def test_known_passages_take_of_a_prompt_s_budget() -> None:
    long, short, other = hits(WORDS, "x", f"again {WORDS}")
    shown = passages(1000)
    shown.read([long, short], 1000)
    assert shown.read([long, other], 13) == [1]
    assert shown.read([long, short], 10) == [2]
    assert shown.read([other], 13) == [3]


def test_only_the_first_passage_is_cut_short() -> None:
    long, other, short = hits(WORDS, f"again {WORDS}", "x")
    shown = passages(8)
    assert shown.read([long], 1000) == [1]
    assert "[1] \none two" in shown.block([1])
    assert "ten" not in shown.block([1])
    used = len(shown.block([1]).split()) - 4
    shown = passages(used + 3)
    assert shown.read([long], used) == [1]
    assert shown.read([other, short], 1000) == [2]
    assert shown.hits[1] == short
