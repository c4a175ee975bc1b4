from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.boilerplate import repeated, without
from indexer.readers.building import Builder
from rag.types import Document

FOOTER = "Copyright the makers of tea, all rights reserved."


def page(n: int, *, footer: bool = True) -> Document:
    b = Builder()
    b.heading("How a page of this manual always begins", 1)
    b.page()
    b.paragraph(f"Page number {n} has a sentence of its own.\n{FOOTER if footer else 'The end.'}")
    b.table([["a column", "another column of the table"], [str(n), "the very same cell in all"]])
    b.page()
    b.paragraph(f"And another one at the end, {n}.")
    parsed = b.parsed()
    return Document(f"u{n}", f"p{n}", "", parsed.text, parsed.blocks, {}, (), parsed.pages)


def test_lines_of_prose_that_most_documents_have() -> None:
    found = repeated([page(n, footer=n % 4 > 0) for n in range(12)])
    assert found == {FOOTER: 9}, "neither headings nor cells of tables, nor what differs"


def test_half_is_not_most_and_few_documents_tell_nothing() -> None:
    assert repeated([page(n, footer=n % 2 > 0) for n in range(12)]) == {}
    assert repeated([page(n) for n in range(7)]) == {}


def test_blocks_and_pages_stand_where_they_did() -> None:
    before = page(3)
    after = without(before, {FOOTER})
    assert FOOTER not in after.text
    assert [b.kind for b in after.blocks] == ["heading", "paragraph", "table", "paragraph"]
    texts = [after.text[b.start : b.end] for b in after.blocks]
    assert texts[1].strip() == "Page number 3 has a sentence of its own."
    assert texts[2] == before.text[before.blocks[2].start : before.blocks[2].end]
    head = after.blocks[2]
    assert after.text[head.start : head.header] == "a column | another column of the table"
    assert [after.text[at : at + 4] for at in after.pages] == ["Page", "And "]


def test_a_block_of_nothing_else_goes() -> None:
    b = Builder()
    for text in ("First of three paragraphs here.", FOOTER, "Third of three paragraphs here."):
        b.paragraph(text)
    parsed = b.parsed()
    left = without(Document("u", "p", "", parsed.text, parsed.blocks), {FOOTER})
    assert [left.text[x.start : x.end] for x in left.blocks] == [
        "First of three paragraphs here.",
        "Third of three paragraphs here.",
    ]


LINE = st.sampled_from(["a line that all of them have", "one of its own, 1", "x", "짧은 줄", ""])


@given(st.lists(st.lists(LINE, max_size=4), max_size=5))
def test_nothing_else_is_lost(blocks: list[list[str]]) -> None:
    b = Builder()
    for lines in blocks:
        b.paragraph("\n".join(lines))
    parsed = b.parsed()
    before = Document("u", "p", "", parsed.text, parsed.blocks)
    after = without(before, {"a line that all of them have"})
    kept = [line for block in blocks for line in block if line and not line.startswith("a line")]
    assert [line for line in after.text.split("\n") if line.strip()] == kept
    covered = "\n".join(after.text[x.start : x.end] for x in after.blocks)
    assert [line for line in covered.split("\n") if line.strip()] == kept
