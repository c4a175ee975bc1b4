from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers import read
from indexer.readers.decode import clean
from rag.errors import SourceError


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
        ],
    )
    def test_every_way_to_write_it_gives_the_same_text(self, data: bytes) -> None:
        assert read(data, uri="u", path="a.txt").text == "한글 é\n"

    @pytest.mark.parametrize(
        ("data", "line", "why"),
        [
            (b"", None, "is empty"),
            (b" \n\t\n", None, "has no text"),
            (b"---\na: b\n---\n", None, "has no text"),
            (b"one\ntwo \xb0\xa1", 2, "is not valid UTF-8: byte 0xb0 at offset 8"),
            (b"\xff\xfea\x00\n\x00b", 2, "is not valid UTF-16: byte 0x62 at offset 6"),
            (b"%PDF-1.7 text", None, "looks like a PDF file"),
            (bytes(range(256)) * 4, None, "looks like a binary file"),
            ("no mark".encode("utf-16-le"), None, "looks like a binary file"),
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
