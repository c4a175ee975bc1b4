"""reStructuredText. Knows no other format, executes no directive, reads no other file.

A scanner of our own: docutils reports a literal block by its last line and a list by its first
alone, drops the body of a directive that it does not know (all of Sphinx's), and keeps roles that
one text defines for the next. The tests hold the headings against its parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from unicodedata import combining, east_asian_width

from indexer.readers.parsed import Parsed, Raw, first_title, line_offsets, trim
from rag.types import Block, BlockKind

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*")
_MARKUP = re.compile(r"(?:\.\.|[-*+•]|\||>>>)(?:\s|$)")
_ITEM = re.compile(r"(?:[-*+•]|\(?(?:\d+|#|[A-Za-z])[.)])\s")
_TABLE = re.compile(r"\+[-=+]+\+\s*$|=+(?: +=+)+\s*$")
_HEAD_RULE = re.compile(r"\+=[+=]+\+$|=+(?: +=+)+$")
_CODE = re.compile(
    r"\.\. (?:code-block|code|sourcecode|parsed-literal|literalinclude|highlight|prompt|math"
    r"|productionlist|graphviz|mermaid|testcode|testoutput|doctest|raw)::"
)
_ROLE = re.compile(r":[\w:+.-]+:`([^`]*)`|`([^`]*)`(?:__?|:[\w:+.-]+:)?")
_TARGET = re.compile(r"^!?~?(.+?)\s*<[^<>]*>$|^[!~](.+)$")
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*?|\|)(\S(?:.*?\S)?)\1(?![\w*])")
_FIELD = re.compile(r":([\w -]{1,40}):(?:[ \t]+(.*)|$)")
_TITLE_CHARS = 500


def read_rst(raw: Raw) -> Parsed:
    """Blocks of a reStructuredText source; offsets refer to the source itself."""
    text = raw.text
    blocks = tuple(_Scanner(text).blocks())
    return Parsed(text, blocks, first_title(blocks), dict(_fields(text, blocks)))


def _fields(text: str, blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """The field list that stands above the text or right below its title (docinfo)."""
    for block in blocks[:2]:
        lines = text[block.start : block.end].split("\n")
        if block.kind == "paragraph" and _FIELD.match(lines[0]):
            last = ""
            found: dict[str, str] = {}
            for line in lines:
                if field := _FIELD.match(line):
                    last = field[1].lower()
                    found[last] = (field[2] or "").strip()
                elif last:
                    found[last] = f"{found[last]} {line.strip()}".strip()
            yield from ((name, value) for name, value in found.items() if value)
            return


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.offsets = line_offsets(text)
        self.lines = [text[a:b] for a, b in zip(self.offsets, self.offsets[1:], strict=False)]
        self.styles: list[tuple[str, bool]] = []
        self.list_indent: int | None = None

    def blocks(self) -> Iterator[Block]:
        """Blocks in order; what belongs to one list is one block."""
        waiting: Block | None = None
        for block, joins in self._scan():
            if waiting and joins:
                waiting = Block("list", waiting.start, block.end)
                continue
            if waiting:
                yield waiting
            waiting = block
        if waiting:
            yield waiting

    def _scan(self) -> Iterator[tuple[Block, bool]]:
        i, literal, after_list = 0, None, False
        while i < len(self.lines):
            if not self.lines[i].strip():
                i += 1
                continue
            indent = self._indent(i)
            if literal is not None and indent > literal:
                end = self._body(i, literal)
                block, literal = self._block("code", i, end), None
            elif indent == 0 and (heading := self._heading(i)):
                block, end = heading
                self.list_indent = None
            else:
                kind, end = self._run(i, indent)
                block = self._block(kind, i, end)
                if kind == "table":
                    block = replace(block, header=self._header(i, end))
                literal = self._opens_literal(kind, i, end)
            joins = after_list and block.kind == "list"
            after_list = block.kind == "list"
            yield block, joins
            i = end

    def _run(self, i: int, indent: int) -> tuple[BlockKind, int]:
        """Kind and end of the run of lines that starts at line ``i``."""
        line = self.lines[i].lstrip()
        if _CODE.match(line):
            return "code", self._body(i + 1, indent)
        end = i + 1
        while end < len(self.lines) and self.lines[end].strip():
            end += 1
        if _TABLE.match(line):
            return "table", end
        if line.startswith(">>> "):
            return "code", end
        if _ITEM.match(line):
            self.list_indent = indent
            return "list", end
        if self.list_indent is not None and indent > self.list_indent:
            return ("paragraph" if line.startswith("..") else "list"), end
        self.list_indent = None
        return "paragraph", end

    def _header(self, i: int, end: int) -> int:
        """Where the rows that head a table end: at ``+===+``, or a simple table's second rule."""
        rules = [n for n in range(i, end) if _HEAD_RULE.match(self.lines[n].strip())]
        if self.lines[i].lstrip().startswith("="):
            rules = rules[1:-1]
        return self.offsets[rules[0]] + len(self.lines[rules[0]].rstrip()) if rules else 0

    def _opens_literal(self, kind: BlockKind, i: int, end: int) -> int | None:
        """Indentation that a literal block must exceed, where the run ends in ``::``."""
        last = self.lines[end - 1].strip()
        directive = self.lines[end - 1].lstrip().startswith(".. ")
        if kind not in ("paragraph", "list") or not last.endswith("::") or directive:
            return None
        return self._indent(i)

    def _heading(self, i: int) -> tuple[Block, int] | None:
        """The section title at line ``i`` with the line after it, if there is one."""
        one, two, three = (line.rstrip() for line in (*self.lines[i : i + 3], "", "")[:3])
        over = _adornment(one)
        if over and two and over == _adornment(three) and len(one) == len(three):
            title, rule, end = two.strip(), three, i + 3
        elif not over and _adornment(two) and not _MARKUP.match(one):
            title, rule, end = one, two, i + 2
            over = ""
        else:
            return None
        if len(rule) < min(4, _width(title)):
            return None
        style = (rule[0], bool(over))
        if style not in self.styles:
            self.styles.append(style)
        block = self._block("heading", i, end)
        level = min(self.styles.index(style) + 1, 6)
        return Block("heading", block.start, block.end, level, _bare(title)), end

    def _body(self, i: int, indent: int) -> int:
        """The line after the last that is blank or deeper than ``indent``."""
        while i < len(self.lines) and (not self.lines[i].strip() or self._indent(i) > indent):
            i += 1
        return i

    def _indent(self, i: int) -> int:
        line = self.lines[i]
        return len(line) - len(line.lstrip())

    def _block(self, kind: BlockKind, first: int, end: int) -> Block:
        return Block(kind, *trim(self.text, self.offsets[first], self.offsets[end]))


def _adornment(line: str) -> str:
    """The character that the whole line repeats, if it is one that may adorn a title."""
    found = _ADORNMENT.fullmatch(line)
    return found[1] if found and line not in ("::", "..") else ""


def _width(title: str) -> int:
    """In columns, of which Hangul takes two a letter."""
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in title)


def _bare(title: str) -> str:
    """The words of a title, without roles, links, emphasis and escapes."""
    title = _ROLE.sub(lambda m: _TARGET.sub(r"\1\2", m[1] or m[2] or ""), title[:_TITLE_CHARS])
    title = _EMPHASIS.sub(r"\2", title)
    return " ".join(re.sub(r"\\(.)", r"\1", title.replace("``", "").replace("`", "")).split())
