"""Replies cut anywhere: the same text comes out, whatever the cuts."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given
from hypothesis import strategies as st

from rag.answer.replies import said, until

TEXT = st.text("ab<>/think 차\n", max_size=40)
CUTS = st.sets(st.integers(0, 60))


def cut(text: str, at: set[int]) -> list[str]:
    edges = [0, *sorted(n for n in at if n < len(text)), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


@given(TEXT, CUTS, st.lists(st.text("ab 차", max_size=3), max_size=3))
@example("aab", {1, 2}, ["ab"])
@example("abab차", {3}, ["abc", "b차"])
def test_a_reply_ends_where_the_first_stop_begins(text: str, at: set[int], stop: list[str]) -> None:
    places = [text.find(s) for s in stop if s and s in text]
    assert "".join(until(iter(cut(text, at)), stop)) == text[: min(places, default=len(text))]


@given(TEXT, CUTS)
@example("<think>a</think>\n b", {3, 9, 12})
@example(" <think>a", {2})
@example("<thin", {2})
def test_a_thought_at_the_beginning_is_left_out(text: str, at: set[int]) -> None:
    expected = re.sub(r"\A\s*<think>(.*?</think>\s*|.*\Z)", "", text, count=1, flags=re.S)
    assert "".join(said(iter(cut(text, at)))) == expected


def test_pieces_that_cannot_be_a_stop_do_not_wait() -> None:
    pieces = until(iter(["One", " two", "\nObs", "cure", "\nObservation: x"]), ["\nObservation:"])
    assert list(pieces) == ["One", " two", "\nObscure"]


def test_nothing_is_read_beyond_a_stop() -> None:
    source = iter(["a", "b|c", "d"])
    assert list(until(source, ["|"])) == ["a", "b"]
    assert list(source) == ["d"]
