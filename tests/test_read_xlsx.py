from __future__ import annotations

from datetime import date, datetime, time
from io import BytesIO

import openpyxl
import pytest
import xlsxwriter
import xlwt

from indexer.readers import xlsx
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.xlsx import read_xlsx
from indexer.readers.xlsxcells import Formats, kinds
from indexer.readers.xmltree import parse_part
from rag.errors import SourceError
from tests.support.parsed import recall, repacked, replaced, said, sound, survived, table

SHEET = "xl/worksheets/sheet1.xml"


def saved(book: openpyxl.Workbook) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def read(book: openpyxl.Workbook) -> Parsed:
    parsed = read_xlsx(Raw(saved(book), "a.xlsx"))
    assert sound(parsed)
    return parsed


def filled(*rows: tuple[object, ...]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def test_sheets_are_pages_with_headings_and_tables() -> None:
    book = filled(("이름", "value"), ("가", 1), ("나", 2.5))
    book.active.title = "첫 장"
    second = book.create_sheet("Second")
    second["B2"], second["C2"], second["B3"], second["C3"] = "k", "v", "a b", "x\ny"
    book.create_sheet("empty")
    book.properties.title, book.properties.creator = "장부", "김샘"
    parsed = read(book)
    assert said(parsed) == [
        ("heading1", "첫 장"),
        ("table", "이름 | value\n가 | 1\n나 | 2.5"),
        ("heading1", "Second"),
        ("table", "k | v\na b | x y"),
    ]
    assert [parsed.text[at : at + 2] for at in parsed.pages] == ["첫 ", "Se"]
    assert (parsed.title, parsed.metadata["author"]) == ("장부", "김샘")
    assert parsed.text[parsed.blocks[1].start : parsed.blocks[1].header] == "이름 | value"


def test_without_a_title_the_first_sheets_name_is_none() -> None:
    assert read(filled(("a",))).title == ""


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (date(2024, 1, 31), "yyyy-mm-dd", "2024-01-31"),
        (datetime(2024, 1, 31, 9, 30), "m/d/yy h:mm", "2024-01-31 09:30"),
        (datetime(2024, 1, 31, 9, 30, 15), 'yyyy"년" m"월" d"일" hh:mm:ss', "2024-01-31 09:30:15"),
        (time(9, 5), "h:mm", "09:05"),
        (date(1987, 12, 1), "[$-412]yyyy년 mmmm;@", "1987-12-01"),
        (0.153, "0.0%", "15.3%"),
        (0.5, "0%", "50%"),
        (1234567.5, '#,##0.00" 원"', "1234567.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1e21, "0", "1e+21"),
        (-3, '[Red]"day" 0', "-3"),
        (True, "General", "TRUE"),
        ("007", "@", "007"),
        ("#N/A", "General", "#N/A"),
    ],
)
def test_values_are_shown(value: object, form: str, shown: str) -> None:
    book = filled(("head", "x"), (value, "end"))
    book.active["A2"].number_format = form
    assert table(read(book)) == [["head", "x"], [shown, "end"]]


def test_days_are_counted_from_1904_where_the_book_says_so() -> None:
    styles = parse_part(b'<s><cellXfs><xf numFmtId="14"/></cellXfs></s>', "f", "p")
    for since_1904, text in [(False, "2024-01-31"), (True, "2028-02-01")]:
        assert Formats(kinds(styles), since_1904).text("45322", 0) == text
    formats = Formats(kinds(styles), since_1904=False)
    assert formats.text(1, 0) == "1900-01-01"
    assert formats.text("1e300", 0) == "1e+300"
    assert Formats(kinds(None), since_1904=False).text("no number", 7) == "no number"


def test_formulas_give_the_values_that_are_kept() -> None:
    data = saved(filled(("sum", "text"), ("=1+1", "x")))
    data = replaced(data, SHEET, "<v></v>", "<v>2</v>")
    data = replaced(data, SHEET, "<v />", "<v>2</v>")
    assert table(read_xlsx(Raw(data, "a.xlsx")))[1] == ["2", "x"]


def test_merged_cells() -> None:
    book = filled(("a", "b", "c"), ("세로", 1, 2), (None, 3, 4), ("가로", None, 5))
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("A4:B4")
    assert table(read(book)) == [
        ["a", "b", "c"], ["세로", "1", "2"], ["세로", "3", "4"], ["가로", "", "5"],
    ]  # fmt: skip


def test_a_title_above_a_table_is_no_header_and_blank_rows_part_tables() -> None:
    book = filled(("매출 현황",), ("월", "금액"), (1, 10), (), (), ("key", "value"), ("a", "b"))
    assert said(read(book))[1:] == [
        ("paragraph", "매출 현황"),
        ("table", "월 | 금액\n1 | 10"),
        ("table", "key | value\na | b"),
    ]


