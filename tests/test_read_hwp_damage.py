"""HWP 5: protected files are refused, damaged ones give what can be had or a SourceError."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.hwp import read_hwp
from indexer.readers.hwp_distribution import decrypt
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.aes import encrypt
from tests.support.hwp5 import (
    DAY,
    Control,
    Para,
    TableCell,
    boxed,
    outline_of,
    packed,
    record,
    shape,
    table,
    write_hwp,
)
from tests.support.ole2 import compound_file


def read(data: bytes) -> Parsed:
    return read_hwp(Raw(data, "문서.hwp"))


def header(flags: int) -> bytes:
    return struct.pack("<32sII", b"HWP Document File", 0x05000500, flags).ljust(256, b"\0")


def deflated(piece: bytes, times: int) -> bytes:
    deflate = zlib.compressobj(1, wbits=-15)
    return b"".join([*(deflate.compress(piece) for _ in range(times)), deflate.flush()])


class TestProtection:
    @pytest.mark.parametrize(
        ("flag", "why"), [(2, "password"), (16, "DRM"), (0x100, "certificate")]
    )
    def test_protected_documents_are_refused(self, flag: int, why: str) -> None:
        with pytest.raises(SourceError, match=why):
            read(write_hwp([[Para("비밀")]], flags=1 | flag))

    def test_distribution_documents_are_read(self) -> None:
        body = packed(Para("배포용 문서의 본문").records(), 1)
        hidden = bytes(range(256))
        seed = int.from_bytes(hidden[:4], "little")
        mask, state = b"", seed
        while len(mask) < 256:
            state = (state * 214013 + 2531011) & 0xFFFFFFFF
            value = state >> 16 & 0xFF
            state = (state * 214013 + 2531011) & 0xFFFFFFFF
            mask += bytes([value]) * ((state >> 16 & 0xF) + 1)
        at = 4 + (seed & 0xF)
        key = bytes(a ^ b for a, b in zip(hidden[at : at + 16], mask[at : at + 16], strict=True))
        scrambled = encrypt(body.ljust(-(-len(body) // 16) * 16, b"\0"), key)
        head = struct.pack("<I", 28 | 256 << 20) + hidden
        data = compound_file(
            {
                "FileHeader": header(5),
                "ViewText/Section0": head + scrambled,
            }
        )
        assert read(data).text == "배포용 문서의 본문"

    def test_aes_against_fips_197(self) -> None:
        plain = bytes.fromhex("00112233445566778899aabbccddeeff")
        scrambled = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
        assert decrypt(scrambled * 3, bytes(range(16))) == plain * 3
        assert encrypt(plain, bytes(range(16))) == scrambled


class TestDamage:
    def test_other_files(self) -> None:
        with pytest.raises(SourceError, match="HWP 3"):
            read(b"HWP Document File V3.00 \x1a\1\2\3\4\5" + b"\0" * 600)
        with pytest.raises(SourceError, match="no HWP document"):
            read(compound_file({"WordDocument": b"x"}))
        with pytest.raises(SourceError, match="damaged"):
            read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)

    def test_a_section_cut_short_gives_what_came_before(self) -> None:
        said = [Para(f"문단 {i} " + "가나다라 " * 50) for i in range(200)]
        body = b"".join(p.records() for p in said)
        cut = packed(body, 1)[:-40]
        parsed = read(compound_file({"FileHeader": header(1), "BodyText/Section0": cut}))
        assert parsed.text.startswith("문단 0 가나다라")
        assert "section 1 is cut short" in parsed.notes[0]

    def test_the_preview_where_the_body_is_lost(self) -> None:
        streams = {"FileHeader": header(1), "BodyText/Section0": b"\xff" * 50}
        streams["PrvText"] = "미리 보기\r\n글".encode("utf-16-le")
        parsed = read(compound_file(streams))
        assert parsed.text.split() == ["미리", "보기", "글"]
        assert parsed.notes[-1] == "only its preview could be read"

    def test_inflation_is_bounded(self) -> None:
        bomb = deflated(record(90, 0, bytes(1 << 20)), 300)
        parsed = read(compound_file({"FileHeader": header(1), "BodyText/Section0": bomb}))
        assert "more than 256 MB" in parsed.notes[0]

    def test_the_number_of_records_is_bounded(self) -> None:
        empty = deflated(bytes(1 << 20), 9)
        parsed = read(compound_file({"FileHeader": header(1), "BodyText/Section0": empty}))
        assert "more than 2,000,000 records" in parsed.notes[0]

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_truncated_and_flipped(self, data: st.DataObject) -> None:
        good = WHOLE[data.draw(st.sampled_from([0, 1]))]
        bad = bytearray(good[: data.draw(st.integers(600, len(good)))])
        for _ in range(data.draw(st.integers(0, 8))):
            bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        try:
            parsed = read(bytes(bad))
        except SourceError:
            return
        assert all(0 <= b.start < b.end <= len(parsed.text) for b in parsed.blocks)


WHOLE = [
    write_hwp(
        [
            [
                Para("\0제목", 1, [outline_of(1)]),
                Para("글\0", 0, [boxed("fn  ", [Para("주")])]),
                Para(
                    "\0",
                    0,
                    [table([TableCell(y, x, [Para("ab")]) for y in (0, 1) for x in (0, 1)])],
                ),
                Para("\0", 0, [Control("atno", b"\4")]),
            ]
        ],
        [shape(), shape(1, 0)],
        flags=flags,
        properties={2: "제목", 12: DAY},
    )
    for flags in (0, 1)
]
