from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.parsed import Parsed, Raw
from indexer.readers.rtf import read_rtf
from rag.errors import SourceError
from tests.support.parsed import PROSE, recall, said, sound, survived, table

FONTS = (
    r"{\fonttbl{\f0\fnil\fcharset129 Batang;}{\f1\fnil\fcharset0 Times;}"
    r"{\f2\fnil\fcharset128 MS Mincho;}{\f3\fnil\fcharset204 Times Cyr;}}"
)


def read(body: str | bytes, head: str = r"\ansi\ansicpg949\uc1\deff0" + FONTS) -> Parsed:
    inside = body if isinstance(body, bytes) else body.encode("ascii")
    parsed = read_rtf(Raw(b"{\\rtf1" + head.encode() + b"\n" + inside + b"}", "a.rtf"))
    assert sound(parsed)
    return parsed


def unicode(text: str) -> str:
    """As Word writes it: UTF-16 units, each with a question mark for old readers."""
    data = text.encode("utf-16-le")
    units = [int.from_bytes(data[i : i + 2], "little", signed=True) for i in range(0, len(data), 2)]
    return "".join(chr(u) if 31 < u < 127 else f"\\u{u}?" for u in units)


def hexed(text: str, codec: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(codec))


@pytest.mark.parametrize("form", ["unicode", "hexadecimal", "raw"])
def test_korean_in_all_its_forms(form: str) -> None:
    if form == "raw":
        body = b"".join(line.encode("cp949") + b"\\par\n" for line in PROSE)
    elif form == "hexadecimal":
        body = "".join(f"{hexed(line, 'cp949')}\\par " for line in PROSE).encode()
    else:
        body = "".join(f"{unicode(line)}\\par " for line in PROSE).encode()
    parsed = read(body)
    assert said(parsed) == [("paragraph", line) for line in PROSE]
    assert recall(" ".join(PROSE), parsed) == 1


def test_fonts_say_the_code_page() -> None:
    body = (
        rf"\f0 {hexed('한글', 'cp949')} \f1 {hexed('café', 'cp1252')} "
        rf"{{\f2 {hexed('日本', 'cp932')}}} \f3 {hexed('Да', 'cp1251')}\par"
    )
    assert read(body).text == "한글 café 日本 Да"


def test_a_second_byte_that_is_a_letter() -> None:
    # 똠 is 0x8c 0x63 in CP949: its second byte is an ASCII letter, which writers leave bare.
    assert "똠".encode("cp949") == b"\x8cc"
    assert read(r"\'8cc end\par").text == "똠 end"


def test_signs_pairs_and_characters_to_pass_over() -> None:
    body = (
        r"\ldblquote a\rdblquote\~b\_c\emdash d\tab e\line f \{g\} \\ "
        + unicode("😀")
        + r" {\uc2\u44032\'b0\'a1}{\uc0\u45208}x\par"
    )
    assert read(body).text == "“a”\u00a0b\u2011c—d\te\nf {g} \\ 😀 가나x"


def test_headings_titles_lists_and_properties() -> None:
    head = (
        r"\ansi\ansicpg949" + FONTS + r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}"
        r"{\s2\sbasedon0 heading 2;}{\s3 Title;}}"
        r"{\info{\title " + hexed("안내서", "cp949") + r"}{\author Kim}"
        r"{\upr{\subject ??}{\*\ud{\subject " + unicode("주제") + r"}}}}"
    )
    body = (
        r"\pard\s3 Name\par\pard\s1 One\par\pard\s2 Two\par\pard\outlinelevel2 Three\par"
        r"\pard{\listtext\'95\tab}\ls1\ilvl0 first\par{\listtext 2.1\tab}\pard\ls1\ilvl1 second\par"
        r"\pard plain\par"
    )
    parsed = read(body, head)
    assert said(parsed) == [
        ("heading1", "Name"),
        ("heading1", "One"),
        ("heading2", "Two"),
        ("heading3", "Three"),
        ("list", "- first\n  2.1 second"),
        ("paragraph", "plain"),
    ]
    assert parsed.title == "안내서"
    assert parsed.metadata == {"author": "Kim", "subject": "주제"}


def test_tables_with_merged_cells() -> None:
    def row(edges: str, *cells: str) -> str:
        return rf"\trowd{edges}\pard\intbl " + "".join(rf"{c}\cell " for c in cells) + r"\row "

    body = (
        row(r"\cellx100\cellx200\cellx300", "a", "b", r"c\par d")
        + row(r"\clvmgf\cellx100\cellx200\cellx300", "down", "1", "2")
        + row(r"\clvmrg\cellx100\cellx200\cellx300", "", "3", "4")
        + row(r"\cellx200\cellx300", "across", "5")
        + r"\pard after\par"
    )
    parsed = read(body)
    assert table(parsed) == [
        ["a", "b", "c d"], ["down", "1", "2"], ["down", "3", "4"], ["across", "", "5"],
    ]  # fmt: skip
    assert said(parsed)[1] == ("paragraph", "after")
    assert parsed.text[: parsed.blocks[0].header] == "a | b | c d"


def test_what_is_not_the_text_is_left_out() -> None:
    body = (
        r"{\header top}{\footer bottom}{\*\generator x}{\pict\bin5 }}}{{}{\v hidden}"
        r"kept{\field{\*\fldinst HYPERLINK x}{\fldrslt  link}}{\deleted gone}"
        r"{\footnote A note.}{\*\annotation comment}{\shp{\*\shpinst{\sp{\sn a}{\sv b}}"
        r"{\shptxt  box}}}\par next\par"
    )
    assert [text for _, text in said(read(body))] == ["kept link box", "A note.", "next"]


def test_an_end_that_is_missing_is_noted() -> None:
    parsed = read_rtf(Raw(rb"{\rtf1\ansi{\b kept", "a.rtf"))
    assert parsed.text == "kept"
    assert parsed.notes == ("ends too early: a part of it may be missing",)


def test_wrong_deep_and_damaged_files() -> None:
    with pytest.raises(SourceError, match=r"a\.rtf: is no RTF file"):
        read_rtf(Raw(b"plain text", "a.rtf"))
    with pytest.raises(SourceError, match="nests more than 10,000 groups"):
        read_rtf(Raw(b"{\\rtf1" + b"{" * 100_000, "a.rtf"))
    body = "".join(f"{unicode(line)}\\par " for line in PROSE)
    data = rf"{{\rtf1\ansi{FONTS}{body}}}".encode()
    assert survived(read_rtf, data, "a.rtf") > 60


@given(st.lists(st.sampled_from([*r"{}\*'", "\\u", "\\bin9999999999", "\\cell", "\\row", "\\trowd"
    , "\\cellx9", "\\clvmrg", "\\f9", "\\upr", "\\*\\ud", "\\par", "\\s1", "\\listtext", "\\info"
    , "\\title", "\\stylesheet", "\\fonttbl", "\\fcharset129", "\\'b0", "\xb0", "0", "-1", " x"]),
    max_size=60))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_words_break_it(words: list[str]) -> None:
    assert sound(read_rtf(Raw(b"{\\rtf1" + "".join(words).encode("latin-1"), "a.rtf")))
