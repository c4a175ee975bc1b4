"""Small good files, one a format, made by the format's own library; each holds a word to find."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial

from tests.support.hwp5 import Para, write_hwp

Maker = Callable[[str], bytes]


def sentence(word: str) -> str:
    return f"The kettle called {word} boils water for green tea. 녹차를 우립니다."


def pdf(word: str) -> bytes:
    from tests.support.pdfs import drawn, lines

    said = (f"Page {page}: {sentence(word)}" for page in range(3))
    return drawn(*(partial(lines, texts=[text], top=600) for text in said))


def docx(word: str) -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("Tea", 1)
    document.add_paragraph(sentence(word))
    table = document.add_table(2, 2)
    for i, cell in enumerate(table._cells):
        cell.text = f"cell {i}"
    return saved(document.save)


def pptx(word: str) -> bytes:
    from pptx import Presentation

    shown = Presentation()
    slide = shown.slides.add_slide(shown.slide_layouts[1])
    slide.shapes.title.text = "Tea"
    slide.placeholders[1].text = sentence(word)
    return saved(shown.save)


def xlsx(word: str) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["name", "says"])
    for row in range(2):
        sheet.append([row, sentence(word)])
    return saved(book.save)


def odt(word: str) -> bytes:
    from odf.opendocument import OpenDocumentText
    from odf.text import P

    document = OpenDocumentText()
    document.text.addElement(P(text=sentence(word)))
    return saved(document.write)


def ods(word: str) -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table, row, cell = Table(name="Tea"), TableRow(), TableCell()
    cell.addElement(P(text=sentence(word)))
    row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    return saved(document.write)


def epub(word: str) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="b.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Tea</dc:title></metadata>'
        '<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    chapter = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Tea</title></head>'
        f"<body><h1>Tea</h1><p>{sentence(word)}</p></body></html>"
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "b.opf": package,
            "c.xhtml": chapter,
        }
    )


def hwpx(word: str) -> bytes:
    from hwpx import HwpxDocument

    document = HwpxDocument.new()
    document.add_paragraph(sentence(word))
    return document.to_bytes()


def hwp(word: str) -> bytes:
    return write_hwp([[Para(sentence(word)), Para("차")]])


def hwpml(word: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><HWPML Version="2.8"><HEAD><DOCSUMMARY/></HEAD>'
        f"<BODY><SECTION><P><TEXT><CHAR>{sentence(word)}</CHAR></TEXT></P></SECTION></BODY></HWPML>"
    ).encode()


def email(word: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "a@example.org", "차"
    mail.set_content(sentence(word))
    return mail.as_bytes()


def mbox(word: str) -> bytes:
    return b"From a@example.org Mon Jan  1 00:00:00 2024\n" + email(word) + b"\n"


def notebook(word: str) -> bytes:
    cell = {"cell_type": "markdown", "metadata": {}, "source": [sentence(word)]}
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def rtf(word: str) -> bytes:
    said = "".join(c if c.isascii() else rf"\u{ord(c)}?" for c in sentence(word))
    return rf"{{\rtf1\ansi\deff0{{\fonttbl{{\f0 Arial;}}}}\f0 {said}\par}}".encode()


def text(form: str) -> Maker:
    return lambda word: form.replace("%", sentence(word)).encode()


SAMPLES: dict[str, Maker] = {
    ".pdf": pdf, ".docx": docx, ".pptx": pptx, ".xlsx": xlsx, ".odt": odt, ".ods": ods,
    ".epub": epub, ".hwpx": hwpx, ".hwp": hwp, ".hml": hwpml, ".eml": email, ".mbox": mbox,
    ".ipynb": notebook, ".rtf": rtf,
    ".md": text("# Tea\n\n%\n\n- one\n- two\n"),
    ".mdx": text("import A from 'a'\n\n# Tea\n\n<A>\n\n%\n\n</A>\n"),
    ".rst": text("Tea\n===\n\n%\n"),
    ".adoc": text("= Tea\n\n== Green\n\n%\n"),
    ".html": text("<!doctype html><title>Tea</title><main><h1>Tea</h1><p>%</p></main>"),
    ".txt": text("%\n"),
    ".csv": text('name,says\nkettle,"%"\n'),
    ".tsv": text("name\tsays\nkettle\t%\n"),
    ".json": text('{"kettle": {"says": ["%"]}}'),
    ".jsonl": text('{"says": "%"}\n{"says": "more"}\n'),
    ".xml": text("<tea><kettle>%</kettle></tea>"),
    ".yaml": text("tea:\n  kettle: '%'\n"),
    ".toml": text("[tea]\nkettle = '%'\n"),
    ".py": text('"""%"""\n\n\ndef boil(water):\n    return water\n'),
    ".js": text("// %\nfunction boil(water) { return water; }\n"),
    ".java": text("/** % */\nclass Tea { void boil() {} }\n"),
    ".srt": text("1\n00:00:01,000 --> 00:00:02,000\n%\n"),
    ".vtt": text("WEBVTT\n\n00:01.000 --> 00:02.000\n%\n"),
    ".smi": text("<SAMI><BODY><SYNC Start=1000><P Class=KRCC>%</BODY></SAMI>"),
}  # fmt: skip
"""Suffix to maker."""

ENCODINGS = (
    "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be",
    "cp949", "euc-kr", "shift-jis", "gb18030", "latin-1",
)  # fmt: skip
_PROSE = {
    "shift-jis": "{} のお茶は急須で淹れます。温度は八十度が良いでしょう。まろやかです。\n",
    "gb18030": "{} 的绿茶要用八十度的水冲泡。味道清香,颜色碧绿,请慢慢品尝这一杯好茶。\n",
    "latin-1": "{} : le thé vert est infusé à quatre-vingts degrés, où l'eau est déjà chauffée.\n",
}
_KOREAN = "{} 녹차는 팔십 도의 물에서 천천히 우립니다. 홍차는 끓는 물이 필요하고 향이 진합니다.\n"


def encoded(encoding: str, word: str) -> bytes:
    """Prose in that encoding, long enough to tell."""
    return (_PROSE.get(encoding, _KOREAN).format(word) * 12).encode(encoding)


def zipped(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()
