"""What holds for a file of any format, whatever is in it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers import SUFFIXES, Empty, read
from indexer.readers.dates import day
from rag.errors import SourceError
from rag.types import Document
from tests.support.parsed import damaged
from tests.support.reading import read_file, recall
from tests.support.samples import SAMPLES, sentence

DECOMPOSED = unicodedata.normalize("NFD", "차를 우립니다")
TEXTS = ("# e*\u0301*\n\n%", "title: 'a'\n", "---\ndate: 2024.1.2\n---\n%", "a,b\n%,1\n", "{\n%")


def fault(document: Document) -> str:
    """What is wrong with its offsets or its texts; nothing, as it should be."""
    end = 0
    for b in document.blocks:
        if not end <= b.start < b.end <= len(document.text):
            return f"{b} begins or ends where it cannot"
        if not document.text[b.start : b.end].strip() or (b.header and b.header <= b.start):
            return f"{b} is blank or has no header"
        end = b.end
    pages = document.pages
    if list(pages) != sorted(pages) or (pages and (pages[0], pages[-1] <= end) != (0, True)):
        return f"pages {pages} of {end} characters"
    texts = [document.title, document.text, *(b.title for b in document.blocks)]
    for text in (*texts, *document.metadata, *document.metadata.values()):
        surrogates = any("\ud800" <= c <= "\udfff" for c in text)
        if "\0" in text or surrogates or unicodedata.normalize("NFC", text) != text:
            return f"{text!r} is not clean"
    return ""


def taken(data: bytes, path: str) -> Document | None:
    """The document, or nothing where it is refused."""
    try:
        return read(data, uri="u", path=path).document
    except SourceError:
        return None


@pytest.mark.parametrize("suffix", SAMPLES)
def test_a_whole_file_is_read_and_a_damaged_one_does_no_harm(suffix: str) -> None:
    data = SAMPLES[suffix]("kettle")
    found = read_file(data, f"a{suffix}")
    assert fault(found.document) == ""
    assert recall(sentence("kettle"), found) == 1
    for broken in damaged(data, 20):
        document = taken(broken, f"a{suffix}")
        assert document is None or fault(document) == ""


@pytest.mark.parametrize("data", [b"", b" ", b" \r\n\t\n\x0c", b"\xef\xbb\xbf\n"])
def test_a_blank_file_is_empty_whatever_it_is_called(data: bytes) -> None:
    for suffix in SUFFIXES:
        with pytest.raises(Empty):
            read(data, uri="u", path=f"a{suffix}")


@pytest.mark.parametrize("letter", ["a", "가", "<", "{", "[", "#", "-", "|", ":", "\\", "'", "\0"])
def test_a_file_of_one_letter(letter: str) -> None:
    for suffix in SUFFIXES:
        document = taken(letter.encode(), f"a{suffix}")
        assert document is None or (letter in document.text and fault(document) == "")


@given(
    st.sampled_from(sorted(SUFFIXES)),
    st.sampled_from(TEXTS),
    st.text(st.sampled_from("e\u0301가\u1100\u1161 \0\ud800\r\n*_`:=-|#<>&;[](){}\"'1.")),
)
def test_texts_of_a_document_are_clean(suffix: str, form: str, words: str) -> None:
    data = form.replace("%", words).encode("utf-8", "surrogatepass")
    document = taken(data, f"{DECOMPOSED}{suffix}")
    assert document is None or fault(document) == ""


def test_a_name_is_composed_where_it_serves_as_title() -> None:
    found = read(b"words", uri="u", path=f"{DECOMPOSED}.txt")
    assert found.document.title == "차를 우립니다"
    assert found.document.path == f"{DECOMPOSED}.txt"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-01-31", "2024-01-31"), ("2024-01-31T10:00:00Z", "2024-01-31"),
        ("2024. 1. 31.", "2024-01-31"), ("2024년 1월 31일 수요일 오후 3:22", "2024-01-31"),
        ("2024/1/31 9:00", "2024-01-31"), ("20240131", "2024-01-31"),
        ("20240131T100000", "2024-01-31"), ("Wed, 31 Jan 2024 10:00:00 +0900", "2024-01-31"),
        ("31 January 2024", "2024-01-31"), ("January 31, 2024", "2024-01-31"),
        ("2024-02-31", "2024-02-31"), ("2024-01", "2024-01"), ("2024", "2024"),
        ("last spring", "last spring"), ("", ""), ("2024013112", "2024013112"),
    ],
)  # fmt: skip
def test_dates(text: str, iso: str) -> None:
    assert day(text) == iso


@given(st.text())
def test_any_text_may_stand_for_a_date(text: str) -> None:
    assert isinstance(day(text), str)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "---\ndate: 2024. 1. 31.\ntitle: Tea\n---\nwords\n"),
        ("a.html", "<title>Tea</title><meta name=date content='31 Jan 2024'><p>words"),
        ("a.rst", "Tea\n===\n\n:Date: 2024/01/31\n\nwords\n"),
        ("a.eml", "Subject: Tea\nDate: Wed, 31 Jan 2024 23:00:00 -0900\n\nwords"),
    ],
)
def test_a_document_has_a_day_and_a_title(path: str, text: str) -> None:
    found = read(text.encode(), uri="u", path=path).document
    assert (found.title, found.metadata["date"]) == ("Tea", "2024-01-31")
    assert "title" not in found.metadata
