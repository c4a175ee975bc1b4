"""AsciiDoc. Knows no other format, includes no other file, evaluates no condition.

A scanner of our own: Asciidoctor is Ruby, asciidoc-py (GPL) makes HTML of it and keeps no offsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.readers.parsed import Parsed, Raw, first_title, line_offsets, trim
from rag.types import Block, BlockKind

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r"([=~^+-])\1{3,}")
_UNDERLINES = "=-~^+"
_ATTRIBUTE = re.compile(r":(!?[\w-]+!?):(?:[ \t]+(.*))?")
_AUTHOR = re.compile(r"[\w.'-]+(?:[ \t]+[\w.'-]+){0,3}(?:[ \t]+<[^<>\s]+>)?(?:;.*)?")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_BLOCK_LIST = re.compile(r"\[(?:\[.*\]|[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*)\]")
_TITLE = re.compile(r"\.(?![.\s])(.+)")
_SKIPPED = re.compile(r"//(?!/)|(?:ifdef|ifndef|ifeval|endif|toc)::|'{3,}$|<<<+$|\+$")
_VERBATIM = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|`{3,})\w*$")
_AROUND = re.compile(r"(?:={4,}|\*{4,}|_{4,}|--|\"{2})$")
_TABLE = re.compile(r"[|,:!]={3,}$")
_ITEM = re.compile(r"\s*(?:\*{1,5}|-|\.{1,5}|\d+\.|[a-zA-Z]\.|[ivxIVX]+\)|<\d*\.?>)[ \t]+\S")
_TERM = re.compile(r"\s*\S.*?(?::{2,4}|;;)(?:[ \t]|$)")
_CELL = re.compile(r"(?<!\\)\|")
_COLUMNS = re.compile(r"cols\s*=\s*\"?([^\"\]]*)")
_HEADED = re.compile(r"%header|options\s*=\s*\"?[^\"\]]*header")
_LINK = re.compile(r"(?:link:|https?:|mailto:|xref:)[^\s\[\]]*\[([^\[\]]*?)(?:\^|,[^\[\]]*)?\]")
_REFERENCE = re.compile(
    r"<<[^<>,]*,\s*([^<>]*)>>|<<([^<>]*)>>|\[\[[^\[\]]*\]\]|footnote:\w*\[[^\]]*\]"
)
_MARKS = re.compile(r"(?<!\w)(\*\*|__|``|##|\*|_|`|#)(\S(?:.*?\S)?)\1(?!\w)")
_KEYS = {
    "author": "author",
    "revdate": "date",
    "date": "date",
    "description": "description",
    "keywords": "keywords",
    "lang": "language",
}
_TITLE_CHARS = 500


def read_asciidoc(raw: Raw) -> Parsed:
    """Blocks of an AsciiDoc source; offsets refer to the source itself.

    Comments, attributes, conditions and the marks around blocks belong to none of them; the
    header's attributes (``:author:``) are metadata.
    """
    scanner = _Scanner(raw.text)
    blocks = tuple(_joined(raw.text, scanner.blocks()))
    return Parsed(raw.text, blocks, first_title(blocks), scanner.metadata())


def _joined(text: str, blocks: Iterator[Block]) -> Iterator[Block]:
    """``blocks``, items of lists with nothing between them in one."""
    held: Block | None = None
    for block in blocks:
        joins = held and held.kind == block.kind == "list"
        if held and joins and not text[held.end : block.start].strip(" \t\n+"):
            held = Block("list", held.start, block.end)
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.offsets = line_offsets(text)
        self.lines = [
            text[a:b].rstrip() for a, b in zip(self.offsets, self.offsets[1:], strict=False)
        ]
        self.attributes: dict[str, str] = {}
        self.quoted = False
        self.listed = False  # what is indented belongs to an item
        self.above = ""  # the attributes of the next block

    def metadata(self) -> dict[str, str]:
        return {_KEYS[k]: v for k, v in self.attributes.items() if k in _KEYS and v}

    def blocks(self) -> Iterator[Block]:
        i = 0
        while i < len(self.lines):
            end, block = self._next(i)
            if block and block.start < block.end:
                self.listed = block.kind == "list" or (self.listed and block.kind == "code")
                self.above = ""
                yield block
            i = end
            if block and block.kind == "heading" and block.level == 1:
                i = self._header(i)

    def _next(self, i: int) -> tuple[int, Block | None]:
        """The line to go on with, and what stands at line ``i``."""
        line = self.lines[i]
        if not line.strip() or _SKIPPED.match(line) or self._attribute(line):
            return i + 1, None
        if found := _VERBATIM.match(line):
            return self._verbatim(i, found[1])
        if _TABLE.match(line):
            return self._table(i)
        if _AROUND.match(line) and not self._underlined(i - 1):
            self.quoted ^= line.startswith(("_", '"'))
            self.listed = False
            return i + 1, None
        if (found := _TITLE.match(line)) and not _ITEM.match(line):
            start = self.offsets[i] + 1
            return i + 1, Block("paragraph", start, start + len(found[1]))
        if _BLOCK_LIST.fullmatch(line):
            self.above += line
            return i + 1, None
        if heading := self._heading(i):
            self.listed = False
            return heading
        return self._run(i)

    def _attribute(self, line: str) -> bool:
        found = _ATTRIBUTE.fullmatch(line)
        if found:
            self.attributes.setdefault(found[1], self._bare(found[2] or ""))
        return found is not None

    def _header(self, i: int) -> int:
        """The line after the authors and the revision, which may follow the document's title."""
        if i < len(self.lines) and _AUTHOR.fullmatch(self.lines[i]):
            self.attributes.setdefault("author", self.lines[i].partition("<")[0].strip())
            i += 1
            if i < len(self.lines) and (day := _DATE.search(self.lines[i])):
                self.attributes.setdefault("revdate", day[0])
                i += 1
        return i

    def _heading(self, i: int) -> tuple[int, Block] | None:
        line = self.lines[i]
        if found := _HEADING.fullmatch(line):
            title = re.sub(rf"[ \t]+{re.escape(found[1])}$", "", found[2])
            return i + 1, self._block("heading", i, i + 1, len(found[1]), title)
        if self._underlined(i):
            level = _UNDERLINES.index(self.lines[i + 1][0]) + 1
            return i + 2, self._block("heading", i, i + 2, level, line)
        return None

    def _underlined(self, i: int) -> bool:
        """Whether line ``i`` is a title with a line of signs below, as long as itself."""
        if not 0 <= i < len(self.lines) - 1 or (i and self.lines[i - 1].strip()):
            return False
        line, below = self.lines[i], self.lines[i + 1]
        wide = sum(2 if ord(char) > 0x10FF else 1 for char in line)
        fits = abs(len(line) - len(below)) <= 1 or abs(wide - len(below)) <= 1
        return bool(fits and _UNDERLINE.fullmatch(below) and re.match(r"\w", line))

    def _verbatim(self, i: int, mark: str) -> tuple[int, Block | None]:
        end = i + 1
        while end < len(self.lines) and self.lines[end] != mark:
            end += 1
        block = None if mark.startswith("/") else self._block("code", i + 1, end)
        return end + 1, block

    def _table(self, i: int) -> tuple[int, Block | None]:
        end = i + 1
        while end < len(self.lines) and self.lines[end] != self.lines[i]:
            end += 1
        block = self._block("table", i + 1, end)
        first = i + 1
        head = self._headed(first, end)
        header = self._block("table", first, head).end if first < head < end else 0
        return end + 1, Block("table", block.start, block.end, header=header)

    def _headed(self, first: int, end: int) -> int:
        """The line after the row that heads a table, or ``first``."""
        alone = first + 1 < end and self.lines[first].strip() and not self.lines[first + 1].strip()
        if alone and "%noheader" not in self.above:
            return first + 1
        if not _HEADED.search(self.above):
            return first
        while first < end and not self.lines[first].strip():
            first += 1
        said = _COLUMNS.search(self.above)
        wanted = _columns(said[1]) if said else len(_CELL.findall(self.lines[min(first, end - 1)]))
        cells = 0
        while first < end and cells < wanted:
            cells += len(_CELL.findall(self.lines[first]))
            first += 1
        return first

    def _run(self, i: int) -> tuple[int, Block]:
        """A paragraph, list or indented code, up to a blank line or what begins a block."""
        line = self.lines[i]
        kind: BlockKind = "quote" if self.quoted else "paragraph"
        if _ITEM.match(line) or _TERM.match(line):
            kind = "list"
        elif line[:1] in " \t":
            kind = "list" if self.listed else "code"
        end = i + 1
        while end < len(self.lines) and not self._ends(self.lines[end]):
            end += 1
        return end, self._block(kind, i, end)

    def _ends(self, line: str) -> bool:
        return (
            not line.strip()
            or bool(_SKIPPED.match(line))
            or bool(_VERBATIM.match(line) or _TABLE.match(line) or _AROUND.match(line))
            or bool(_BLOCK_LIST.fullmatch(line))
        )

    def _block(
        self, kind: BlockKind, first: int, end: int, level: int = 0, title: str = ""
    ) -> Block:
        start, stop = self.offsets[first], self.offsets[min(end, len(self.lines))]
        if not self.text[start:stop].strip():
            return Block(kind, start, start)
        start, stop = trim(self.text, start, stop)
        return Block(kind, start, stop, level, self._bare(title))

    def _bare(self, title: str) -> str:
        """The words of a title, without links, emphasis and the names of known attributes."""
        title = re.sub(r"\{([\w-]+)\}", lambda m: self.attributes.get(m[1], m[0]), title)
        title = _REFERENCE.sub(r"\1\2", _LINK.sub(r"\1", title[:_TITLE_CHARS]))
        return " ".join(_MARKS.sub(r"\2", title).split())


def _columns(said: str) -> int:
    """How many columns ``1,2,3`` or ``3*`` means."""
    return sum(
        int(part.partition("*")[0]) if re.match(r"\d{1,3}\*", part.strip()) else 1
        for part in said.split(",")
    )
