from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, Table, TableStyle

from indexer.readers import ocr
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.pdf import _Reading, read_pdf
from indexer.readers.pdfedges import Page
from rag.errors import SourceError
from tests.support.bombs import looping_pdf, numbered
from tests.support.parsed import PROSE, damaged, recall, said, sound, table
from tests.support.pdfs import HEIGHT, KOREAN, WIDTH, drawn, flowing, lines

BODY = ParagraphStyle("body", fontName=KOREAN, fontSize=10, leading=14, spaceAfter=10)
HEAD = ParagraphStyle("head", fontName=KOREAN, fontSize=18, leading=24, spaceAfter=10)
LOWER = ParagraphStyle("lower", fontName=KOREAN, fontSize=14, leading=20, spaceAfter=8)


def read(data: bytes) -> Parsed:
    parsed = read_pdf(Raw(data, "a.pdf"))
    assert sound(parsed)
    return parsed


def test_paragraphs_headings_pages_and_properties() -> None:
    long = " ".join([*PROSE, *PROSE])
    story = [
        Paragraph("첫째 장 Chapter", HEAD), Paragraph(long, BODY), Paragraph("A part", LOWER),
        Paragraph(PROSE[1], BODY), PageBreak(),
        Paragraph("둘째 장", HEAD), Paragraph(long, BODY),
    ]  # fmt: skip
    parsed = read(flowing(story, title="안내서", author="김샘", subject="주제"))
    assert said(parsed) == [
        ("heading1", "첫째 장 Chapter"),
        ("paragraph", long),
        ("heading2", "A part"),
        ("paragraph", PROSE[1]),
        ("heading1", "둘째 장"),
        ("paragraph", long),
    ]
    assert parsed.text[parsed.pages[1] :].startswith("둘째 장")
    assert (parsed.title, parsed.metadata["author"]) == ("안내서", "김샘")
    assert parsed.metadata["pages"] == "2"
    assert parsed.metadata["date"].startswith("20")


def test_text_recall_over_many_pages() -> None:
    words = " ".join(PROSE).split()
    texts = [" ".join(Random(number).sample(words, 25)) for number in range(200)]
    parsed = read(flowing([Paragraph(text, BODY) for text in texts]))
    assert len(parsed.pages) > 5
    assert recall(" ".join(texts), parsed) >= 0.99


def test_hyphens_at_line_ends_are_undone() -> None:
    page = ["A long hyphen-", "ated word, a well-known", "one, another well-", "known and CSS-"]
    page.append("Grid.")
    data = drawn(lambda c: lines(c, page, font="Helvetica"))
    assert read(data).text == (
        "A long hyphenated word, a well-known one, another well-known and CSS-Grid."
    )


def test_korean_words_broken_at_line_ends_are_made_whole() -> None:
    page = [
        "저는 형태소 분석을 좋아합니다 그리고 저는 형태",
        "소 분석을 자주 하며 데이터베이스를 고릅니다 데이터",
        "베이스를 또 고르고 분석을 하며 저는 형태소 분석을",
    ]
    text = read(drawn(lambda c: lines(c, page))).text
    assert "저는 형태소 분석을 자주" in text
    assert "데이터베이스를 또" in text


def test_columns_are_read_one_after_the_other() -> None:
    title = "A title over both columns of this page, which is wide"
    left = [f"left column line {i} runs on and on here" for i in range(12)]
    right = [f"right column line {i} runs on and on too" for i in range(12)]

    def page(c: Canvas) -> None:
        lines(
            c,
            ["A title over both columns of this page, which is wide"],
            top=800,
            size=16,
            font="Helvetica",
        )
        for i in range(12):  # by turns, as some programs print
            lines(c, [left[i]], 60, 750 - 14 * i, 10, "Helvetica")
            lines(c, [right[i]], 320, 750 - 14 * i, 10, "Helvetica")

    assert said(read(drawn(page))) == [
        ("heading1", title),
        ("paragraph", " ".join(left)),
        ("paragraph", " ".join(right)),
    ]


def test_running_headers_and_footers_are_dropped_and_counted() -> None:
    def page(number: int, text: str) -> Callable[[Canvas], None]:
        def draw(c: Canvas) -> None:
            lines(c, ["Saem 안내서"], top=HEIGHT - 40, size=9)
            lines(c, [text])
            lines(c, [f"- {number} -"], left=WIDTH / 2, top=30, size=9)

        return draw

    texts = [f"{PROSE[i % 4]} {i}" for i in range(5)]
    parsed = read(drawn(*(page(i + 1, text) for i, text in enumerate(texts))))
    assert [text for _, text in said(parsed)] == texts
    assert parsed.notes == ("10 lines that repeat at the edge of pages were left out",)


def test_ruled_tables_cell_by_cell_with_merged_ones() -> None:
    rows = [
        ["이름", "값", "Notes"],
        ["가", "1", "a cell with words"],
        ["", "2", "second"],
        ["합계", "", "third"],
    ]
    style = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.5, "black"),
            ("FONT", (0, 0), (-1, -1), KOREAN),
            ("SPAN", (0, 1), (0, 2)),
            ("SPAN", (0, 3), (1, 3)),
        ]
    )
    grid = Table(rows, style=style, colWidths=[80, 80, 160])
    parsed = read(flowing([Paragraph(PROSE[0], BODY), grid, Paragraph(PROSE[1], BODY)]))
    assert [kind for kind, _ in said(parsed)] == ["paragraph", "table", "paragraph"]
    assert table(parsed) == [rows[0], rows[1], ["가", "2", "second"], rows[3]]
    block = parsed.blocks[1]
    assert parsed.text[block.start : block.header] == "이름 | 값 | Notes"


