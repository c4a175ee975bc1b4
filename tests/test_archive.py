from __future__ import annotations

import struct
import zipfile
from io import BytesIO

import pytest

from indexer.readers import archive
from indexer.readers.archive import Archive
from rag.errors import SourceError


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out.getvalue()


def forged(data: bytes, size: int) -> bytes:
    """The one member claims to be ``size`` bytes long, in both of its records."""
    central = data.rindex(b"PK\x01\x02")
    claim = struct.pack("<I", size)
    data = data[: central + 24] + claim + data[central + 28 :]
    return data[:22] + claim + data[26:]


def test_members_by_name() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        a = Archive(packed({"a/한글.xml": b"x" * 70_000, "b": b""}, method), "f.docx")
        assert a.names() == ["a/한글.xml", "b"]
        assert "b" in a
        assert "c" not in a
        assert a.read("a/한글.xml") == b"x" * 70_000
        assert a.read("b") == b""


def test_a_member_bit_by_bit() -> None:
    content = bytes(range(256)) * 4096
    pieces = list(Archive(packed({"a": content}), "f").pieces("a"))
    assert len(pieces) > 1
    assert b"".join(pieces) == content


def test_what_is_inflated_counts_over_all_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LIMIT", 3_000_000)
    a = Archive(packed({"a": bytes(2_000_000), "b": bytes(2_000_000)}), "bomb.docx")
    assert len(a.read("a")) == 2_000_000
    with pytest.raises(SourceError, match=r"bomb\.docx: holds more than 2 MB when unpacked"):
        a.read("b")


def test_a_member_that_says_it_is_too_large_is_not_inflated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "LIMIT", 1_000_000)
    a = Archive(packed({"a": bytes(2_000_000), "b": bytes(900_000)}), "bomb.docx")
    with pytest.raises(SourceError, match="when unpacked"):
        a.read("a")
    assert len(a.read("b")) == 900_000
    assert len(next(Archive(packed({"a": bytes(2_000_000)}), "f").pieces("a"))) > 100_000


def test_a_claim_that_is_too_small_does_not_hide_a_bomb() -> None:
    data = forged(packed({"a": bytes(50_000_000)}), 100)
    with pytest.raises(SourceError, match="damaged part a"):
        Archive(data, "f").read("a")


@pytest.mark.parametrize(
    ("size", "why"), [(2_000, "claims 2000 bytes .* has 1000"), (2**31, "a size .* cannot have")]
)
def test_a_claim_that_is_too_large(size: int, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        Archive(forged(packed({"a": b"ab" * 500}), size), "f").read("a")


def test_ten_thousand_entries_are_listed_and_too_many_refused() -> None:
    many = packed({f"{i}": b"" for i in range(10_000)}, zipfile.ZIP_STORED)
    assert len(Archive(many, "f").names()) == 10_000
    with pytest.raises(SourceError, match="more than 50,000 files inside"):
        Archive(many + b"PK\x01\x02" * 45_000, "f")


def test_a_missing_member() -> None:
    with pytest.raises(SourceError, match=r"f\.epub: holds no mimetype"):
        Archive(packed({"a": b""}), "f.epub").read("mimetype")


def test_an_encrypted_member() -> None:
    data = bytearray(packed({"a": b"secret"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    with pytest.raises(SourceError, match=r"protected by a password.*Save it without"):
        Archive(bytes(data), "f").read("a")


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1, -10, -100])
def test_a_truncated_archive(cut: int) -> None:
    data = packed({"a": bytes(range(256)) * 4, "b": b"x"})
    with pytest.raises(SourceError):
        Archive(data[:cut], "f").read("a")


def test_every_flipped_byte_is_survived() -> None:
    data = packed({"a": b"some words in a member", "b": b"more of them"})
    for i in range(len(data)):
        broken = bytearray(data)
        broken[i] ^= 0xFF
        try:
            a = Archive(bytes(broken), "f")
            for name in a.names():
                a.read(name)
        except SourceError:
            continue


def test_another_file_is_named() -> None:
    with pytest.raises(SourceError, match="is no whole ZIP archive"):
        Archive(b"just text", "f.docx")
    with pytest.raises(SourceError, match="Office 97"):
        Archive(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "f.docx")
