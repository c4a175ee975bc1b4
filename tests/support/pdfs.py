"""PDF files made with ReportLab, Korean ones with a font that every reader has by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate

KOREAN = "HYSMyeongJo-Medium"
pdfmetrics.registerFont(UnicodeCIDFont(KOREAN))
WIDTH, HEIGHT = A4


def flowing(story: Sequence[Any], **options: Any) -> bytes:
    """A document of ReportLab's flowables."""
    out = BytesIO()
    SimpleDocTemplate(out, pagesize=A4, **options).build(list(story))
    return out.getvalue()


def drawn(*pages: Callable[[Canvas], None], **options: Any) -> bytes:
    """A document whose pages are drawn by hand."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, **options)
    for page in pages:
        page(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def lines(
    canvas: Canvas,
    texts: Sequence[str],
    left: float = 72,
    top: float = 760,
    size: float = 11,
    font: str = KOREAN,
) -> None:
    """Lines below each other."""
    canvas.setFont(font, size)
    for number, text in enumerate(texts):
        canvas.drawString(left, top - number * size * 1.4, text)