def test_rich_and_shared_strings() -> None:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("공유")
    sheet.write_rich_string(0, 0, "rich ", book.add_format({"bold": True}), "글")
    sheet.write(0, 1, "PLAIN")
    sheet.write(1, 0, "PLAIN")
    book.close()
    spoken = replaced(
        out.getvalue(), "xl/sharedStrings.xml", "<t>PLAIN</t>", "<t>말</t><rPh><t>소리</t></rPh>"
    )
    assert table(read_xlsx(Raw(spoken, "a.xlsx"))) == [["rich 글", "말"], ["말"]]


def test_a_workbook_of_before_2007() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("옛 장")
    for column, value in enumerate(["이름", 3, 2.5, True, datetime(2024, 1, 31)]):
        forms = {2: "0.0%", 4: "YYYY-MM-DD"}
        sheet.write(1, column + 1, value, xlwt.easyxf(num_format_str=forms.get(column, "General")))
    sheet.write_merge(2, 3, 1, 1, "세로")
    sheet.write(2, 2, "위")
    sheet.write(3, 2, "아래")
    book.add_sheet("hidden").visibility = 1
    out = BytesIO()
    book.save(out)
    parsed = read_xlsx(Raw(out.getvalue(), "old.xls"))
    assert sound(parsed)
    assert table(parsed) == [
        ["이름", "3", "250.0%", "TRUE", "2024-01-31"], ["세로", "위"], ["세로", "아래"],
    ]  # fmt: skip
    assert parsed.notes == ("sheet 'hidden' is hidden and was left out",)
    survived(read_xlsx, out.getvalue(), "old.xls")


def test_hidden_sheets_are_left_out_and_noted() -> None:
    book = filled(("seen",))
    hidden = book.create_sheet("비밀")
    hidden["A1"] = "unseen"
    hidden.sheet_state = "hidden"
    parsed = read(book)
    assert "unseen" not in parsed.text
    assert parsed.notes == ("sheet '비밀' is hidden and was left out",)


def test_cells_far_apart_cost_nothing() -> None:
    book = filled(("first",))
    book.active["XFD1048576"] = "last"
    assert said(read(book))[1:] == [("table", "first"), ("table", "last")]


def test_a_diagonal_is_no_table_of_a_million_cells() -> None:
    book = openpyxl.Workbook()
    for i in range(1, 1500):
        book.active.cell(i, i, f"d{i}")
    parsed = read(book)
    assert len(parsed.text) < 20_000
    assert recall(" ".join(f"d{i}" for i in range(1, 1500)), parsed) == 1


def test_too_many_cells_are_bounded_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "CELLS", 100)
    parsed = read(filled(*((i, "x") for i in range(200))))
    assert table(parsed)[-1] == ["49", "x"]
    assert parsed.notes == (
        "sheet 'Sheet': what comes after row 50 was left out (more than 100 cells)",
    )


def test_wrong_and_damaged_files() -> None:
    data = saved(filled(*((f"행 {i}", i) for i in range(300))))
    with pytest.raises(SourceError, match=r"a\.xlsx: is no whole ZIP archive"):
        read_xlsx(Raw(b"PK\3\4", "a.xlsx"))
    with pytest.raises(SourceError, match="names no main part"):
        read_xlsx(Raw(repacked(data, lambda n, c: None if "workbook.xml" in n else c), "a"))
    part = read_xlsx(Raw(replaced(data, SHEET, '<row r="200"', '<row r="200" <'), "a.xlsx"))
    assert table(part)[-1][0] == "행 198"
    assert "not well-formed" in part.notes[0]
    bomb = replaced(data, SHEET, "<worksheet", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet')
    assert "defines XML entities" in read_xlsx(Raw(bomb, "a.xlsx")).notes[0]
    survived(read_xlsx, data, "a.xlsx")


def test_a_damaged_workbook_of_before_2007() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    with pytest.raises(SourceError, match=r"old\.xls: is no whole Excel file"):
        read_xlsx(Raw(data, "old.xls"))


def test_areas_merged_over_and_over_end() -> None:
    book = filled(*((i, "x") for i in range(2000)))
    data = replaced(
        saved(book),
        SHEET,
        "</sheetData>",
        "</sheetData><mergeCells>" + '<mergeCell ref="C1:C1048576"/>' * 20_000 + "</mergeCells>",
    )
    data = replaced(data, SHEET, '<c r="A1"', '<c r="C1" t="str"><v>all</v></c><c r="A1"')
    assert table(read_xlsx(Raw(data, "a.xlsx")))[1999] == ["1999", "x", "all"]
