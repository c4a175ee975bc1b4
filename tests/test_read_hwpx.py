"""HWPX: files that python-hwpx wrote, and elements that it does not write, read by value."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from hwpx.document import HwpxDocument
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.hwpx import read_hwpx
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.owpml import cell, hwpx, paragraph, sub_list


def read(data: bytes) -> Parsed:
    return read_hwpx(Raw(data, "문서.hwpx"))


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]


class TestWrittenByPythonHwpx:
    def test_headings_paragraphs_and_notes(self) -> None:
        document = HwpxDocument.new()
        document.add_heading("사업 개요", 1)
        body = document.add_paragraph("2024년에 시작한다.", inherit_style=False)
        document.notes.add_footnote("예산은 3억 원이다.", paragraph=body)
        document.add_heading("Goals", 2)
        body = document.add_paragraph("English body.", inherit_style=False)
        document.notes.add_endnote("An endnote.", paragraph=body)
        document.shapes.add_equation("a over b", paragraph=body)
        document.page.set_header(text="머리말")
        document.page.set_footer(text="꼬리말")
        parsed = read(document.to_bytes())
        assert blocks(parsed) == [
            ("heading", "1. 사업 개요"),
            ("paragraph", "2024년에 시작한다."),
            ("paragraph", "1) 예산은 3억 원이다."),
            ("heading", "가. Goals"),
            ("paragraph", "English body. a over b"),
            ("paragraph", "1) An endnote."),
        ]
        assert [b.level for b in parsed.blocks if b.kind == "heading"] == [1, 2]

    def test_tables_cell_by_cell(self) -> None:
        rows = [("이름", "나이", "City"), ("홍길동", "30", "서울"), ("Kim", "41", "부산")]
        document = HwpxDocument.new()
        table = document.add_table(3, 3)
        for y, row in enumerate(rows):
            for x, text in enumerate(row):
                table.set_cell_text(y, x, text)
        (block,) = (parsed := read(document.to_bytes())).blocks
        assert block.kind == "table"
        assert [tuple(line.split(" | ")) for line in parsed.text.split("\n")] == rows

    def test_merged_cells(self) -> None:
        document = HwpxDocument.new()
        table = document.add_table(3, 3)
        for place, text in {(0, 0): "구분", (0, 1): "예산", (1, 1): "국비", (1, 2): "시비"}.items():
            table.set_cell_text(*place, text)
        for x, text in enumerate(("2024", "10", "20")):
            table.set_cell_text(2, x, text)
        table.merge_cells(0, 0, 1, 0)
        table.merge_cells(0, 1, 0, 2)
        lines = read(document.to_bytes()).text.split("\n")
        assert lines == ["구분 | 예산 |", "구분 | 국비 | 시비", "2024 | 10 | 20"]

    @given(
        st.lists(st.text(st.characters(min_codepoint=33, codec="utf-8"), min_size=1), max_size=4)
    )
    @settings(max_examples=15, deadline=None)
    def test_any_text(self, said: list[str]) -> None:
        from indexer.readers.decode import clean

        document = HwpxDocument.new()
        for text in said:
            document.add_paragraph(text, inherit_style=False)
        wanted = "".join(clean("".join(said)).split())
        assert "".join(read(document.to_bytes()).text.split()) == wanted


class TestElements:
    def test_numbers_of_headings_and_lists(self) -> None:
        section = '<hp:secPr outlineShapeIDRef="1"/>'
        parsed = read(
            hwpx(
                paragraph(f"{section}<hp:t>목적</hp:t>", 1)
                + paragraph("정의", 1)
                + paragraph("용어", 2)
                + paragraph("첫째", 3)
                + paragraph("점", 4)
                + paragraph("작은 제목", 0, 7)
            )
        )
        headings = [(b.level, b.title) for b in parsed.blocks if b.kind == "heading"]
        assert headings == [(1, "제1조 목적"), (1, "제2조 정의"), (2, "가. 용어"), (3, "작은 제목")]
        (items,) = [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "list"]
        assert items == "③ 첫째\n- 점"

    def test_signs_within_text(self) -> None:
        text = (
            "<hp:t>가<hp:tab/>나<hp:lineBreak/>다<hp:nbSpace/>라<hp:hypen/>마<hp:fwSpace/>바</hp:t>"
        )
        assert read(hwpx(paragraph(text))).text == "가 나\n다\u00a0라-마 바"

    def test_boxes_captions_word_art_and_numbers(self) -> None:
        number = '<hp:ctrl><hp:autoNum num="3" numType="PICTURE"/></hp:ctrl>'
        caption = paragraph(f"<hp:t>그림 </hp:t>{number}<hp:t> 전경</hp:t>")
        picture = f"<hp:pic><hp:caption>{sub_list(caption)}</hp:caption></hp:pic>"
        drawn = f"<hp:drawText>{sub_list(paragraph('글상자'))}</hp:drawText>"
        box = f"<hp:container><hp:rect>{drawn}</hp:rect></hp:container>"
        art = '<hp:textart text="큰 글씨"/>'
        parsed = read(hwpx(paragraph(f"<hp:t>앞</hp:t>{picture}{box}") + paragraph(art)))
        assert parsed.text.split("\n\n") == ["앞", "그림 3 전경", "글상자", "큰 글씨"]

    def test_what_is_no_text(self) -> None:
        hidden = sub_list(paragraph("숨은 글"))
        memo = f'<hp:ctrl><hp:fieldBegin type="MEMO">{hidden}</hp:fieldBegin></hp:ctrl>'
        comment = f"<hp:ctrl><hp:hiddenComment>{hidden}</hp:hiddenComment></hp:ctrl>"
        deleted = "<hp:t>남은<hp:deleteBegin/>지운<hp:deleteEnd/> 글</hp:t>"
        assert read(hwpx(paragraph(memo + comment + deleted))).text == "남은 글"

    def test_nested_tables_follow_and_a_single_cell_is_a_box(self) -> None:
        cells = cell(0, 0, paragraph("a")) + cell(0, 1, paragraph("b"))
        inner = f"<hp:tbl><hp:tr>{cells}</hp:tr></hp:tbl>"
        outer = cell(0, 0, paragraph("값")) + cell(0, 1, paragraph(f"<hp:t>속</hp:t>{inner}"))
        box = f"<hp:tbl><hp:tr>{cell(0, 0, paragraph('상자', 1))}</hp:tr></hp:tbl>"
        parsed = read(hwpx(paragraph(f"<hp:tbl><hp:tr>{outer}</hp:tr></hp:tbl>") + paragraph(box)))
        assert blocks(parsed) == [("table", "값 | 속"), ("table", "a | b"), ("heading", "상자")]


class TestPackage:
    def test_sections_in_the_order_of_the_spine(self) -> None:
        sections = [paragraph(f"section {i}") for i in range(11)]
        order = [10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        parsed = read(hwpx(*sections, order=order))
        assert parsed.text.split("\n\n") == [f"section {i}" for i in order]

    def test_metadata(self) -> None:
        parsed = read(hwpx(paragraph("글"), title="사업 계획"))
        assert parsed.title == "사업 계획"
        assert parsed.metadata == {
            "title": "사업 계획",
            "language": "ko",
            "author": "홍길동",
            "date": "2024-03-05",
        }

    def test_encrypted(self) -> None:
        data = BytesIO(hwpx(paragraph("비밀")))
        with zipfile.ZipFile(data, "a") as archive:
            archive.writestr("META-INF/manifest.xml", "<m><odf:encryption-data/></m>")
        with pytest.raises(SourceError, match="password"):
            read(data.getvalue())

    def test_no_hwpx(self) -> None:
        data = BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("word/document.xml", "<w/>")
        with pytest.raises(SourceError, match="without HWPX sections"):
            read(data.getvalue())
        with pytest.raises(SourceError, match="ZIP"):
            read(b"PK\3\4 nothing")

    def test_a_broken_section_is_noted_and_the_others_are_read(self) -> None:
        parsed = read(hwpx(paragraph("하나"), "<hp:p><unclosed>", paragraph("셋")))
        assert parsed.text == "하나\n\n셋"
        assert "Contents/section1.xml" in parsed.notes[0]

    def test_the_preview_where_nothing_else_can_be_read(self) -> None:
        parsed = read(hwpx("<hp:p>"))
        assert parsed.text == "미리 보기"
        assert parsed.notes[-1] == "only its preview could be read"

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_truncated_and_flipped(self, data: st.DataObject) -> None:
        good = hwpx(
            paragraph("하나", 1), paragraph(f"<hp:tbl><hp:tr>{cell(0, 0, 'x')}</hp:tr></hp:tbl>")
        )
        bad = bytearray(good[: data.draw(st.integers(1, len(good)))])
        for _ in range(data.draw(st.integers(0, 8))):
            bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        try:
            parsed = read(bytes(bad))
        except SourceError:
            return
        assert all(0 <= b.start < b.end <= len(parsed.text) for b in parsed.blocks)
