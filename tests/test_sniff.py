"""What a file is shows in what it holds; its name decides among kinds of plain text."""

from __future__ import annotations

import io
import zipfile

import pytest

from indexer.readers import FORMATS, Unknown, sniff
from rag.errors import SourceError

HTML = "<!-- saved -->\n<!DOCTYPE html><html><p>words"
MAIL = "Received: from x\nFrom: a@b.c\nTo: d@e.f\nSubject: Tea\n\nwords"
MBOX = "From a@b.c Mon Sep  2 10:00:00 2024\nSubject: Tea\n\nwords"
NOTEBOOK = '{"cells": [{"cell_type": "code", "source": []}], "nbformat": 4}'
SRT = "1\n00:00:01,000 --> 00:00:02,000\nwords\n"
HWPML = '<?xml version="1.0"?>\n<HWPML Version="2.8"><BODY/></HWPML>'
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def zipped(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def compound(*streams: str, data: bytes = b"") -> bytes:
    return OLE2 + b"".join(name.encode("utf-16-le") + bytes(64) for name in streams) + data


def found(data: bytes | str, path: str) -> str:
    return sniff(data.encode() if isinstance(data, str) else data, path).name


class TestContent:
    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b"%PDF-1.7\n", "pdf"),
            (b"\xef\xbb\xbf\n%PDF-1.4\n", "pdf"),
            (b"HTTP/1.1 200 OK\n\n%PDF-1.4\nstartxref\n9\n%%EOF", "pdf"),
            (zipped("[Content_Types].xml", "word/document.xml", "word/x/xl/a.xml"), "docx"),
            (zipped("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
            (zipped("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
            (zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "odf"),
            (zipped("content.xml", "META-INF/manifest.xml"), "odf"),
            (zipped("META-INF/container.xml", "mimetype"), "epub"),
            (zipped("x", mimetype="application/epub+zip"), "epub"),
            (zipped("Contents/section0.xml", mimetype="application/hwp+zip"), "hwpx"),
            (zipped("version.xml", "Contents/section0.xml"), "hwpx"),
            (compound("FileHeader", data=b"HWP Document File"), "hwp"),
            (compound("Workbook"), "xlsx"),
            (rb"{\rtf1\ansi words}", "rtf"),
            (HTML, "html"),
            (HTML.encode("utf-16"), "html"),
            ("한글".join([HTML, "</p>"]).encode("utf-16-le"), "html"),
            (HWPML, "hwpml"),
        ],
    )
    @pytest.mark.parametrize("path", ["a", "a.txt", "a.md", "a.hwp", "a.doc", "a.docx", "a.qqq"])
    def test_a_document_is_what_it_holds_whatever_its_name(
        self, data: bytes | str, name: str, path: str
    ) -> None:
        assert found(data, path) == name

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            ('<?xml version="1.0"?><a>b</a>', "xml"),
            ('{"a": [1, 2]}', "json"),
            ('[{"a": 1}]', "json"),
            ('{"a": 1}\n{"a": 2}\n', "jsonl"),
            (NOTEBOOK, "notebook"),
            (MAIL, "email"),
            (MBOX, "mbox"),
            (SRT, "subtitles"),
            ("WEBVTT\n\n00:01.000 --> 00:02.000\na", "subtitles"),
            ("<SAMI><BODY>", "subtitles"),
            ("Dear all: [1] {see} From me", "text"),
            ("From here on it rains", "text"),
            ("Note: a\nTo: b\n\nwords", "text"),
            ("{not json}", "text"),
            ("RIFF is how a song begins", "text"),
        ],
    )
    @pytest.mark.parametrize("path", ["README", "a.txt", "a.docx", "notes v1.2", "Mr. Kim"])
    def test_text_of_no_telling_name(self, data: str, name: str, path: str) -> None:
        assert found(data, path) == name

    @pytest.mark.parametrize(
        ("path", "data", "name"),
        [
            ("a.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
            ("a.json", '{"a": 1}\n', "json"),
            ("a.eml", MBOX, "mbox"),
            ("a.xls", "a\tb\n1\t2", "csv"),
            ("a.xls", HTML, "html"),
            ("a.md", '{"a": 1}', "markdown"),
            ("a.php", HTML, "code"),
            ("a.mdx", HTML, "mdx"),
            ("a.yaml", NOTEBOOK, "yaml"),
            ("a.md", "A file that begins with `%PDF-1.7` is a PDF.", "markdown"),
            ("a.py", "SIGN = b'%PDF-'\n", "code"),
            ("a.pdf", "scanned by x\n%PDF-1.4\n", "pdf"),
        ],
    )
    def test_names_decide_between_kinds_of_text(self, path: str, data: str, name: str) -> None:
        assert found(data, path) == name

    def test_every_suffix_names_its_format(self) -> None:
        for known in FORMATS:
            for suffix in known.suffixes:
                data = b"\x01\x02\x03\x04" * 9 if known.binary else b"plain words"
                assert found(data, f"A{suffix.upper()}") == known.name


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "path", "why"),
        [
            (b"plain words", "a.h5", r"suffix that no reader takes \(\.h5\)"),
            (b"\x89PNG\r\n\x1a\n\0\0", "a.md", "PNG"),
            (b"\x89HDF\r\n\x1a\n\0\0", "a.h5", "HDF5"),
            (b"\x1f\x8b\x08\0\0\0", "a.txt", "gzip"),
            (b"\0\0\0\x18ftypmp42", "a", "MP4"),
            (zipped("a.txt"), "a.docx", "ZIP archive"),
            (compound("Whatever"), "a.md", "OLE2"),
            (b"\x00\x01\x02" * 99, "a.txt", "binary"),
        ],
    )
    def test_unknown(self, data: bytes, path: str, why: str) -> None:
        with pytest.raises(Unknown, match=why) as caught:
            sniff(data, path)
        assert (caught.value.path, bool(caught.value.remedy)) == (path, True)

    @pytest.mark.parametrize(
        ("data", "why", "remedy"),
        [
            (compound("WordDocument"), "Word document", "as .docx"),
            (compound("PowerPoint Document"), "PowerPoint", "as .pptx"),
            (compound("EncryptedPackage"), "encrypted", "without a password"),
            (zipped("word/document.xml")[:60], "damaged ZIP", "again"),
        ],
    )
    def test_known_but_not_to_be_read(self, data: bytes, why: str, remedy: str) -> None:
        with pytest.raises(SourceError, match=why) as caught:
            sniff(data, "a.doc")
        assert not isinstance(caught.value, Unknown)
        assert remedy in caught.value.remedy

    def test_a_zip_with_a_comment(self) -> None:
        data = zipped("xl/workbook.xml")
        assert found(data[:-2] + b"\x05\x00hello", "a.bin") == "xlsx"
