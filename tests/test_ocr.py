from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from indexer.readers import ocr
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.pdf import read_pdf
from rag.errors import SourceError
from tests.support.parsed import PROSE, said, sound
from tests.support.pdfs import WIDTH, drawn, lines


def read(data: bytes) -> Parsed:
    parsed = read_pdf(Raw(data, "a.pdf"))
    assert sound(parsed)
    return parsed


@pytest.fixture
def no_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr.shutil, "which", lambda name: None)


def scan(text: str) -> Callable[[Canvas], None]:
    """A page that shows a picture of ``text``."""
    picture = Image.new("L", (1240, 400), 255)
    font = ImageFont.load_default(60)
    ImageDraw.Draw(picture).text((80, 120), text, fill=0, font=font)

    def page(c: Canvas) -> None:
        c.drawImage(ImageReader(picture), 0, 500, WIDTH, WIDTH * 400 / 1240)

    return page


@pytest.mark.usefixtures("no_tesseract")
def test_scans_without_tesseract_are_reported_by_page() -> None:
    parsed = read(drawn(lambda c: lines(c, [PROSE[0]]), scan("one"), scan("two")))
    assert parsed.text == PROSE[0]
    assert parsed.notes == (
        "pages 2, 3: a picture without text; to read it, install tesseract and index again",
    )
    with pytest.raises(SourceError, match=r"its pages are pictures .*Install tesseract"):
        read(drawn(scan("one")))


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_scans_through_tesseract() -> None:
    parsed = read(drawn(lambda c: lines(c, [PROSE[0]]), scan("Scanned words 2024")))
    assert said(parsed)[1] == ("paragraph", "Scanned words 2024")
    assert parsed.notes == ("page 2: read by Tesseract",)


def test_tesseract_is_given_a_picture_and_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --list-langs ] && { echo eng; echo kor; exit; }\n'
        'echo "$@"; head -c 2; echo; wc -c\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(ocr.shutil, "which", lambda name: str(program))
    parsed = read(drawn(scan("anything")))
    command, magic, size = parsed.text.split("\n")
    assert command == "stdin stdout --dpi 200 -l kor+eng"
    assert magic == "P5"
    assert int(size) > 1_000_000
    monkeypatch.setattr(ocr, "SECONDS", 0.0)
    with pytest.raises(SourceError, match="Tesseract recognised nothing in time"):
        read(drawn(scan("anything")))


def test_tesseract_takes_a_share_of_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "monotonic", lambda: 1000.0)
    assert ocr.Tesseract().until == 1000 + ocr.SECONDS
    for left in (600.0, 9.0):
        monkeypatch.setattr(ocr.signal, "getitimer", lambda which, left=left: (left, 0.0))
        assert ocr.Tesseract().until == 1000 + left * 2 / 3
