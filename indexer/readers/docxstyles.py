"""What styles and numbering of a Word file make of a paragraph. Knows no text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

from indexer.readers.ooxml import value, whole
from rag.types import BlockKind

Role = Literal["title", "contents", ""] | BlockKind

_HEADING = re.compile(r"(?:heading|제목|見出し|标题|überschrift|titre|título)\s*([1-9])", re.I)
_ROLES: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"(title|제목)$", re.I), "title"),
    (re.compile(r"toc \d|contents \d|table of figures|목차", re.I), "contents"),
    (re.compile(r"code|source|preformatted|macro|plain text|코드|소스", re.I), "code"),
    (re.compile(r"quot|인용", re.I), "quote"),
)
_GANADA = "가나다라마바사아자차카타파하"
_CHOSUNG = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class Style:
    """``level`` of a heading from 1, or 0; the list that its paragraphs belong to, if any."""

    level: int = 0
    role: Role = ""
    number: str = ""
    depth: int = 0


def read_styles(root: Element | None) -> dict[str, Style]:
    """Styles of paragraphs by their ids, with what they inherit."""
    found = {e.get("styleId", ""): e for e in root.iter("style")} if root is not None else {}
    return {key: _style(key, found) for key in found}


def _style(key: str, found: dict[str, Element]) -> Style:
    level, number, depth = 0, "", 0
    names = []
    for _ in range(16):  # styles may inherit in a circle
        element = found.get(key)
        if element is None:
            break
        name = value(element.find("name"))
        names.append(name)
        level = level or outline(element.find("pPr"))
        numbered = element.find("pPr/numPr")
        if not number and numbered is not None:
            number, depth = value(numbered.find("numId")), whole(value(numbered.find("ilvl")))
        key = value(element.find("basedOn"))
    heading = _HEADING.match(names[0]) if names else None
    roles: list[Role] = [role for name in names[:2] for p, role in _ROLES if p.match(name)]
    return Style(level or (int(heading[1]) if heading else 0), (roles or [""])[0], number, depth)


def outline(properties: Element | None) -> int:
    """The level that a paragraph's own properties give it, from 1; 0 for body text."""
    said = value(properties.find("outlineLvl")) if properties is not None else ""
    return int(said) + 1 if said.isdecimal() and int(said) < 9 else 0


class Numbering:
    """Counts the items of lists, and words their labels ("2.", "제1조", "(a)")."""

    def __init__(self, root: Element | None) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._lists: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        for element in root if root is not None else ():
            if element.tag == "abstractNum":
                levels = {whole(e.get("ilvl", "")): _level(e) for e in element.iter("lvl")}
                self._levels[element.get("abstractNumId", "")] = levels
            elif element.tag == "num":
                self._lists[element.get("numId", "")] = value(element.find("abstractNumId"))

    def label(self, number: str, depth: int) -> str:
        """Of the next item of a list; nothing for a bullet."""
        key = self._lists.get(number, "")
        levels = self._levels.get(key, {})
        if depth not in levels:
            return ""
        counts = self._counts.setdefault(key, {})
        counts[depth] = counts.get(depth, levels[depth][2] - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        if levels[depth][0] in ("bullet", "none"):
            return ""

        def said(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            style, _, start = levels.get(at, ("decimal", "", 1))
            return _worded(style, counts.get(at, start))

        return re.sub(r"%([1-9])", said, levels[depth][1]).strip()


def _level(element: Element) -> tuple[str, str, int]:
    start = value(element.find("start"))
    return (
        value(element.find("numFmt")) or "decimal",
        value(element.find("lvlText")),
        whole(start) if start else 1,
    )


def _worded(style: str, count: int) -> str:
    word = _WORDED.get(style, str)
    return word(count) if 0 < count < 1000 else str(count)


def _letters(count: int) -> str:
    return chr(97 + (count - 1) % 26) * ((count - 1) // 26 + 1)


def _roman(count: int) -> str:
    word = ""
    for size, letters in _ROMAN:
        word += letters * (count // size)
        count %= size
    return word


_WORDED: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda n: _letters(n).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda n: _roman(n).upper(),
    "ganada": lambda n: _GANADA[(n - 1) % len(_GANADA)],
    "chosung": lambda n: _CHOSUNG[(n - 1) % len(_CHOSUNG)],
    "decimalEnclosedCircle": lambda n: chr(0x2460 + n - 1) if n <= 20 else str(n),
    "decimalZero": lambda n: f"{n:02}",
}
