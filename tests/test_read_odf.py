from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from odf import dc, draw, meta, office, opendocument, presentation, style, table, text
from odf.element import Element
from odf.namespaces import PRESENTATIONNS

from indexer.readers.odf import read_odf
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.parsed import PROSE, recall, repacked, replaced, said, sound, survived
from tests.support.parsed import table as cells


def saved(document: Any) -> bytes:
    out = BytesIO()
    document.write(out)
    return out.getvalue()


def read(document: Any, path: str = "a.odt") -> Parsed:
    parsed = read_odf(Raw(saved(document), path))
    assert sound(parsed)
    return parsed


def put(parent: Element, *children: Element) -> Element:
    for child in children:
        parent.addElement(child)
    return parent


def words(*elements: Element) -> Any:
    document = opendocument.OpenDocumentText()
    put(document.text, *elements)
    return document


def cell(content: str = "", **spans: int) -> Element:
    made = table.TableCell(**spans)
    return put(made, text.P(text=content)) if content else made


def row(*made: Element, **repeated: int) -> Element:
    return put(table.TableRow(**repeated), *made)


def covered() -> Element:
    return table.CoveredTableCell()


def test_text_structure_and_properties() -> None:
    d = words(
        text.H(outlinelevel=1, text="큰 제목"),
        *(text.P(text=line) for line in PROSE),
        text.H(outlinelevel=2, text="A part"),
    )
    inner = put(text.List(), put(text.ListItem(), text.P(text="둘")))
    put(d.text, put(text.List(), put(text.ListItem(), text.P(text="하나"), inner)))
    d.meta.addElement(dc.Title(text="안내서"))
    d.meta.addElement(meta.InitialCreator(text="김샘"))
    d.meta.addElement(dc.Creator(text="who changed it"))
    d.meta.addElement(meta.CreationDate(text="2024-01-31T09:00:00"))
    for word in ("샘", "search"):
        d.meta.addElement(meta.Keyword(text=word))
    parsed = read(d)
    assert said(parsed) == [
        ("heading1", "큰 제목"),
        *(("paragraph", line) for line in PROSE),
        ("heading2", "A part"),
        ("list", "- 하나\n  - 둘"),
    ]
    assert parsed.title == "안내서"
    assert parsed.metadata["author"] == "김샘"
    assert parsed.metadata["date"] == "2024-01-31"
    assert parsed.metadata["keywords"] == "샘, search"
    assert recall(" ".join(PROSE), parsed) == 1


def test_spaces_notes_comments_and_boxes() -> None:
    p = text.P(text="a  b")
    put(p, text.S(c=3), text.Tab(), text.LineBreak(), text.Span(text="c"))
    note = put(text.Note(noteclass="footnote"), text.NoteCitation(text="1"))
    put(p, put(note, put(text.NoteBody(), text.P(text="A note."))))
    put(p, put(office.Annotation(), text.P(text="a comment")))
    p.addText(" end")
    box = put(draw.Frame(), put(draw.TextBox(), text.P(text="in the box")))
    assert said(read(words(p, put(text.P(text="beside"), box)))) == [
        ("paragraph", "a b   \t\nc end"),
        ("paragraph", "A note."),
        ("paragraph", "beside"),
        ("paragraph", "in the box"),
    ]


def test_sections_are_read_and_indexes_and_deletions_are_not() -> None:
    region = text.ChangedRegion(id="c1", check_grammar=False)
    gone = put(region, put(text.Deletion(), text.P(text="deleted")))
    contents = put(text.TableOfContent(name="t"), put(text.IndexBody(), text.P(text="Contents")))
    section = put(text.Section(name="s"), text.P(text="within"))
    assert said(read(words(put(text.TrackedChanges(), gone), contents, section))) == [
        ("paragraph", "within")
    ]


def test_styles_tell_code_quotes_and_titles() -> None:
    d = words()
    own = style.Style(name="P1", family="paragraph", parentstylename="Preformatted Text")
    d.automaticstyles.addElement(own)
    for name in ("Title", "Quotations", "Preformatted Text"):
        d.styles.addElement(style.Style(name=name, family="paragraph"))
    put(d.text, text.P(stylename="Title", text="제목"), text.P(stylename="Quotations", text="말"))
    put(d.text, text.P(stylename="P1", text="x = 1"))
    assert said(read(d)) == [("heading1", "제목"), ("quote", "말"), ("code", "x = 1")]


def test_tables_with_spans_and_tables_within() -> None:
    inner = put(table.Table(name="in"), row(cell("안"), cell("쪽")))
    holder = put(cell("r1c2"), inner)
    t = put(
        table.Table(name="t"),
        put(
            table.TableHeaderRows(),
            row(cell("a"), cell("b"), cell("c")),
            row(cell("d", numbercolumnsrepeated=3)),
        ),
        row(cell("세로", numberrowsspanned=2), cell("r1c1"), holder),
        row(covered(), cell("r2c1"), cell("r2c2")),
        row(cell("가로", numbercolumnsspanned=2), covered(), cell("r3c2")),
    )  # fmt: skip
    parsed = read(words(t))
    assert cells(parsed) == [
        ["a", "b", "c"],
        ["d", "d", "d"],
        ["세로", "r1c1", "r1c2"],
        ["세로", "r2c1", "r2c2"],
        ["가로", "", "r3c2"],
    ]
    assert parsed.text[: parsed.blocks[0].header] == "a | b | c\nd | d | d"
    assert cells(parsed, 1) == [["안", "쪽"]]


