"""Markdown (CommonMark with tables and front matter) and MDX. Knows no other format.

Only markdown-it's block rules run over the text, inline markup is parsed in headings alone: a
paragraph of many megabytes costs nothing. It makes an object of about half a kilobyte of each item
and cell, so a long text is parsed in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from indexer.readers.frontmatter import front_matter
from indexer.readers.mdx import prose
from indexer.readers.parsed import (
    Parsed,
    Raw,
    covering,
    first_title,
    line_offsets,
    paragraphs,
    trim,
)
from rag.types import Block, BlockKind

_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")
_INLINE = MarkdownIt("commonmark")
_LEAVES: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "html_block": "paragraph",
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
}
_CONTAINERS: dict[str, BlockKind] = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
}
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
# In lines: a piece is cut where it can be from the first on, anywhere at the second.
_PIECE, _LONGEST_PIECE = 2_000, 5_000
_MOST_LINES = 100_000
_LONGEST_LINE = 100_000  # characters; a table's row of more is not told from prose
_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]*[#.][^{}]*\}[ \t]*$")
_MARKUP = re.compile(r"[\\`*_\[\]<&!]")
_TITLE_CHARS = 500


def read_markdown(raw: Raw) -> Parsed:
    """Blocks of a Markdown source; offsets refer to the source itself."""
    return _parsed(raw.text, raw.text)


def read_mdx(raw: Raw) -> Parsed:
    """Blocks of an MDX source: of imports, exports and tags, only what stands between the tags."""
    return _parsed(raw.text, prose(raw.text))


def _parsed(text: str, shown: str) -> Parsed:
    """Blocks of ``text`` where ``shown``, of equal length, is blank where nothing is to be read."""
    start, metadata, notes = front_matter(text)
    lines = line_offsets(shown, start)
    if len(lines) > _MOST_LINES:
        notes += (f"has {len(lines) - 1} lines: only its paragraphs were told apart",)
        blocks = tuple(paragraphs(shown, start))
    else:
        blocks = tuple(covering(shown, _blocks(shown, lines), start))
    title = metadata.pop("title", "") or first_title(blocks)
    return Parsed(text, blocks, title, metadata, notes=notes)


def _blocks(text: str, lines: list[int]) -> Iterator[Block]:
    last: Block | None = None
    for first, end, cut in _pieces(text, lines):
        for i, block in enumerate(_piece(text, lines[first : end + 1])):
            if cut and i == 0 and block.kind == "paragraph" and last and last.kind != "heading":
                block = replace(block, kind=last.kind)
            last = block
            yield block


def _pieces(text: str, lines: list[int]) -> Iterator[tuple[int, int, bool]]:
    """Lines ``[first, end)`` to be parsed together, and whether they go on with the piece before.

    Lines too long are in none.
    """
    first, fence, cut, blank = 0, "", False, True
    for i in range(len(lines) - 1):
        here, after = lines[i], lines[i + 1]
        fits = not fence and blank and not text[here].isspace() and i - first >= _PIECE
        if fits or i - first >= _LONGEST_PIECE or after - here > _LONGEST_LINE:
            if first < i:
                yield first, i, cut
            long = after - here > _LONGEST_LINE
            cut = not fits and not long
            first = i + long
        if found := _FENCE.match(text, here, after):
            closes = fence and found[1].startswith(fence) and not text[found.end() : after].strip()
            fence = "" if closes else fence or found[1]
        blank = text[here:after].isspace()
    if first < len(lines) - 1:
        yield first, len(lines) - 1, cut


def _piece(text: str, offsets: list[int]) -> Iterator[Block]:
    tokens = _PARSER.parse(text[offsets[0] : offsets[-1]])
    waiting: Block | None = None
    for kind, joins, token, content in _leaves(tokens):
        first, last = token.map or (0, 0)
        begin = max(offsets[first], waiting.end if waiting else offsets[0])
        begin, end = trim(text, begin, offsets[min(last, len(offsets) - 1)])
        if begin >= end:
            continue
        if waiting and joins and waiting.kind == kind:
            waiting = Block(kind, waiting.start, end)
            continue
        if waiting:
            yield waiting
        if kind == "heading":
            waiting = Block(kind, begin, end, int(token.tag[1]), _bare(content))
        elif kind == "table" and last > first + 2:
            waiting = Block(kind, begin, end, header=offsets[first + 2] - 1)
        else:
            waiting = Block(kind, begin, end)
    if waiting:
        yield waiting


def _leaves(tokens: Sequence[Token]) -> Iterator[tuple[BlockKind, bool, Token, str]]:
    """Leaf blocks: kind, whether it continues its container's last leaf, token, content."""
    container: BlockKind | None = None
    fresh = True
    for i, token in enumerate(tokens):
        if token.level == 0 and token.type in _CONTAINERS:
            container, fresh = _CONTAINERS[token.type], True
        elif token.level == 0:
            container = None
        if (kind := _LEAVES.get(token.type)) is None:
            continue
        if container and kind in ("heading", "paragraph"):
            kind = container
        content = tokens[i + 1].content if kind == "heading" else ""
        yield kind, container is not None and not fresh, token, content
        fresh = False


def _bare(heading: str) -> str:
    """The words of a heading, without markup, tags and ``{ #anchor }``."""
    source = _ATTRIBUTES.sub("", heading[:_TITLE_CHARS])
    if not _MARKUP.search(source):
        return " ".join(source.split())
    children = _INLINE.parseInline(source)[0].children or []
    words = (" " if t.type.endswith("break") else t.content for t in children if _shown(t))
    return " ".join("".join(words).split())


def _shown(token: Token) -> bool:
    return token.type in ("text", "code_inline", "text_special", "image", "softbreak", "hardbreak")
