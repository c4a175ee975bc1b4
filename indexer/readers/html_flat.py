"""HTML too large or too deep for a tree: its text by substitutions that take linear time.

Knows headings and where lines end; all else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from indexer.readers.decode import clean
from indexer.readers.parsed import Parsed
from rag.types import Block

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_SKIPPED = re.compile(
    r"<(script|style|nav|footer|noscript|template|select|iframe|svg|title)\b[^<>]*>|<!--", re.I
)
_HEADING = re.compile(r"<h([1-6])\b[^<>]*>", re.I)
_LINE = re.compile(
    r"<(?:/?(?:address|article|aside|blockquote|body|br|caption|center|dd|details|div|dl|dt|figure"
    r"|form|h[1-6]|header|hr|li|main|ol|option|p|pre|section|summary|table|tr|ul))\b[^<>]*>",
    re.I,
)
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.I)
_ANY = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_RUNS = re.compile(r"<{2,}")
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_ENDS = re.compile(r" ?\n\s*")
# Elements that need no end tag, or have none.
_UNCLOSED = frozenset(
    {"area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li"}
    | {"link", "meta", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "th", "thead"}
    | {"tr", "track", "wbr"}
)
_DEEP = 1000
_PIECE = 1 << 19
_BLOCK_CHARS = 2000
_TITLE_CHARS = 200
_NOTE = (
    "is so large or nests so deep that navigation was not told from content, and tables are text"
)


def nests_deep(text: str) -> bool:
    """Whether so many elements are open at once that a tree would take more than linear time."""
    depth = 0
    for found in _TAG.finditer(text):
        if found[2].lower() not in _UNCLOSED and not found[0].endswith("/>"):
            depth = max(depth - 1, 0) if found[1] else depth + 1
            if depth > _DEEP:
                return True
    return False


def flat(text: str) -> Parsed:
    """All text of a page, in blocks of some lines each."""
    titles: list[str] = []
    text = "".join(map(_plain, _pieces("".join(_shown(text, titles)))))
    parts: list[str] = []
    blocks = tuple(_blocks(text, parts))
    title = " ".join(unescape("".join(titles[:1])).split())[:_TITLE_CHARS]
    return Parsed("".join(parts), blocks, title, notes=(_NOTE,))


def _pieces(text: str) -> Iterator[str]:
    """``text`` in pieces that no tag spans: substitution takes many times its input in memory."""
    at = 0
    while at < len(text):
        end = text.find("<", at + _PIECE, at + 2 * _PIECE)
        end = at + 2 * _PIECE if end < 0 else end
        yield text[at:end]
        at = end


def _plain(text: str) -> str:
    text = _HEADING.sub("\n\0\\1", _RUNS.sub("<", text))
    text = _CELL.sub(" | ", _LINE.sub("\n", text))
    text = unescape(_ANY.sub("", text))
    return _ENDS.sub("\n", _BLANKS.sub(" ", text))


def _shown(text: str, titles: list[str]) -> Iterator[str]:
    """What no comment, script or the like holds; ``titles`` gets what titles hold."""
    at = 0
    endless: set[str] = set()
    while (found := _SKIPPED.search(text, at)) is not None:
        name = (found[1] or "--").lower()
        yield text[at : found.start()]
        at = found.end()
        if name in endless:
            continue
        closing = re.compile("-->" if name == "--" else f"</{name}", re.I).search(text, at)
        if closing is None:
            endless.add(name)
            continue
        if name == "title":
            titles.append(text[at : closing.start()])
        at = closing.end() if name == "--" else closing.start()
    yield text[at:]


def _blocks(text: str, parts: list[str]) -> Iterator[Block]:
    length = 0

    def said(words: str, level: int) -> Iterator[Block]:
        nonlocal length
        if words := clean(words).strip():
            gap = "\n\n" if length else ""
            parts.extend((gap, words))
            start, length = length + len(gap), length + len(gap) + len(words)
            if level:
                yield Block("heading", start, length, level, words[:_TITLE_CHARS])
            else:
                yield Block("paragraph", start, length)

    for i, section in enumerate(text.split("\0")):
        at = 0
        if i and section[:1] in "123456":
            end = section.find("\n")
            at = len(section) if end < 0 else end
            yield from said(section[1:at], int(section[0]))
        while at < len(section):
            end = section.find("\n", at + _BLOCK_CHARS)
            end = len(section) if end < 0 else end
            yield from said(section[at:end], 0)
            at = end
