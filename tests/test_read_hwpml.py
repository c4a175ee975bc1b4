"""HWPML: elements read by value, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.hwpml import read_hwpml
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.owpml import hwpml


def read(text: str | bytes) -> Parsed:
    return read_hwpml(Raw(text.encode() if isinstance(text, str) else text, "문서.hml"))


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]


def p(inside: str, shape: int = 0) -> str:
    content = inside if inside.startswith("<") else f"<CHAR>{inside}</CHAR>"
    return f'<P ParaShape="{shape}" Style="0"><TEXT CharShape="0">{content}</TEXT></P>'


def cell(row: int, column: int, text: str, rows: int = 1, columns: int = 1) -> str:
    return (
        f'<CELL ColAddr="{column}" RowAddr="{row}" ColSpan="{columns}" RowSpan="{rows}">'
        f"<PARALIST>{p(text)}</PARALIST></CELL>"
    )


def test_text_headings_notes_and_metadata() -> None:
    note = f"<FOOTNOTE><PARALIST>{p('2023년 기준')}</PARALIST></FOOTNOTE>"
    items = "<PARAMETERSET><ITEM><CHAR>no</CHAR></ITEM></PARAMETERSET>"
    section = f'<SECDEF OutlineShape="1">{items}</SECDEF>'
    parsed = read(
        hwpml(
            p(f"{section}<CHAR>개요</CHAR>", 1)
            + p(f"<CHAR>매출은<TAB/>3억</CHAR>{note}<CHAR>이다.</CHAR>")
            + p("Second", 1)
            + p("<EQUATION><SCRIPT>a over b</SCRIPT></EQUATION>")
        )
    )
    assert blocks(parsed) == [
        ("heading", "I. 개요"),
        ("paragraph", "매출은 3억이다."),
        ("paragraph", "1) 2023년 기준"),
        ("heading", "II. Second"),
        ("paragraph", "a over b"),
    ]
    assert parsed.title == "계획서"
    assert parsed.metadata == {"title": "계획서", "author": "홍길동", "date": "2019-06-05"}


def test_tables_with_merged_cells_and_captions() -> None:
    number = '<AUTONUM Number="4" NumberType="Table"/>'
    caption = p(f"<CHAR>표 </CHAR>{number}<CHAR> 예산</CHAR>")
    above = f"<SHAPEOBJECT><CAPTION><PARALIST>{caption}</PARALIST></CAPTION></SHAPEOBJECT>"
    rows = (
        f"<ROW>{cell(0, 0, '구분', rows=2)}{cell(0, 1, '예산', columns=2)}</ROW>"
        f"<ROW>{cell(1, 1, '국비')}{cell(1, 2, '시비')}</ROW>"
        f"<ROW>{cell(2, 0, '2024')}{cell(2, 1, '10')}{cell(2, 2, '20')}</ROW>"
    )
    parsed = read(hwpml(p(f"<TABLE>{above}{rows}</TABLE>")))
    assert blocks(parsed) == [
        ("paragraph", "표 4 예산"),
        ("table", "구분 | 예산 |\n구분 | 국비 | 시비\n2024 | 10 | 20"),
    ]


def test_boxes_headers_and_hidden_comments() -> None:
    inside = f"<PARALIST>{p('숨은 글')}</PARALIST>"
    drawn = f"<DRAWTEXT><PARALIST>{p('글상자')}</PARALIST></DRAWTEXT>"
    box = f"<RECTANGLE><DRAWINGOBJECT>{drawn}</DRAWINGOBJECT></RECTANGLE>"
    dropped = (
        f"<HEADER>{inside}</HEADER><FOOTER>{inside}</FOOTER><HIDDENCOMMENT>{inside}</HIDDENCOMMENT>"
    )
    assert read(hwpml(p(f"<CHAR>본문</CHAR>{dropped}{box}"))).text == "본문\n\n글상자"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = hwpml(p("가나다 English"))
    assert read(text.encode(encoding)).text == "가나다 English"


def test_names_of_characters_are_known_but_no_other_entities() -> None:
    doctype = '<!DOCTYPE HWPML [<!ENTITY nbsp "&#160;">]>'
    assert read(hwpml(p("가&nbsp;나"), doctype=doctype)).text == "가\u00a0나"
    bomb = '<!DOCTYPE HWPML [<!ENTITY a "aaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(SourceError):
        read(hwpml(p("&b;"), doctype=bomb))
    with pytest.raises(SourceError):
        read(hwpml(p("&x;"), doctype='<!DOCTYPE HWPML SYSTEM "file:///etc/passwd">'))


def test_other_xml_and_deep_nesting() -> None:
    with pytest.raises(SourceError, match="not HWPML"):
        read("<html/>")
    with pytest.raises(SourceError, match="nests"):
        read(hwpml("<P>" * 100_000 + "</P>" * 100_000))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_truncated_and_flipped(data: st.DataObject) -> None:
    good = hwpml(p("개요", 1) + p(f"<TABLE><ROW>{cell(0, 0, '가', 2)}</ROW></TABLE>")).encode()
    bad = bytearray(good[: data.draw(st.integers(1, len(good)))])
    for _ in range(data.draw(st.integers(0, 8))):
        bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        parsed = read(bytes(bad))
    except SourceError:
        return
    assert all(0 <= b.start < b.end <= len(parsed.text) for b in parsed.blocks)