def test_a_rule_parts_what_stands_close_to_it() -> None:
    rows = [["근속 연수", "연차 일수"], ["1년 미만", "월 1일"], ["1년 이상", "15일"]]
    style = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("FONT", (0, 0), (-1, -1), KOREAN, 10)]
    assert table(read(flowing([Table(rows, style=TableStyle(style))]))) == rows


def test_columns_in_line_without_rules_are_a_table() -> None:
    rows = [["City", "People", "Area"], ["Seoul", "9,400,000", "605"], ["부산", "3,300,000", "770"]]

    def page(c: Canvas) -> None:
        lines(c, [PROSE[0]])
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                lines(c, [cell], 72 + 130 * j, 700 - 15 * i)

    assert table(read(drawn(page))) == rows


def test_numbered_items_are_no_table() -> None:
    def page(c: Canvas) -> None:
        for i in range(4):
            lines(c, [f"{i + 1}."], 72, 700 - 15 * i)
            lines(c, [f"item {i}"], 110, 700 - 15 * i)

    assert "table" not in [kind for kind, _ in said(read(drawn(page)))]


def test_items_keep_their_numbers() -> None:
    def page(c: Canvas) -> None:
        lines(c, ["• 하나", "(가) 둘", "(2) three"])

    assert said(read(drawn(page))) == [("list", "- 하나\n(가) 둘\n(2) three")]


def test_bookmarks_tell_headings() -> None:
    def page(c: Canvas) -> None:
        c.bookmarkPage("a")
        c.addOutlineEntry("1. 개요", "a", 0)
        c.bookmarkPage("b")
        c.addOutlineEntry("Details", "b", 1)
        lines(c, ["1. 개요"])
        lines(c, [PROSE[0]], top=720)
        lines(c, ["Details"], top=680)
        lines(c, [PROSE[2]], top=640)

    assert said(read(drawn(page))) == [
        ("heading1", "1. 개요"),
        ("paragraph", PROSE[0]),
        ("heading2", "Details"),
        ("paragraph", PROSE[2]),
    ]


def test_typewriter_lines_are_code() -> None:
    code = ["def f(x):", "    if x:", "        return 1"]

    def page(c: Canvas) -> None:
        lines(c, [PROSE[0]])
        c.setFont("Courier", 10)
        for i, line in enumerate(code):
            indent = len(line) - len(line.lstrip())
            c.drawString(72 + 6 * indent, 700 - 12 * i, line.strip())

    assert said(read(drawn(page)))[1] == ("code", "\n".join(code))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pages_that_are_turned(degrees: int) -> None:
    def page(c: Canvas) -> None:
        c.setPageRotation(degrees)
        if degrees == 90:
            c.translate(WIDTH, 0)
        elif degrees == 180:
            c.translate(WIDTH, HEIGHT)
        else:
            c.translate(0, HEIGHT)
        c.rotate(degrees)
        lines(c, ["the first line,", "the second line"], top=400)

    assert read(drawn(page)).text == "the first line, the second line"


def test_text_that_runs_upwards_is_kept() -> None:
    def page(c: Canvas) -> None:
        lines(c, [PROSE[0]])
        c.rotate(90)
        lines(c, ["up the side"], left=200, top=-30)

    assert [text for _, text in said(read(drawn(page)))] == [PROSE[0], "up the side"]


def test_passwords() -> None:
    locked = drawn(lambda c: lines(c, [PROSE[0]]), encrypt=StandardEncryption("secret"))
    with pytest.raises(SourceError, match=r"a\.pdf: is protected by a password\. Save it without"):
        read(locked)
    open_ = StandardEncryption("", ownerPassword="owner", canPrint=0)
    assert read(drawn(lambda c: lines(c, [PROSE[1]]), encrypt=open_)).text == PROSE[1]


def test_wrong_and_damaged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr.shutil, "which", lambda name: None)
    for data in (b"", b"%PDF-1.7\n", b"PK\3\4", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer"):
        with pytest.raises(SourceError, match=r"a\.pdf: is no PDF, or is damaged beyond reading"):
            read(data)
    data = drawn(*[lambda c: lines(c, PROSE)] * 5)
    readable = 0
    for broken in damaged(data, 100):
        try:
            readable += PROSE[0] in read(broken).text
        except SourceError:
            continue
    assert readable > 10


def test_a_page_that_is_damaged_is_noted() -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        return lambda c: lines(c, [f"page {number} {PROSE[number]}"])

    data = drawn(page(0), page(1), page(2), pageCompression=0)
    second = [m.start() for m in re.finditer(rb"/Type /Page\n", data)][1]
    parsed = read(data[:second] + b"/Type /Pane" + data[second + 11 :])
    assert [text for _, text in said(parsed)] == [f"page {n} {PROSE[n]}" for n in (0, 2)]
    assert parsed.notes == ("page 2: damaged, not read",)


def test_pages_that_are_none_are_not_all_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    page = _Reading._page

    def counted(reading: _Reading, number: int) -> Page:
        tried.append(number)
        return page(reading, number)

    monkeypatch.setattr(_Reading, "_page", counted)
    with pytest.raises(SourceError, match="damaged beyond reading"):
        read(looping_pdf())
    assert tried == list(range(1, 1001))
    data = numbered(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 5000>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length 38>>stream\nBT /F 12 Tf 72 700 Td (Green tea.) Tj ET\nendstream",
    )
    parsed = read(data)
    assert said(parsed) == [("paragraph", "Green tea.")]
    assert parsed.notes == ("pages 2, 3, 4, 5, 6, 7, 8, 9 and 4991 more: damaged, not read",)
