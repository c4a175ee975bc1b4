"""HWP 5: what was written is what is read, by value; damage ends in partial text or SourceError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.hwp import read_hwp
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.hwp5 import (
    DAY,
    Para,
    TableCell,
    boxed,
    equation,
    number,
    numbering,
    outline_of,
    ruby,
    shape,
    style,
    table,
    text_box,
    write_hwp,
)

BODY, CHAPTER, SECTION, NUMBERED, BULLET = range(5)
SHAPES = [shape(), shape(1, 0), shape(1, 1), shape(2, 0, 2), shape(3, 0)]
NUMBERINGS = [numbering(("제^1장", 0), ("^2.", 8)), numbering(("(^1)", 0))]


def read(data: bytes) -> Parsed:
    return read_hwp(Raw(data, "문서.hwp"))


def write(*paragraphs: Para, **more: object) -> bytes:
    return write_hwp([list(paragraphs)], SHAPES, numberings=NUMBERINGS, **more)  # type: ignore[arg-type]


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]


def cells(*rows: tuple[str, ...]) -> list[TableCell]:
    return [TableCell(y, x, [Para(t)]) for y, row in enumerate(rows) for x, t in enumerate(row)]


class TestText:
    @pytest.mark.parametrize("flags", [0, 1])
    def test_paragraphs_as_written(self, flags: int) -> None:
        said = ["사업은 2024년에 시작한다.", "The budget is three million.", "古文 𠮷 漢字 ½"]
        parsed = read(write(*map(Para, said), flags=flags))
        assert blocks(parsed) == [("paragraph", text) for text in said]
        assert parsed.notes == ()

    def test_sections_in_order(self) -> None:
        data = write_hwp([[Para(f"section {i}")] for i in range(12)])
        assert read(data).text.split("\n\n") == [f"section {i}" for i in range(12)]

    def test_tabs_line_breaks_and_spaces(self) -> None:
        parsed = read(write(Para("가\t나\n다  라\x1f마\x18바\x1e사")))
        assert parsed.text == "가 나\n다 라 마-바\u00a0사"

    @given(st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), max_size=40)))
    @settings(max_examples=50, deadline=None)
    def test_any_text(self, said: list[str]) -> None:
        try:
            text = read(write(*map(Para, said))).text
        except SourceError:
            text = ""
        from indexer.readers.decode import clean

        assert "".join(text.split()) == "".join(clean("".join(said)).split())


class TestStructure:
    def test_outline_levels_are_headings_with_their_numbers(self) -> None:
        parsed = read(
            write(
                Para("\0개요", CHAPTER, [outline_of(1)]),
                Para("목적", SECTION),
                Para("범위", SECTION),
                Para("계획", CHAPTER),
                Para("일정", SECTION),
            )
        )
        found = [(b.level, b.title) for b in parsed.blocks]
        assert found == [
            (1, "제1장 개요"),
            (2, "가. 목적"),
            (2, "나. 범위"),
            (1, "제2장 계획"),
            (2, "가. 일정"),
        ]
        assert parsed.title == "제1장 개요"

    def test_styles_named_as_outlines_are_headings(self) -> None:
        styles = [style("바탕글", "Normal"), style("개요 2", "Outline 2")]
        data = write_hwp([[Para("본문"), Para("제목", 0, [], 1)]], styles=styles)
        assert [(b.kind, b.level) for b in read(data).blocks] == [("paragraph", 0), ("heading", 2)]

    def test_a_long_outline_paragraph_is_no_heading(self) -> None:
        assert read(write(Para("긴 글 " * 80, CHAPTER))).blocks[0].kind != "heading"

    def test_lists(self) -> None:
        parsed = read(
            write(Para("하나", NUMBERED), Para("둘", NUMBERED), Para("점", BULLET), Para("끝"))
        )
        (kind, text), end = blocks(parsed)
        assert kind == "list"
        assert [line.strip() for line in text.split("\n")] == ["(1) 하나", "(2) 둘", "- 점"]
        assert end == ("paragraph", "끝")

    def test_notes_follow_their_paragraph(self) -> None:
        first, second = (
            boxed("fn  ", [Para("2023년 기준")]),
            boxed("fn  ", [Para("추정"), Para("치")]),
        )
        parsed = read(
            write(
                Para("매출은 3억\0이고 이익은 1억\0이다.", 0, [first, second]),
                Para("끝\0", 0, [boxed("en  ", [Para("An endnote")])]),
            )
        )
        assert parsed.text.split("\n\n") == [
            "매출은 3억이고 이익은 1억이다.",
            "1) 2023년 기준",
            "2) 추정\n치",
            "끝",
            "1) An endnote",
        ]

    def test_boxes_captions_equations_numbers_and_ruby(self) -> None:
        box = text_box([Para("글상자")], [Para("그림 \0 전경", 0, [number(3, 7)])])
        parsed = read(
            write(
                Para("앞\0뒤", 0, [box]),
                Para("넓이 \0 이다", 0, [equation("pi r^2")]),
                Para("\0를 읽다", 0, [ruby("漢字", "한자")]),
            )
        )
        assert parsed.text.split("\n\n") == [
            "앞뒤",
            "그림 7 전경",
            "글상자",
            "넓이 pi r^2 이다",
            "漢字(한자)를 읽다",
        ]

    def test_headers_footers_and_hidden_comments_are_dropped(self) -> None:
        dropped = [boxed(name, [Para(f"숨은 {name}")]) for name in ("head", "tcmt")]
        inner = Para("\0", 0, [table(cells(("a", "b")))])
        dropped.append(boxed("head", [inner]))
        assert read(write(Para("본\0\0\0문", 0, dropped))).text == "본문"


class TestTables:
    def test_cell_by_cell(self) -> None:
        rows = [("이름", "나이", "City"), ("홍길동", "30", "서울"), ("Kim", "", "부산")]
        parsed = read(write(Para("\0", 0, [table(cells(*rows))])))
        assert [tuple(line.split(" | ")) for line in parsed.text.split("\n")] == rows
        (block,) = parsed.blocks
        assert block.kind == "table"
        assert parsed.text[: block.header] == "이름 | 나이 | City"

    def test_merged_cells_and_header_rows(self) -> None:
        wide = TableCell(0, 1, [Para("예산")], columns=2, heads=True)
        tall = TableCell(0, 0, [Para("구분")], rows=2, heads=True)
        second = [TableCell(1, x, [Para(t)], heads=True) for x, t in ((1, "국비"), (2, "시비"))]
        year = TableCell(2, 0, [Para("2024")], rows=2)
        rest = [
            TableCell(2, 1, [Para("10")]),
            TableCell(2, 2, [Para("20"), Para("(추정)")]),
            TableCell(3, 1, [Para("30")]),
            TableCell(3, 2, [Para("40")]),
        ]
        parsed = read(write(Para("\0", 0, [table([tall, wide, *second, year, *rest])])))
        (block,) = parsed.blocks
        assert parsed.text.split("\n") == [
            "구분 | 예산 |",
            "구분 | 국비 | 시비",
            "2024 | 10 | 20 (추정)",
            "2024 | 30 | 40",
        ]
        assert parsed.text[: block.header].count("\n") == 1

    def test_nested_tables_notes_and_captions(self) -> None:
        inner = table(cells(("a", "b"), ("c", "d")))
        note = boxed("fn  ", [Para("주석")])
        outer = [
            TableCell(0, 0, [Para("값\0", 0, [note])]),
            TableCell(0, 1, [Para("속\0", 0, [inner])]),
        ]
        caption = [Para("표 \0. 예산", 0, [number(4, 2)])]
        parsed = read(write(Para("앞"), Para("\0", 0, [table(outer, caption)]), Para("뒤")))
        assert blocks(parsed) == [
            ("paragraph", "앞"),
            ("paragraph", "표 2. 예산"),
            ("table", "값 | 속"),
            ("paragraph", "1) 주석"),
            ("table", "a | b\nc | d"),
            ("paragraph", "뒤"),
        ]

    def test_a_table_of_one_cell_is_a_box(self) -> None:
        inner = [Para("제목", CHAPTER), Para("글"), Para("\0", 0, [table(cells(("a", "b")))])]
        parsed = read(write(Para("\0", 0, [table([TableCell(0, 0, inner)])])))
        assert [b.kind for b in parsed.blocks] == ["heading", "paragraph", "table"]

    def test_absurd_spans_cost_nothing(self) -> None:
        wild = [TableCell(0, 0, [Para("a")], 65535, 65535), TableCell(65535, 65535, [Para("b")])]
        parsed = read(write(Para("\0", 0, [table(wild)])))
        assert [line.strip(" |") for line in parsed.text.split("\n")] == ["a", "b"]

    def test_tables_within_tables_a_hundred_deep(self) -> None:
        paragraph = Para("bottom")
        for depth in range(100):
            paragraph = Para(
                "\0", 0, [table([*cells((f"d{depth}",)), TableCell(0, 1, [paragraph])])]
            )
        assert read(write(paragraph)).text.endswith("d0 | bottom")


class TestMetadata:
    def test_summary(self) -> None:
        properties = {2: "사업 계획", 4: "홍길동", 5: "예산, 계획", 12: DAY}
        parsed = read(write(Para("본문"), properties=properties))
        assert parsed.title == "사업 계획"
        assert parsed.metadata == {
            "title": "사업 계획",
            "author": "홍길동",
            "keywords": "예산, 계획",
            "date": "2024-03-05",
        }
