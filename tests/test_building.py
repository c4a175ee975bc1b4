from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.building import Builder
from indexer.readers.parsed import Parsed
from rag.types import Block
from tests.support.parsed import said, sound


def test_blocks_stand_apart_and_items_together() -> None:
    b = Builder()
    b.heading("A  heading\n over two lines", 2)
    b.paragraph(" first\nsecond ")
    b.item("one")
    b.item("two", depth=1)
    b.item("three", mark="나.")
    b.paragraph("   ")
    b.code("\n  def f():\n    pass   \n\n")
    b.paragraph("said", "quote")
    parsed = b.parsed()
    assert said(parsed) == [
        ("heading2", "A heading over two lines"),
        ("paragraph", "first\nsecond"),
        ("list", "- one\n  - two\n나. three"),
        ("code", "  def f():\n    pass"),
        ("quote", "said"),
    ]
    assert parsed.title == "A heading over two lines"
    assert sound(parsed)


def test_a_table_has_a_line_a_row_and_knows_its_header() -> None:
    b = Builder()
    b.table([["", ""], ["name", "value"], ["가", "1\n2"], [" ", ""], ["나", ""]], header=2)
    b.table([["only a head"]])
    b.table([[unicodedata.normalize("NFD", "이름"), "값\0"], ["가", "1"]])
    parsed = b.parsed()
    first, second, third = parsed.blocks
    assert parsed.text[first.start : first.end] == "name | value\n가 | 1 2\n나 |"
    assert parsed.text[first.start : first.header] == "name | value"
    assert second.header == 0
    assert parsed.text[third.start : third.header] == "이름 | 값"


def test_pages_begin_at_what_follows_and_empty_ones_count() -> None:
    b = Builder()
    for text in ("one", "", "three"):
        b.page()
        b.paragraph(text)
    parsed = b.parsed()
    assert parsed.pages == (0, 3, 5)
    assert parsed.text[5:] == "three"


def test_items_of_two_pages_are_two_lists() -> None:
    b = Builder()
    for _ in range(2):
        b.page()
        b.item("x")
    assert [kind for kind, _ in said(b.parsed())] == ["list", "list"]


def test_text_is_clean() -> None:
    b = Builder()
    b.heading("a\0b\ud800", 9)
    b.paragraph("한글\r\ne\u0301")
    assert said(b.parsed()) == [("heading6", "ab"), ("paragraph", "한글\né")]


def test_a_text_that_was_read_becomes_part() -> None:
    text = "T\n\na | b\n1 | 2"
    part = Parsed(text, (Block("heading", 0, 1, 3, "T"), Block("table", 3, 14, header=8)))
    b = Builder()
    b.paragraph("before")
    b.include(part)
    parsed = b.parsed()
    assert said(parsed) == [("paragraph", "before"), ("heading3", "T"), ("table", text[3:])]
    assert parsed.text[parsed.blocks[2].start : parsed.blocks[2].header] == "a | b"


CALLS = st.one_of(
    st.tuples(st.just("heading"), st.text(), st.integers(-3, 9)),
    st.tuples(st.just("paragraph"), st.text()),
    st.tuples(st.just("code"), st.text()),
    st.tuples(st.just("item"), st.text(), st.integers(0, 4)),
    st.tuples(st.just("table"), st.lists(st.lists(st.text(), max_size=3), max_size=4)),
    st.tuples(st.just("page")),
)


@given(st.lists(CALLS, max_size=20))
def test_whatever_is_said_offsets_hold(calls: list[tuple[object, ...]]) -> None:
    b = Builder()
    b.page()
    for name, *arguments in calls:
        getattr(b, str(name))(*arguments)
    assert sound(b.parsed())
