"""Subtitles as pysubs2 writes them: what is said, in paragraphs with their time."""

from __future__ import annotations

import pytest
from pysubs2 import SSAEvent, SSAFile

from tests.support.reading import read_file, recall, shown

LINES = [
    (1000, 2000, "{\\i1}Hello{\\i0} there."),
    (2500, 3900, "물이 끓고\\N있어요."),
    (4000, 5000, "Pour it in."),
    (3_670_000, 3_672_000, "한 시간 뒤입니다."),
]
SPEECH = "Hello there 물이 끓고 있어요 Pour it in 한 시간 뒤입니다"


def script() -> SSAFile:
    made = SSAFile()
    made.info["Title"] = "A film about tea"
    made.events = [SSAEvent(start=start, end=end, text=text) for start, end, text in LINES]
    return made


SAMI = """<SAMI><HEAD><TITLE>차</TITLE>
<STYLE TYPE="text/css"><!-- P {color:white} .KRCC {Name:Korean; lang:ko-KR;} --></STYLE></HEAD>
<BODY><SYNC Start=1000><P Class=KRCC><i>Hello</i> there.
<SYNC Start=2500><P Class=KRCC>물이 끓고<br>있어요.
<SYNC Start=3900><P Class=KRCC>&nbsp;
<SYNC Start=4000><P Class=KRCC>Pour it in.
<SYNC Start=5000><P Class=KRCC>&nbsp;
<SYNC Start=3670000><P Class=KRCC>한 시간 뒤입니다.
<SYNC Start=3672000><P Class=KRCC>&nbsp;
</BODY></SAMI>"""


class TestSubtitles:
    @pytest.mark.parametrize("kind", ["srt", "vtt", "ass", "ssa"])
    def test_of_every_kind(self, kind: str) -> None:
        found = read_file(script().to_string(kind), f"film.{kind}")
        assert shown(found) == [
            ("paragraph", "[0:00:01] Hello there. 물이 끓고 있어요. Pour it in."),
            ("paragraph", "[1:01:10] 한 시간 뒤입니다."),
        ]
        assert recall(SPEECH, found) == 1
        assert found.document.title == ("A film about tea" if kind in ("ass", "ssa") else "film")

    @pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
    def test_sami(self, encoding: str) -> None:
        found = read_file(SAMI.encode(encoding), "film.smi")
        assert [text for _, text in shown(found)] == [
            "[0:00:01] Hello there. 물이 끓고 있어요. Pour it in.",
            "[1:01:10] 한 시간 뒤입니다.",
        ]

    def test_paragraphs_end_at_sentences(self) -> None:
        made = SSAFile()
        made.events = [
            SSAEvent(start=i * 1000, end=i * 1000 + 900, text=f"This is sentence {i}.")
            for i in range(60)
        ]
        texts = [text for _, text in shown(read_file(made.to_string("srt"), "a.srt"))]
        assert len(texts) == 3
        assert all(text.endswith(".") and text.startswith("[0:00:") for text in texts)
        assert all(400 <= len(text) < 450 for text in texts[:2])

    def test_rolling_captions_are_said_once(self) -> None:
        made = SSAFile()
        made.events = [SSAEvent(start=i, end=i + 1, text="Again and again") for i in range(9)]
        found = read_file(made.to_string("vtt"), "a.vtt")
        assert shown(found) == [("paragraph", "[0:00:00] Again and again")]

    def test_comments_and_drawings_are_not_said(self) -> None:
        made = script()
        made.events += [
            SSAEvent(start=0, end=9, text="secret", type="Comment"),
            SSAEvent(start=0, end=9, text="{\\p1}m 0 0 l 9 9"),
        ]
        text = read_file(made.to_string("ass"), "a.ass").document.text
        assert "secret" not in text
        assert "0 l 9" not in text
