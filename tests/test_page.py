"""Where a string occurs in a document."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.answer.page import Page
from rag.errors import NotFound
from rag.types import Hit
from tests.support.corpus import chunks, document

TEXT = (
    "# Tea\n\nGreen tea cools. Nobody hurries; tea waits.\n\n- a cup of Tea\n- a spoon\n\n"
    "녹차는 식습니다. 아무도 서두르지 않습니다. 녹차가 기다립니다.\n"
)


def page(text: str = TEXT) -> Page:
    made = document("tea.md", text, title="Tea")
    opened = Page(lambda name, version: made.text)
    opened.open(Hit(1, 1.0, chunks(made)[0], {}))
    return opened


def walked(opened: Page, string: str) -> list[tuple[str, str]]:
    found = []
    while (one := opened.look_up(string))[0]:
        hit, which = one
        assert hit is not None
        assert TEXT[hit.chunk.start : hit.chunk.end] == hit.chunk.text
        found.append((hit.chunk.text, which))
    return found


def test_each_sentence_once_in_order_whatever_the_case() -> None:
    assert walked(page(), "tea") == [
        ("# Tea", "1 / 4"),
        ("Green tea cools.", "2 / 4"),
        ("Nobody hurries; tea waits.", "3 / 4"),
        ("a cup of Tea", "4 / 4"),
    ]


def test_in_korean_and_over_white_space() -> None:
    assert [text for text, _ in walked(page(), "녹차")] == [
        "녹차는 식습니다.",
        "녹차가 기다립니다.",
    ]
    assert [text for text, _ in walked(page(), "tea   waits")] == ["Nobody hurries; tea waits."]


def test_signs_are_signs() -> None:
    assert walked(page(), ".*") == []
    assert walked(page(), " ") == []


def test_another_string_or_document_begins_anew() -> None:
    opened = page()
    first, _ = opened.look_up("tea")
    assert opened.more("tea")
    assert not opened.more("cup")
    opened.look_up("cup")
    again, which = opened.look_up("tea")
    assert (again, which) == (first, "1 / 4")
    assert first is not None
    opened.open(first)
    assert not opened.more("tea")


def test_without_a_document_there_is_nothing() -> None:
    closed = Page(lambda name, version: TEXT)
    assert closed.document == ""
    assert closed.look_up("tea") == (None, "")


def test_a_document_that_is_gone_holds_nothing() -> None:
    def gone(name: str, version: str) -> str:
        raise NotFound("gone")

    opened = Page(gone)
    opened.open(Hit(1, 1.0, chunks(document("a", TEXT))[0], {}))
    assert opened.look_up("tea") == (None, "")


@given(
    st.text(alphabet="ab. \n#-[", max_size=300), st.text(alphabet="ab. ", min_size=1, max_size=5)
)
def test_every_occurrence_is_in_a_passage_that_is_said(text: str, string: str) -> None:
    made = document("x", "a " + text)
    opened = Page(lambda name, version: made.text)
    opened.open(Hit(1, 1.0, chunks(made)[0], {}))
    spans = []
    while hit := opened.look_up(string)[0]:
        assert made.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
        spans.append((hit.chunk.start, hit.chunk.end))
    assert spans == sorted(set(spans))
    if words := string.split():
        at = made.text.find(words[0]) if len(words) == 1 else -1
        assert at < 0 or any(start <= at < end for start, end in spans)
