from __future__ import annotations

from io import BytesIO
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from indexer.readers.drawings import diagram_items
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.pptx import read_pptx
from indexer.readers.xmltree import parse_part
from rag.errors import SourceError
from tests.support.parsed import PROSE, recall, replaced, said, sound, survived, table

TITLE_ONLY, BLANK, CONTENT = 5, 6, 1


def saved(deck: Any) -> bytes:
    out = BytesIO()
    deck.save(out)
    return out.getvalue()


def read(deck: Any) -> Parsed:
    parsed = read_pptx(Raw(saved(deck), "a.pptx"))
    assert sound(parsed)
    return parsed


def slide(deck: Any, layout: int = BLANK) -> Any:
    return deck.slides.add_slide(deck.slide_layouts[layout])


def box(shapes: Any, text: str, left: float, top: float) -> None:
    added = shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(1))
    added.text_frame.text = text


def test_slides_are_pages_with_titles_lists_and_notes() -> None:
    deck = pptx.Presentation()
    deck.core_properties.title, deck.core_properties.author = "발표", "김샘"
    first = slide(deck, CONTENT)
    first.shapes.title.text = "첫 쪽"
    body = first.placeholders[1].text_frame
    body.text = PROSE[0]
    second = body.add_paragraph()
    second.text, second.level = PROSE[1], 1
    first.notes_slide.notes_text_frame.text = PROSE[2]
    last = slide(deck, TITLE_ONLY)
    last.shapes.title.text = "Last"
    box(last.shapes, PROSE[3], 1, 3)
    parsed = read(deck)
    assert said(parsed) == [
        ("heading1", "첫 쪽"),
        ("list", f"- {PROSE[0]}\n  - {PROSE[1]}"),
        ("paragraph", PROSE[2]),
        ("heading1", "Last"),
        ("paragraph", PROSE[3]),
    ]
    assert parsed.text[parsed.pages[1] :].startswith("Last")
    assert (parsed.title, parsed.metadata["author"]) == ("발표", "김샘")
    assert recall(" ".join(PROSE), parsed) == 1


def test_shapes_are_read_from_the_top_and_from_the_left() -> None:
    deck = pptx.Presentation()
    shapes = slide(deck, TITLE_ONLY).shapes
    box(shapes, "bottom", 1, 6)
    box(shapes, "right", 5, 2.05)
    group = shapes.add_group_shape()
    box(group.shapes, "within, lower", 1, 4.9)
    box(group.shapes, "within, upper", 1, 4)
    box(shapes, "left", 1, 2.1)
    shapes.title.text = "Title"
    assert [text for _, text in said(read(deck))] == [
        "Title", "left", "right", "within, upper", "within, lower", "bottom",
    ]  # fmt: skip


def test_merged_cells_of_tables() -> None:
    deck = pptx.Presentation()
    t = slide(deck).shapes.add_table(3, 3, 0, 0, Inches(4), Inches(2)).table
    for row in range(3):
        for column in range(3):
            t.cell(row, column).text = f"r{row}c{column}"
    t.cell(1, 0).merge(t.cell(2, 0))
    t.cell(1, 0).text = "세로"
    t.cell(0, 1).merge(t.cell(0, 2))
    t.cell(0, 1).text = "가로"
    assert table(read(deck)) == [
        ["r0c0", "가로", ""], ["세로", "r1c1", "r1c2"], ["세로", "r2c1", "r2c2"],
    ]  # fmt: skip


def test_a_charts_numbers_are_a_table() -> None:
    deck = pptx.Presentation()
    data = CategoryChartData()
    data.categories = ["1분기", "2분기"]
    data.add_series("매출", (10, 20.5))
    data.add_series("비용", (7, None))
    chart = (
        slide(deck)
        .shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(3), data)
        .chart
    )
    chart.has_title = True
    chart.chart_title.text_frame.text = "분기별"
    parsed = read(deck)
    assert said(parsed)[0] == ("paragraph", "분기별")
    assert table(parsed) == [["", "매출", "비용"], ["1분기", "10", "7"], ["2분기", "20.5", ""]]


def test_a_diagrams_texts_are_items() -> None:
    root = parse_part(
        b"<dataModel><ptLst><pt/><pt><t><p><r><t>one</t></r></p></t></pt>"
        b"<pt><t><p><r><t>tw</t></r><r><t>o</t></r></p></t></pt></ptLst></dataModel>",
        "f",
        "p",
    )
    assert list(diagram_items(root)) == ["one", "two"]


def test_hidden_slides_are_left_out_and_keep_their_number() -> None:
    deck = pptx.Presentation()
    for text in ("one", "two", "three"):
        box(slide(deck).shapes, text, 1, 1)
    deck.slides[1]._element.set("show", "0")
    parsed = read(deck)
    assert [text for _, text in said(parsed)] == ["one", "three"]
    assert parsed.pages == (0, 3, 5)
    assert parsed.notes == ("slide 2 is hidden and was left out",)


def test_a_damaged_slide_does_not_spoil_the_others() -> None:
    deck = pptx.Presentation()
    for text in ("one", "two"):
        box(slide(deck).shapes, text, 1, 1)
    data = saved(deck)
    parsed = read_pptx(Raw(replaced(data, "ppt/slides/slide1.xml", "</a:t>", ""), "a.pptx"))
    assert [text for _, text in said(parsed)] == ["two"]
    assert parsed.notes[0].startswith("slide 1: its part ppt/slides/slide1.xml is not well-formed")


def test_wrong_and_damaged_files() -> None:
    deck = pptx.Presentation()
    box(slide(deck).shapes, " ".join(PROSE), 1, 1)
    data = saved(deck)
    with pytest.raises(SourceError, match=r"a\.pptx: is no whole ZIP archive"):
        read_pptx(Raw(b"nothing", "a.pptx"))
    name = "ppt/slides/slide1.xml"
    for old, new, why in [
        ("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>', "no slide that can be read .*XML entities"),
        ("<p:spTree>", "<p:spTree>" + "<p:grpSp>" * 300, "nests more than 256"),
    ]:
        with pytest.raises(SourceError, match=why):
            read_pptx(Raw(replaced(data, name, old, new), "a.pptx"))
    survived(read_pptx, data, "a.pptx")
