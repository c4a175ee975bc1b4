from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from indexer.readers.docx import read_docx
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.parsed import PROSE, recall, repacked, replaced, said, sound, survived, table

W = nsdecls("w")
MAIN = "word/document.xml"


def saved(document: Any) -> bytes:
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def read(document: Any) -> Parsed:
    parsed = read_docx(Raw(saved(document), "a.docx"))
    assert sound(parsed)
    return parsed


def body(*xml: str) -> Any:
    """A document of paragraphs or tables in WordprocessingML."""
    document = docx.Document()
    for piece in xml:
        element = piece.replace(">", f" {W}>", 1)
        document.element.body.insert(-1, parse_xml(element))
    return document


def p(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_text_structure_and_properties() -> None:
    d = docx.Document()
    d.core_properties.title = "안내서"
    d.core_properties.author = "김샘"
    d.core_properties.created = datetime(2024, 1, 31, 9)
    d.core_properties.keywords = "샘, search"
    d.add_heading("큰 제목", 1)
    for text in PROSE:
        d.add_paragraph(text)
    d.add_heading("A part", 2)
    d.add_paragraph("하나", "List Bullet")
    d.add_paragraph("둘", "List Bullet 2")
    d.add_paragraph("A saying", "Quote")
    d.sections[0].header.paragraphs[0].text = "running header"
    d.sections[0].footer.paragraphs[0].text = "running footer"
    parsed = read(d)
    assert said(parsed) == [
        ("heading1", "큰 제목"),
        *(("paragraph", text) for text in PROSE),
        ("heading2", "A part"),
        ("list", "- 하나\n- 둘"),
        ("quote", "A saying"),
    ]
    assert parsed.title == "안내서"
    assert parsed.metadata["author"] == "김샘"
    assert parsed.metadata["date"] == "2024-01-31"
    assert parsed.metadata["keywords"] == "샘, search"
    assert recall(" ".join(PROSE), parsed) == 1


def test_headings_by_outline_level_and_by_inherited_and_localised_styles() -> None:
    d = docx.Document()
    styles = d.styles
    own = styles.add_style("장 제목", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = styles["Heading 2"]
    styles.add_style("제목 3", WD_STYLE_TYPE.PARAGRAPH)
    code = styles.add_style("Source Code", WD_STYLE_TYPE.PARAGRAPH)
    d.add_paragraph("Title of all", "Title")
    d.add_paragraph("inherited", own)
    d.add_paragraph("localised", "제목 3")
    d.add_paragraph("def f():", code)
    d.add_paragraph("    return 1", code)
    direct = d.add_paragraph("direct")
    direct._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {W} w:val="3"/>'))
    assert said(read(d)) == [
        ("heading1", "Title of all"),
        ("heading2", "inherited"),
        ("heading3", "localised"),
        ("code", "def f():\n    return 1"),
        ("heading4", "direct"),
    ]


def test_numbers_of_lists_are_counted() -> None:
    d = docx.Document()
    numbering = d.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for i, (form, text) in enumerate([("decimal", "제%1조"), ("ganada", "%1-%2)")])
    )
    numbering.append(parse_xml(f'<w:abstractNum {W} w:abstractNumId="77">{levels}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {W} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
    for depth, text in [(0, "목적"), (1, "가장"), (1, "나중"), (0, "정의"), (1, "다시")]:
        properties = d.add_paragraph(text)._p.get_or_add_pPr()
        properties.append(
            parse_xml(f'<w:numPr {W}><w:ilvl w:val="{depth}"/><w:numId w:val="77"/></w:numPr>')
        )
    assert said(read(d)) == [
        ("list", "제1조 목적\n  1-가) 가장\n  1-나) 나중\n제2조 정의\n  2-가) 다시")
    ]


def test_merged_and_nested_tables() -> None:
    d = docx.Document()
    t = d.add_table(4, 3)
    for row in range(4):
        for column in range(3):
            t.cell(row, column).text = f"r{row}c{column}"
    for a, b, text in [((1, 0), (2, 0), "세로"), ((3, 0), (3, 1), "가로")]:
        t.cell(*a).merge(t.cell(*b)).text = text
    inner = t.cell(1, 2).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "안", "쪽"
    d.add_paragraph("after")
    parsed = read(d)
    assert table(parsed) == [
        ["r0c0", "r0c1", "r0c2"],
        ["세로", "r1c1", "r1c2"],
        ["세로", "r2c1", "r2c2"],
        ["가로", "", "r3c2"],
    ]
    assert table(parsed, 1) == [["안", "쪽"]]
    assert said(parsed)[-1] == ("paragraph", "after")
    head = parsed.blocks[0]
    assert parsed.text[: head.header] == "r0c0 | r0c1 | r0c2"


def test_rows_that_are_repeated_on_pages_head_the_table() -> None:
    d = docx.Document()
    t = d.add_table(3, 1)
    for i, row in enumerate(t.rows):
        row.cells[0].text = f"row {i}"
        if i < 2:
            row._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {W}/>"))
    parsed = read(d)
    assert parsed.text[: parsed.blocks[0].header] == "row 0\nrow 1"


def test_a_table_of_one_cell_is_a_frame() -> None:
    d = docx.Document()
    cell = d.add_table(1, 1).cell(0, 0)
    cell.text = "framed"
    cell.add_paragraph("second", "Heading 1")
    assert said(read(d)) == [("paragraph", "framed"), ("heading1", "second")]


def test_changes_fields_boxes_and_ruby() -> None:
    box = f"<w:txbxContent>{p('in the box')}</w:txbxContent>"
    d = body(
        "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom></w:p>",
        "<w:p><w:r><w:instrText>PAGEREF x</w:instrText></w:r><w:hyperlink><w:r><w:t>a link"
        "</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:hyperlink></w:p>",
        f"<w:p><w:r><w:t>beside</w:t></w:r><w:r><w:pict>{box}</w:pict></w:r></w:p>",
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>かな</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字"
        "</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>",
        f"<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>{p('controlled')}</w:sdtContent></w:sdt>",
    )
    assert [text for _, text in said(read(d))] == [
        "kept added", "a link\tb\nc", "beside", "in the box", "漢字", "controlled",
    ]  # fmt: skip


def test_hidden_text_is_left_out() -> None:
    d = docx.Document()
    paragraph = d.add_paragraph("shown")
    paragraph.add_run(" hidden").font.hidden = True
    paragraph.add_run(" too").font.hidden = False
    assert said(read(d)) == [("paragraph", "shown too")]


def test_footnotes_follow_their_paragraph() -> None:
    data = saved(body(p("MARK"), p("next")))
    data = replaced(
        data, MAIN, "MARK</w:t>", 'word</w:t><w:footnoteReference w:id="2"/><w:t>!</w:t>'
    )
    data = replaced(
        data,
        "word/_rels/document.xml.rels",
        "</Relationships>",
        '<Relationship Id="n" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/footnotes" Target="footnotes.xml"/></Relationships>',
    )
    loop = '<w:p><w:r><w:t>A note.</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = (
        f'<w:footnotes {W}><w:footnote w:type="separator" w:id="0">{p("no note")}</w:footnote>'
        f'<w:footnote w:id="2">{loop}</w:footnote></w:footnotes>'
    )
    out = BytesIO(data)
    with ZipFile(out, "a") as z:
        z.writestr("word/footnotes.xml", notes)
    parsed = read_docx(Raw(out.getvalue(), "a.docx"))
    assert [text for _, text in said(parsed)] == ["word!", "A note.", "next"]


def test_the_strict_vocabulary_is_read() -> None:
    def strict(name: str, content: bytes) -> bytes:
        return content.replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        )

    d = docx.Document()
    d.add_heading("Strict", 1)
    parsed = read_docx(Raw(repacked(saved(d), strict), "a.docx"))
    assert said(parsed) == [("heading1", "Strict")]


def test_what_comes_before_damage_is_read() -> None:
    data = saved(body(p("good"), p("BAD")))
    parsed = read_docx(Raw(replaced(data, MAIN, "BAD</w:t>", "x</w:u>"), "a.docx"))
    assert said(parsed) == [("paragraph", "good")]
    assert "not well-formed" in parsed.notes[0]
    assert "what comes before it was read" in parsed.notes[0]


def test_bombs_and_depths_are_refused() -> None:
    data = saved(body(p("x")))
    bomb = '?><!DOCTYPE a [<!ENTITY b "lol">]>'
    with pytest.raises(SourceError, match=r"a\.docx: its part word/document\.xml defines XML"):
        read_docx(Raw(replaced(data, MAIN, "?>", bomb), "a.docx"))
    with pytest.raises(SourceError, match="nests more than 256"):
        read_docx(Raw(replaced(data, MAIN, "<w:p>", "<w:sdt>" * 300 + "<w:p>"), "a.docx"))


def test_nested_tables_to_the_allowed_depth() -> None:
    n = 70
    inner = "<w:tbl><w:tr><w:tc>" * n + p("deep") + "</w:tc></w:tr></w:tbl>" * n
    assert said(read(body(inner))) == [("paragraph", "deep")]


def test_wrong_and_damaged_files() -> None:
    for data, why in [
        (b"PK nothing", "no whole ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "protected by a password, or"),
        (repacked(saved(docx.Document()), lambda n, c: c if "main" in n else None), "holds no"),
    ]:
        with pytest.raises(SourceError, match=why):
            read_docx(Raw(data, "a.docx"))
    d = docx.Document()
    for text in PROSE * 3:
        d.add_paragraph(text)
    survived(read_docx, saved(d), "a.docx")