def sheets(*tables: Element) -> Any:
    d = opendocument.OpenDocumentSpreadsheet()
    put(d.spreadsheet, *tables)
    return d


def test_sheets_with_repeats_spans_and_dates() -> None:
    day = put(table.TableCell(valuetype="date", datevalue="2024-01-31"), text.P(text="31/01/24"))
    share = put(table.TableCell(valuetype="percentage", value="0.153"), text.P(text="15.3%"))
    t = put(
        table.Table(name="첫 장"),
        put(table.TableHeaderRows(), row(cell("이름"), cell("값"), cell("때"))),
        row(cell("가", numberrowsspanned=2), share, day),
        row(covered(), cell("같음", numbercolumnsrepeated=2)),
        row(cell("두 번"), table.TableCell(valuetype="float", value="7"), numberrowsrepeated=2),
        row(table.TableCell(numbercolumnsrepeated=16384), numberrowsrepeated=1048570),
    )
    parsed = read(sheets(t, put(table.Table(name="empty"), row(cell()))), "a.ods")
    assert said(parsed)[0] == ("heading1", "첫 장")
    assert cells(parsed) == [
        ["이름", "값", "때"],
        ["가", "15.3%", "2024-01-31"],
        ["가", "같음", "같음"],
        ["두 번", "7"],
        ["두 번", "7"],
    ]
    assert parsed.pages == (0,)
    assert parsed.title == ""


def test_a_row_that_claims_to_be_repeated_a_million_times() -> None:
    t = put(
        table.Table(name="s"),
        row(cell("x", numbercolumnsrepeated=16384), numberrowsrepeated=1048576),
        row(cell("next")),
    )
    parsed = read(sheets(t), "a.ods")
    assert len(parsed.text) < 5_000_000
    assert "more than 1,000,000 cells" in parsed.notes[0] or parsed.text.endswith("next")


def test_hidden_sheets_are_left_out_and_noted() -> None:
    d = sheets()
    hidden = put(style.Style(name="ta1", family="table"), style.TableProperties(display="false"))
    d.automaticstyles.addElement(hidden)
    put(
        d.spreadsheet,
        put(table.Table(name="비밀", stylename="ta1"), row(cell("unseen"))),
        put(table.Table(name="b"), row(cell("seen"))),
    )
    parsed = read(d, "a.ods")
    assert [t for _, t in said(parsed)] == ["b", "seen"]
    assert parsed.notes == ("sheet '비밀' is hidden and was left out",)


def test_slides_are_pages() -> None:
    d = opendocument.OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    d.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname=layout)
    d.masterstyles.addElement(master)

    def frame(content: str, y: str, kind: str = "") -> Element:
        made = draw.Frame(width="9cm", height="2cm", x="1cm", y=y)
        if kind:
            made.setAttrNS(PRESENTATIONNS, "class", kind)
        return put(made, put(draw.TextBox(), text.P(text=content)))

    for number, title in enumerate(["첫 쪽", "Second"]):
        page = draw.Page(masterpagename=master)
        put(page, frame("lower", "90mm"), frame("upper", "5cm"), frame(title, "10cm", "title"))
        put(page, frame("3/4", "11cm", "page-number"))
        put(
            page,
            put(
                presentation.Notes(),
                frame(f"notes {number}", "1cm"),
                frame("7", "2cm", "page-number"),
            ),
        )
        d.presentation.addElement(page)
    parsed = read(d, "a.odp")
    assert said(parsed)[:4] == [
        ("heading1", "첫 쪽"),
        ("paragraph", "upper"),
        ("paragraph", "lower"),
        ("paragraph", "notes 0"),
    ]
    assert parsed.text[parsed.pages[1] :].startswith("Second")


def test_wrong_encrypted_and_damaged_files() -> None:
    data = saved(words(*(text.P(text=line) for line in PROSE * 3)))
    with pytest.raises(SourceError, match=r"a\.odt: is no whole ZIP archive"):
        read_odf(Raw(b"PK", "a.odt"))
    with pytest.raises(SourceError, match=r"holds no content\.xml"):
        read_odf(Raw(repacked(data, lambda n, c: None if n == "content.xml" else c), "a.odt"))
    locked = replaced(data, "META-INF/manifest.xml", "</", "<encryption-data/></")
    with pytest.raises(SourceError, match="protected by a password"):
        read_odf(Raw(locked, "a.odt"))
    bomb = replaced(data, "content.xml", "?>", '?><!DOCTYPE a [<!ENTITY b "c">]>')
    with pytest.raises(SourceError, match=r"content\.xml defines XML entities"):
        read_odf(Raw(bomb, "a.odt"))
    deep = replaced(data, "content.xml", "<text:p>", "<text:section>" * 300 + "<text:p>")
    with pytest.raises(SourceError, match="nests more than 256"):
        read_odf(Raw(deep, "a.odt"))
    cut = replaced(data, "content.xml", f"{PROSE[3]}</text:p>", "")
    parsed = read_odf(Raw(cut, "a.odt"))
    assert parsed.text.startswith(PROSE[0])
    assert "what comes before it was read" in parsed.notes[0]
    survived(read_odf, data, "a.odt")
