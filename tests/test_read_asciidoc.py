"""AsciiDoc: blocks by value, offsets in the source, and nothing that is written lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.asciidoc import read_asciidoc
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError


def read(text: str) -> Parsed:
    return read_asciidoc(Raw(text.encode(), "a.adoc"))


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]


DOCUMENT = """\
= 안내서: The *Guide*
Hong Gildong <hong@example.com>
v1.2, 2024-03-05
:description: How to brew
:lang: ko
:product: Saem

// a comment
First paragraph
on two lines.

== Using {product}

.A caption
[source,python]
----
def f():

    return 1
----

* one
* two
** deeper

* three
+
----
attached
----

Term:: what it means
다른 말:: 뜻

[NOTE]
====
Inside an example.
====

____
Someone said so.
____

 indented literal

////
dropped
////

=== Deep `code` https://example.com[link]

image::tea.png[]

ifdef::x[]
kept text
endif::[]
"""


def test_a_document() -> None:
    parsed = read(DOCUMENT)
    assert blocks(parsed) == [
        ("heading", "= 안내서: The *Guide*"),
        ("paragraph", "First paragraph\non two lines."),
        ("heading", "== Using {product}"),
        ("paragraph", "A caption"),
        ("code", "def f():\n\n    return 1"),
        ("list", "* one\n* two\n** deeper\n\n* three"),
        ("code", "attached"),
        ("list", "Term:: what it means\n다른 말:: 뜻"),
        ("paragraph", "Inside an example."),
        ("quote", "Someone said so."),
        ("code", " indented literal"),
        ("heading", "=== Deep `code` https://example.com[link]"),
        ("paragraph", "image::tea.png[]"),
        ("paragraph", "kept text"),
    ]
    assert [(b.level, b.title) for b in parsed.blocks if b.kind == "heading"] == [
        (1, "안내서: The Guide"),
        (2, "Using Saem"),
        (3, "Deep code link"),
    ]
    assert parsed.title == "안내서: The Guide"
    assert parsed.metadata == {
        "author": "Hong Gildong",
        "date": "2024-03-05",
        "description": "How to brew",
        "language": "ko",
    }
    assert parsed.text == DOCUMENT


def test_underlined_titles() -> None:
    parsed = read(
        "Title\n=====\n\nText.\n\nSection\n-------\n\n"
        "한국어 제목\n~~~~~~~~~~~\n\n----\ncode\n----\n"
    )
    assert [(b.kind, b.level, b.title) for b in parsed.blocks] == [
        ("heading", 1, "Title"),
        ("paragraph", 0, ""),
        ("heading", 2, "Section"),
        ("heading", 3, "한국어 제목"),
        ("code", 0, ""),
    ]


@pytest.mark.parametrize(
    ("table", "header"),
    [
        ("|===\n|Name |나이\n\n|Kim |30\n|===", "|Name |나이"),
        ('[%header,cols="1,2"]\n|===\n|Name\n|나이\n|Kim\n|30\n|===', "|Name\n|나이"),
        ('[options="header"]\n|===\n|Name |나이\n|Kim |30\n|===', "|Name |나이"),
        ("[%header,cols=2*]\n|===\n\n|Name |나이\n|Kim |30\n|===", "|Name |나이"),
        ("|===\n|Kim |30\n|Lee |40\n|===", ""),
        ("[%noheader]\n|===\n|Kim |30\n\n|Lee |40\n|===", ""),
    ],
)
def test_tables(table: str, header: str) -> None:
    parsed = read(f"Text.\n\n{table}\n\nMore.\n")
    _, block, _ = parsed.blocks
    assert block.kind == "table"
    assert parsed.text[block.start : block.header or block.start] == header
    assert parsed.text[block.start : block.end].startswith("|")
    assert "===" not in parsed.text[block.start : block.end]


def test_what_is_not_closed_reaches_the_end() -> None:
    assert blocks(read("----\ncode\n")) == [("code", "code")]
    assert blocks(read("|===\n|a\n")) == [("table", "|a")]


def test_long_lines_and_many_marks_take_linear_time() -> None:
    for piece in ("*a ", "[[", "<<a,", "link:x[", ":", "= ", "`", "{a}", "a:: "):
        assert len(read(piece * 100_000).blocks) <= 1


@given(st.text(st.sampled_from("=-.*_+/|`:[]<>{} \n가ab1"), max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_text(text: str) -> None:
    try:
        parsed = read(text)
    except SourceError:
        return
    end = 0
    for block in parsed.blocks:
        assert end <= block.start < block.end <= len(parsed.text)
        assert block.header <= block.end
        end = block.end
