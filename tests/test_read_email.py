"""E-mail as Python's own library writes it: heads, bodies, files that came with it, nesting."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from indexer.readers import Empty, archive
from rag.errors import SourceError
from tests.support.reading import headers, read_file, recall, shown
from tests.support.samples import SAMPLES


def message(
    subject: str = "회의 자료 — plan", text: str = "Tea at ten.\n\n> 네, 좋아요\n"
) -> EmailMessage:
    m = EmailMessage()
    m["Subject"] = subject
    m["From"] = "김 철수 <kim@example.org>"
    m["To"] = "a@example.org, b@example.org"
    m["Date"] = "Mon, 02 Sep 2024 10:00:00 +0900"
    m.set_content(text)
    return m


HEAD = (
    "From: 김 철수 <kim@example.org>\nTo: a@example.org, b@example.org\n"
    "Date: Mon, 02 Sep 2024 10:00:00 +0900"
)


class TestMessage:
    def test_head_and_text(self) -> None:
        found = read_file(bytes(message()), "a.eml")
        assert shown(found) == [
            ("heading", "회의 자료 — plan"),
            ("paragraph", HEAD),
            ("paragraph", "Tea at ten."),
            ("paragraph", "> 네, 좋아요"),
        ]
        assert found.document.title == "회의 자료 — plan"
        assert found.document.metadata == {
            "author": "김 철수 <kim@example.org>",
            "to": "a@example.org, b@example.org",
            "date": "2024-09-02",
            "subject": "회의 자료 — plan",
            "format": "email",
        }

    def test_of_alternatives_the_plain_one(self) -> None:
        both = message()
        both.add_alternative("<p>Tea <b>in HTML</b></p>", subtype="html")
        assert "HTML" not in read_file(bytes(both), "a.eml").document.text
        only = message()
        only.set_content(
            "<html><body><h1>Menu</h1><p>Tea <b>in HTML</b></p></body>", subtype="html"
        )
        assert shown(read_file(bytes(only), "a.eml"))[2:] == [
            ("heading", "Menu"), ("paragraph", "Tea in HTML"),
        ]  # fmt: skip

    def test_files_that_came_with_it(self) -> None:
        m = message()
        m.add_attachment("도시,수\n서울,9\n", subtype="csv", filename="표.csv")
        m.add_attachment("# Plan\n\nPour.", subtype="markdown", filename="plan.md")
        m.add_attachment(b"%PDF-1.4 words", maintype="application", subtype="pdf", filename="r.pdf")
        m.add_attachment(
            b"\x89PNG\r\n\x1a\n\0\0", maintype="image", subtype="png", filename="p.png"
        )
        m.add_attachment(message("Inner", "Words within."))
        found = read_file(bytes(m), "a.eml")
        assert shown(found)[4:] == [
            ("heading", "표.csv"),
            ("table", "도시,수\n서울,9"),
            ("heading", "plan.md"),
            ("heading", "# Plan"),
            ("paragraph", "Pour."),
            ("heading", "Inner"),
            ("paragraph", HEAD),
            ("paragraph", "Words within."),
        ]
        assert headers(found) == ["도시,수"]
        assert [b.level for b in found.document.blocks if b.level] == [1, 2, 2, 3, 2]
        assert found.notes == (
            "r.pdf is no PDF, or is damaged beyond reading",
            "p.png is a PNG image",
        )

    def test_documents_that_came_with_it_are_searchable(self) -> None:
        m = message()
        for suffix in (".docx", ".pdf", ".xlsx", ".hwpx", ".eml"):
            data = SAMPLES[suffix](f"kettle{suffix[1:]}")
            m.add_attachment(data, "application", "octet-stream", filename=f"표{suffix}")
        found = read_file(bytes(m), "a.eml")
        headings = [(b.level, b.title) for b in found.document.blocks if b.level]
        assert headings == [
            (1, "회의 자료 — plan"), (2, "표.docx"), (3, "Tea"), (2, "표.pdf"), (2, "표.xlsx"),
            (3, "Sheet"), (2, "표.hwpx"), (2, "차"),
        ]  # fmt: skip
        words = "kettledocx kettlepdf kettlexlsx kettlehwpx kettleeml 녹차를 우립니다"
        assert recall(words, found) == 1
        assert found.notes == ()

    def test_a_bomb_that_came_with_it_is_told_and_the_rest_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "LIMIT", 100)
        m = message()
        m.add_attachment(SAMPLES[".xlsx"]("tea"), "application", "octet-stream", filename="b.xlsx")
        found = read_file(bytes(m), "a.eml")
        assert "Tea at ten." in found.document.text
        assert found.notes == ("b.xlsx holds more than 0 MB when unpacked",)

    def test_messages_as_files_within_each_other_end(self) -> None:
        m = message("0", "core")
        for i in range(1, 13):
            outer = message(str(i), f"text {i:02}")
            outer.add_attachment(bytes(m), "application", "octet-stream", filename="m.eml")
            m = outer
        found = read_file(bytes(m), "a.eml")
        assert [f"text {i:02}" in found.document.text for i in (12, 2, 1)] == [True, True, False]
        assert [note.partition(" (")[0] for note in found.notes] == ["m.eml"]
        assert found.notes[0].endswith("came with it and was not read")

    @pytest.mark.parametrize("data", ["From: \n\n", "Subject:\n\n \n", ":"])
    def test_a_message_that_says_nothing_is_empty(self, data: str) -> None:
        with pytest.raises(Empty):
            read_file(data, "a.eml")

    @pytest.mark.parametrize("charset", ["euc-kr", "ks_c_5601-1987", "utf-8", "cp949"])
    @pytest.mark.parametrize("encoded", [True, False])
    def test_encodings(self, charset: str, encoded: bool) -> None:
        if encoded:
            m = MIMEText("안녕하세요, 내일 봅시다.", "plain", charset)
            m["Subject"] = "내일 회의"
            data = m.as_bytes()
        else:
            head = f"Subject: 내일 회의\nContent-Type: text/plain; charset={charset}\n\n"
            codec = "utf-8" if charset == "utf-8" else "cp949"
            data = (head + "안녕하세요, 내일 봅시다.").encode(codec)
        found = read_file(data, "a.eml")
        assert shown(found) == [("heading", "내일 회의"), ("paragraph", "안녕하세요, 내일 봅시다.")]

    def test_a_saved_page(self) -> None:
        m = EmailMessage()
        m["Subject"] = "Saved"
        m.set_content("<html><body><p>On the page", subtype="html")
        m.add_related(b"\x89PNG\r\n\x1a\n\0\0", "image", "png", cid="<x>")
        assert ("paragraph", "On the page") in shown(read_file(bytes(m), "a.mhtml"))

    def test_what_a_saved_page_is_dressed_with_is_left_out(self) -> None:
        m = EmailMessage()
        m["Subject"] = "Saved"
        m.set_content("<html><body><p>On the page", subtype="html")
        for kind in ("image/png", "text/css", "application/javascript", "font/woff2"):
            m.add_related(b"\x89PNG body {}", *kind.split("/"), cid="<x>")
        found = read_file(bytes(m), "a.mhtml")
        assert shown(found) == [("heading", "Saved"), ("paragraph", "On the page")]
        assert found.notes == ()

    @pytest.mark.parametrize("head", ["Content-Type: message/rfc822\n\n", None])
    def test_too_deep(self, head: str | None) -> None:
        nest = "".join(
            head or f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"
            for i in range(20_000)
        )
        with pytest.raises(SourceError, match="nests its parts too deep"):
            read_file(nest, "a.eml")

    def test_deep_and_wide_is_cut_and_told(self) -> None:
        m = message("0", "core")
        for i in range(1, 15):
            outer = message(str(i), f"text {i}")
            outer.add_attachment(m)
            m = outer
        found = read_file(bytes(m), "a.eml")
        assert "text 5" in found.document.text
        assert found.notes == ("messages more than 10 deep were left out",)
        part = "--b\nContent-Type: text/plain\n\nhi\n"
        wide = f"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{part * 1500}--b--"
        found = read_file(wide, "a.eml")
        assert found.notes == ("it has more than 1000 parts: the others were left out",)

    @pytest.mark.parametrize(
        "data",
        [
            "Subject: =?nope?b?xxx?=\nDate: yesterday\n\nwords",
            "Subject: =?utf-8?b?x?=\nContent-Type: text/plain; charset=nope\n\nwords",
            "Subject:\nContent-Transfer-Encoding: base64\nContent-Type: text/plain\n\nd29yZHM",
        ],
    )
    def test_broken_heads(self, data: str) -> None:
        assert shown(read_file(data, "a.eml"))[-1] == ("paragraph", "words")


class TestMbox:
    def test_a_heading_a_message(self, tmp_path: Path) -> None:
        box = mailbox.mbox(tmp_path / "box.mbox")
        for i in range(3):
            box.add(message(f"제목 {i}", f"Words {i}.\n\nFrom here it rains.\n"))
        box.flush()
        found = read_file((tmp_path / "box.mbox").read_bytes(), "box.mbox")
        headings = [b.title for b in found.document.blocks if b.level == 1]
        assert headings == ["제목 0", "제목 1", "제목 2"]
        assert recall("제목 0 Words 0 제목 2 Words 2 From here it rains", found) == 1
        assert ("paragraph", "From here it rains.") in shown(found)
        assert found.document.title == "box"

    def test_one_message_under_that_name(self) -> None:
        assert shown(read_file(bytes(message()), "a.mbox"))[0] == ("heading", "회의 자료 — plan")
