"""Markdown (CommonMark with tables and front matter). Knows no other format.

Only markdown-it's block rules run over the text, inline markup is parsed in headings alone: a
paragraph of many megabytes costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from indexer.readers.parsed import Parsed, covering, first_title, line_offsets, trim
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
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?=[\w\"'-]+[ \t]*:|#|---)")
_FRONT_MATTER_END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_SCALAR = re.compile(r"([\w-]+)[ \t]*:[ \t]+(\S.*)")
_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]*[#.][^{}]*\}[ \t]*$")
_MARKUP = re.compile(r"[\\`*_\[\]<&!]")
_TITLE_CHARS = 500


def read_markdown(text: str) -> Parsed:
    """Blocks of a Markdown source; offsets refer to the source itself."""
    start, metadata = _front_matter(text)
    blocks = tuple(covering(text, _blocks(text, start), start))
    title = metadata.pop("title", "") or first_title(blocks)
    return Parsed(text, blocks, title, metadata)


def _blocks(text: str, start: int) -> Iterator[Block]:
    offsets = line_offsets(text, start)
    tokens = _PARSER.parse(text[start:])
    waiting: Block | None = None
    for kind, joins, token, content in _leaves(tokens):
        first, last = token.map or (0, 0)
        begin = max(offsets[first], waiting.end if waiting else start)
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


def _front_matter(text: str) -> tuple[int, dict[str, str]]:
    """Where the text proper starts, and the front matter's top-level scalars."""
    head = _FRONT_MATTER.match(text)
    tail = _FRONT_MATTER_END.search(text, head.end()) if head else None
    if head is None or tail is None:
        return 0, {}
    found = (_SCALAR.fullmatch(line) for line in text[head.end() : tail.start()].split("\n"))
    return tail.end(), {m[1]: _scalar(m[2]) for m in found if m and m[2][0] not in "[{|>&*#"}


def _scalar(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()
