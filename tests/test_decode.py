"""Bytes in every encoding that people have give the same text, and say what they were."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers import read
from indexer.readers.decode import clean, decode
from rag.errors import SourceError

KOREAN = "우리 회사의 회의는 매주 월요일 오전 열 시에 시작합니다. 자료는 하루 전에 나눠 주세요.\n"
JAPANESE = "会議は毎週月曜日の午前十時に始まります。資料は前の日までに配ってください。\n"
CHINESE = "我们公司的会议每周一上午十点开始,请提前一天把资料发给大家,谢谢。\n"
TAIWANESE = "我們公司的會議每週一上午十點開始,請提前一天把資料發給大家,謝謝。\n"
GERMAN = "Die Besprechung beginnt montags um zehn; Unterlagen für alle, schöne Grüße, Jörg.\n"
UNICODE = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
)
LEGACY = [
    (KOREAN, "cp949", "cp949"),
    (KOREAN, "euc-kr", "cp949"),
    (JAPANESE, "shift_jis", "cp932"),
    (JAPANESE, "euc-jp", "euc_jp"),
    (JAPANESE, "iso2022_jp", "iso2022_jp"),
    (CHINESE, "gb18030", "gb18030"),
    (TAIWANESE, "big5", "big5"),
    (GERMAN, "latin-1", "cp1252"),
    (GERMAN, "cp1252", "cp1252"),
]


class TestDecode:
    @pytest.mark.parametrize(
        "data",
        [
            "한글 é\n".encode(),
            codecs.BOM_UTF8 + "한글 é\n".encode(),
            "한글 é\n".encode("utf-16"),
            codecs.BOM_UTF16_BE + "한글 é\n".encode("utf-16-be"),
            "한글 é\r\n".encode(),
            "한글 e\u0301\r".encode(),
            "한\0글 é\n".encode(),
            "한글 é\ud800\n".encode("utf-8", "surrogatepass"),
            "한글 é\ud800\n".encode("utf-16", "surrogatepass"),
        ],
    )
    def test_every_way_to_write_it_gives_the_same_text(self, data: bytes) -> None:
        assert read(data, uri="u", path="a.txt").document.text == "한글 é\n"

    @pytest.mark.parametrize("text", [KOREAN, JAPANESE, CHINESE, GERMAN, "plain words\n"])
    @pytest.mark.parametrize("encoding", UNICODE)
    def test_unicode_with_and_without_a_mark(self, text: str, encoding: str) -> None:
        found = decode((text * 3).encode(encoding), "a.txt")
        assert (found.text, found.confidence) == (text * 3, 1.0)
        assert codecs.lookup(found.encoding).name.startswith(encoding.removesuffix("-sig"))

    @pytest.mark.parametrize(("text", "encoding", "named"), LEGACY)
    @pytest.mark.parametrize("times", [1, 200])
    def test_legacy_encodings_are_told(
        self, text: str, encoding: str, named: str, times: int
    ) -> None:
        found = decode((text * times).encode(encoding), "a.txt")
        assert (found.text, found.encoding) == (text * times, named)
        assert 0.7 < found.confidence <= 1
        assert found.notes == (f"is in {named} (confidence {found.confidence:.2f})",)

    def test_few_characters_are_less_sure_than_many(self) -> None:
        sure = [decode(KOREAN[:n].encode("cp949"), "a").confidence for n in (2, 10, 40)]
        assert sure == sorted(sure)
        assert sure[0] < 0.6 < 0.9 < sure[2]

    @pytest.mark.parametrize(
        "head",
        [
            '<?xml version="1.0" encoding="EUC-KR"?>\n<a>',
            "<html><head><meta charset=euc-kr>",
            "# -*- coding: euc-kr -*-\n",
        ],
    )
    def test_what_it_declares_is_believed_if_the_bytes_agree(self, head: str) -> None:
        found = decode(f"{head}똠방".encode("cp949"), "a.txt")
        assert (found.text, found.encoding, found.confidence) == (f"{head}똠방", "cp949", 1.0)
        assert decode(f"{head}똠방".encode(), "a.txt").encoding == "utf-8"

    def test_a_declaration_from_without(self) -> None:
        data = "天気".encode("euc-jp")
        assert decode(data, "a", declared="EUC-JP").text == "天気"
        for wrong in ("rot13", "unicode_escape", "no-such", "utf-8", "\0"):
            assert (
                decode("안녕하세요 여러분".encode("cp949"), "a", wrong).text == "안녕하세요 여러분"
            )

    def test_what_is_taken_out_is_counted(self) -> None:
        found = decode("a\0b\ud800c\0".encode("utf-8", "surrogatepass"), "a.txt")
        assert (found.text, found.removed) == ("abc", 3)
        assert found.notes == ("3 NULs and unpaired surrogates were removed",)

    @pytest.mark.parametrize(
        ("data", "text", "encoding"),
        [
            (KOREAN.encode() + b"\xec\x95", f"{KOREAN}\ufffd", "utf-8"),
            ((KOREAN * 9).encode("cp949") + b"\xb0", f"{KOREAN * 9}\ufffd", "cp949"),
            ((KOREAN * 9).encode("utf-16") + b"\xb0", f"{KOREAN * 9}\ufffd", "utf-16-le"),
        ],
    )
    def test_a_few_broken_characters_are_replaced_and_counted(
        self, data: bytes, text: str, encoding: str
    ) -> None:
        found = decode(data, "a.txt")
        assert (found.text, found.encoding, found.replaced) == (text, encoding, 1)
        assert f"1 characters are no {encoding} and were replaced" in found.notes

    @pytest.mark.parametrize(
        ("data", "line", "why"),
        [
            (b"", None, "is empty"),
            (b" \n\t\n", None, "has no text"),
            (b"---\na: b\n---\n", None, "has no text"),
            (b"\xff\xfea\x00\n\x00b", 2, "is not valid UTF-16: byte 0x62 at offset 4"),
            (b"one\n" + bytes(range(128, 256)) * 9, 2, "is not valid UTF-8: byte 0x80 at offset 4"),
            (bytes(range(256)) * 4, None, "looks like a binary file"),
        ],
    )
    def test_bad_files_say_what_and_where(self, data: bytes, line: int | None, why: str) -> None:
        with pytest.raises(SourceError) as caught:
            read(data, uri="u", path="x/bad.md")
        assert caught.value.why.startswith(why)
        assert (caught.value.path, caught.value.line) == ("x/bad.md", line)
        assert caught.value.remedy

    @given(st.text(alphabet=st.characters(codec=None)))
    def test_clean_is_idempotent(self, text: str) -> None:
        once = clean(text)
        assert clean(once) == once
        assert not set("\r\0") & set(once)
        once.encode()

    @given(st.binary(min_size=1, max_size=200))
    def test_any_bytes_are_text_or_a_source_error(self, data: bytes) -> None:
        try:
            found = decode(data, "a")
        except SourceError:
            return
        assert found.text == clean(found.text)
        assert 0 <= found.confidence <= 1
