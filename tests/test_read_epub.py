from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from indexer.readers.epub import read_epub
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError
from tests.support.parsed import PROSE, recall, repacked, replaced, said, sound, survived

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
DRM = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData>'
    '<CipherData><CipherReference URI="OEBPS/c%201.xhtml"/></CipherData></EncryptedData>'
    "</encryption>"
)


def page(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>file title</title></head>'
        f"<body>{body}</body></html>"
    )


def packed(
    chapters: dict[str, str], order: list[str] | None = None, extra: dict[str, str] | None = None
) -> bytes:
    items = "".join(
        f'<item id="i{i}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"'
        f"{' properties=' + chr(34) + 'nav' + chr(34) if name == 'nav.xhtml' else ''}/>"
        for i, name in enumerate(chapters)
    )
    names = list(chapters)
    spine = "".join(f'<itemref idref="i{names.index(n)}"/>' for n in order or names)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>샘 책</dc:title>'
        "<dc:creator>김샘</dc:creator><dc:creator>Second</dc:creator><dc:language>ko</dc:language>"
        f"<dc:date>2024-01-31T00:00:00Z</dc:date></metadata><manifest>{items}"
        '<item id="css" href="a.css" media-type="text/css"/></manifest>'
        f'<spine>{spine}<itemref idref="css"/></spine></package>'
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        z.writestr("META-INF/container.xml", CONTAINER)
        z.writestr("OEBPS/book.opf", package)
        z.writestr("OEBPS/a.css", "p { color: red }")
        for name, text in chapters.items():
            z.writestr(f"OEBPS/{name}", text)
        for name, text in (extra or {}).items():
            z.writestr(name, text)
    return out.getvalue()


def read(data: bytes) -> Parsed:
    parsed = read_epub(Raw(data, "a.epub"))
    assert sound(parsed)
    return parsed


def test_chapters_in_the_order_of_the_spine() -> None:
    chapters = {
        "nav.xhtml": page("<nav><ol><li>Contents</li></ol></nav>"),
        "c 2.xhtml": page(f"<h1>둘째 장</h1><p>{PROSE[2]}</p><p>{PROSE[3]}</p>"),
        "c 1.xhtml": page(f"<h1>First</h1><p>{PROSE[0]}&nbsp;</p><ul><li>{PROSE[1]}</li></ul>"),
    }
    parsed = read(packed(chapters, ["nav.xhtml", "c 1.xhtml", "c 2.xhtml", "c 1.xhtml"]))
    assert said(parsed) == [
        ("heading1", "First"),
        ("paragraph", PROSE[0]),
        ("list", f"- {PROSE[1]}"),
        ("heading1", "둘째 장"),
        ("paragraph", PROSE[2]),
        ("paragraph", PROSE[3]),
    ]
    assert parsed.title == "샘 책"
    assert parsed.metadata == {"author": "김샘", "language": "ko", "date": "2024-01-31"}
    assert recall(" ".join(PROSE), parsed) == 1


def test_rows_of_tables() -> None:
    rows = "<tr><th>이름</th><th>값</th></tr><tr><td>가</td><td>1</td></tr>"
    parsed = read(packed({"a.xhtml": page(f"<p>x</p><table>{rows}</table>")}))
    assert parsed.text.endswith("이름 | 값\n가 | 1")


def test_a_damaged_or_missing_chapter_does_not_spoil_the_others() -> None:
    data = packed({"a.xhtml": page("<p>one</p>"), "b.xhtml": page("<p>two</p>"), "c.xhtml": ""})
    parsed = read(repacked(data, lambda n, c: None if n == "OEBPS/a.xhtml" else c))
    assert said(parsed) == [("paragraph", "two")]
    assert parsed.notes == ("OEBPS/a.xhtml: holds no OEBPS/a.xhtml",)


def test_protected_books() -> None:
    locked = {"META-INF/encryption.xml": DRM}
    both = {"c 1.xhtml": page("<p>locked</p>"), "free.xhtml": page("<p>free</p>")}
    parsed = read(packed(both, extra=locked))
    assert said(parsed) == [("paragraph", "free")]
    assert parsed.notes == ("OEBPS/c 1.xhtml is encrypted",)
    with pytest.raises(SourceError, match=r"no chapter that can be read .*is encrypted"):
        read(packed({"c 1.xhtml": page("<p>locked</p>")}, extra=locked))


def test_a_chapter_nested_a_hundred_thousand_deep() -> None:
    deep = page("<blockquote>" * 100_000 + "word")
    assert "word" in read(packed({"a.xhtml": deep})).text


def test_wrong_and_damaged_files() -> None:
    data = packed({"a.xhtml": page("".join(f"<p>{line}</p>" for line in PROSE * 5))})
    with pytest.raises(SourceError, match=r"a\.epub: is no whole ZIP archive"):
        read(b"PK")
    with pytest.raises(SourceError, match=r"holds no META-INF/container\.xml"):
        read(repacked(data, lambda n, c: None if "container" in n else c))
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><container'
    with pytest.raises(SourceError, match="defines XML entities"):
        read(replaced(data, "META-INF/container.xml", "<container", bomb))
    survived(read_epub, data, "a.epub")
