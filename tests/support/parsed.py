"""What a reader made of a file, in a form that is easily compared."""

from __future__ import annotations

import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from random import Random

from indexer.readers.parsed import Parsed, Raw, Reader
from rag.errors import SourceError


def said(parsed: Parsed) -> list[tuple[str, str]]:
    """Kind and text of each block; the level goes with a heading's kind."""
    return [(f"{b.kind}{b.level or ''}", parsed.text[b.start : b.end]) for b in parsed.blocks]


def table(parsed: Parsed, number: int = 0) -> list[list[str]]:
    """The cells of a table, row by row."""
    texts = [text for kind, text in said(parsed) if kind == "table"]
    return [[cell.strip() for cell in line.split("|")] for line in texts[number].split("\n")]


def recall(written: str, parsed: Parsed) -> float:
    """Share of the words written that the text has, each as often."""
    want = Counter(unicodedata.normalize("NFC", written).split())
    return sum((want & Counter(parsed.text.split())).values()) / sum(want.values())


def sound(parsed: Parsed) -> bool:
    """Whether blocks are in order, apart, not blank, and pages begin where they can."""
    end = 0
    for block in parsed.blocks:
        inside = parsed.text[block.start : block.end]
        headed = block.header == 0 or block.start < block.header < block.end
        if not (end <= block.start < block.end <= len(parsed.text) and inside.strip() and headed):
            return False
        end = block.end
    pages = list(parsed.pages)
    return pages == sorted(pages) and (not pages or pages[0] == 0)


PROSE = (
    "Saem turns folders of documents into a service that answers questions and shows its sources.",
    "샘은 문서가 든 폴더를 질문에 답하는 서비스로 바꾸고, 답이 어디에 있는지 보여 줍니다.",
    "Passages are found by their words and by their meaning, and both lists are merged.",
    "한국어는 형태소와 음절로 함께 찾으므로 띄어쓰기가 틀려도 찾을 수 있습니다.",
)
"""English and Korean by turns, of our own making."""


def damaged(data: bytes, count: int = 60) -> Iterator[bytes]:
    """``data`` cut short, and with bytes of it changed; the same ones each time."""
    random = Random(5)
    for i in range(count):
        yield data[: len(data) * i // count]
        broken = bytearray(data)
        for _ in range(1 + i // 4):
            broken[random.randrange(len(data))] = random.randrange(256)
        yield bytes(broken)


def survived(reader: Reader, data: bytes, path: str) -> int:
    """How many damaged forms of a file were read at least in part; the others give a reason."""
    count = 0
    for broken in damaged(data):
        try:
            parsed = reader(Raw(broken, path))
        except SourceError as e:
            if e.path != path or not e.why:
                raise
        else:
            if not sound(parsed):
                raise AssertionError(parsed)
            count += 1
    return count


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """An archive with its members changed, or left out where that gives None."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def replaced(data: bytes, part: str, old: str, new: str) -> bytes:
    """An archive with words of one part replaced."""

    def change(name: str, content: bytes) -> bytes:
        return content.replace(old.encode(), new.encode()) if name == part else content

    return repacked(data, change)
