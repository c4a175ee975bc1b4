"""Subtitles (SRT, WebVTT, ASS, SAMI): what is said. Knows no film.

Lines that follow each other become paragraphs. Each begins with its first time in brackets, so
that whoever finds it can go there; the other times would only stand between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pysubs2 import SSAEvent, SSAFile
from pysubs2.exceptions import Pysubs2Error

from indexer.readers.building import Builder
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

_PAUSE = 4_000  # milliseconds without speech after which a paragraph begins
_SENTENCE, _LONGEST = 400, 1_000  # characters: ends at a sentence from the first on, at the second
_END = re.compile(r"[.!?。！？…][\"'”’」)]*$")
_FORMATS = (("WEBVTT", "vtt"), ("<SAMI", "sami"), ("[Script Info]", "ass"))
_TAG = re.compile(r"<[^<>]{0,200}>")


def read_subtitles(raw: Raw) -> Parsed:
    """Paragraphs of speech, ``[0:01:05] words``; the title is the script's own if it has one.

    Raises
    ------
    SourceError
        Its times cannot be read.
    """
    head = raw.text[:1000].lstrip().upper()
    kind = next((name for sign, name in _FORMATS if head.startswith(sign.upper())), "srt")
    try:
        script = SSAFile.from_string(raw.text, format_=kind)
    except (Pysubs2Error, ValueError, IndexError, KeyError, RecursionError) as e:
        why = f"cannot be read as {kind} subtitles: {str(e)[:200] or type(e).__name__}"
        raise SourceError(raw.path, why, remedy="Save it anew") from e
    builder = Builder()
    for start, words in _paragraphs(sorted(script, key=lambda line: line.start)):
        seconds = start // 1000
        clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        builder.paragraph(f"[{clock}] {words}")
    title = script.info.get("Title", "") if kind == "ass" else ""
    return builder.parsed(title)


def _paragraphs(lines: Iterable[SSAEvent]) -> Iterator[tuple[int, str]]:
    """When it begins and what is said, for each stretch of speech."""
    start = end = 0
    said: list[str] = []
    size = 0
    last = ""
    for line in lines:
        words = "" if line.is_comment or line.is_drawing else _words(line)
        if not words or words == last:  # captions that roll say each line twice
            continue
        last = words
        ends = size >= _SENTENCE and _END.search(said[-1])
        if said and (ends or size >= _LONGEST or line.start - end > _PAUSE):
            yield start, " ".join(said)
            said, size = [], 0
        if not said:
            start = line.start
        said.append(words)
        size += len(words) + 1
        end = max(line.end, line.start)
    if said:
        yield start, " ".join(said)


def _words(line: SSAEvent) -> str:
    return " ".join(_TAG.sub("", line.plaintext).split())
