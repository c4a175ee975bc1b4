"""HTML and XHTML: the text that a page shows. Knows no other format, fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from indexer.readers.parsed import Parsed, first_title
from rag.types import Block, BlockKind

_DROPPED = frozenset(
    {"aside", "button", "canvas", "dialog", "footer", "form", "head", "iframe", "math", "nav"}
    | {"noscript", "object", "script", "select", "style", "svg", "template"}
)
_PLAIN = (
    {"address", "article", "body", "caption", "center", "dd", "details", "div", "dl", "dt"}
    | {"fieldset", "figcaption", "figure", "header", "hgroup", "main", "p", "section", "summary"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
_BLOCKS: dict[str, BlockKind] = {
    **{f"h{n}": "heading" for n in range(1, 7)},
    **dict.fromkeys(_PLAIN, "paragraph"),
    **dict.fromkeys(("ul", "ol", "menu", "li"), "list"),
    "pre": "code",
    "blockquote": "quote",
}
# A table row with one of these lays out the page; its cells are read as text.
_LAYOUT = ("table", "h1, h2, h3, h4, h5, h6", "p + p", "pre")
_METADATA = ("author", "date", "description", "keywords")
_SELF_CLOSED = re.compile(r"<(title|script|style|textarea|iframe|noscript)(\b[^<>]*)/>", re.I)


def read_html(text: str) -> Parsed:
    """Blocks of a page's main content; offsets refer to the extracted text.

    Navigation, forms, scripts and the like are left out, as is a ``header`` outside the page's
    ``main`` or ``article``. Table rows become ``a | b``, list items ``- a``.
    """
    if text.lstrip().startswith("<?xml"):
        text = _SELF_CLOSED.sub(r"<\1\2></\1>", text)
    tree = LexborHTMLParser(text)
    pages = tree.css("main") or ([tree.body] if tree.body else [])
    extract = _Extract()
    for page in pages[:1]:
        extract.page(page)
    title = tree.css_first("title")
    named = " ".join(title.text().split()) if title else ""
    blocks = tuple(extract.blocks)
    return Parsed(
        "".join(extract.parts), blocks, named or first_title(blocks), dict(_metadata(tree))
    )


def _metadata(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    for node in tree.css("meta[name][content]"):
        name = (node.attributes.get("name") or "").lower()
        content = (node.attributes.get("content") or "").strip()
        if name in _METADATA and content:
            yield name, content


class _Extract:
    """The text extracted so far, and the block that is being filled."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.length = 0
        self.words: list[str] = []
        self.kinds: list[tuple[BlockKind, int]] = []
        self.whole = 0  # depth of elements within a heading, table row or <pre>
        self.articles = 0
        self.bullet = False

    def page(self, root: LexborNode) -> None:
        """Walk the tree below ``root`` without recursion: pages nest thousands of elements."""
        self._enter(root, root.tag or "")
        self.articles += root.tag == "main"
        node = root.child
        open_tags: list[tuple[LexborNode, str]] = []
        while node is not None or open_tags:
            if node is None:
                node, tag = open_tags.pop()
                self._leave(tag)
            else:
                tag = node.tag or ""
                if tag == "-text":
                    self.words.append(node.text_content or "")
                elif self._wanted(node, tag):
                    self._enter(node, tag)
                    open_tags.append((node, tag))
                    node = node.child
                    continue
            node = node.next
        self._leave(root.tag or "")

    def _wanted(self, node: LexborNode, tag: str) -> bool:
        if tag in _DROPPED or tag.startswith("-") or "hidden" in node.attributes:
            return False
        return tag != "header" or self.articles > 0

    def _enter(self, node: LexborNode, tag: str) -> None:
        self.articles += tag == "article"
        if tag == "br":
            self.words.append("\n")
        if tag not in _BLOCKS:
            return
        if self.whole:
            self.whole += 1
            self.words.append(self._separator(tag))
            return
        self._flush()
        self.bullet = self.bullet or tag == "li"
        kind = _BLOCKS[tag]
        if kind == "paragraph" and self.kinds and self.kinds[-1][0] in ("list", "quote"):
            kind = self.kinds[-1][0]
        if tag == "tr" and not any(node.css_first(inner) for inner in _LAYOUT):
            kind = "table"
        self.whole = int(kind in ("heading", "code", "table"))
        self.kinds.append((kind, int(tag[1]) if kind == "heading" else 0))

    def _leave(self, tag: str) -> None:
        self.articles -= tag == "article"
        if tag not in _BLOCKS:
            return
        if self.whole > 1:
            self.whole -= 1
            return
        self._flush()
        self.whole = 0
        self.kinds.pop()

    def _separator(self, tag: str) -> str:
        if self.kinds[-1][0] == "code":
            return "" if self.words and self.words[-1].endswith("\n") else "\n"
        return " | " if tag in ("td", "th") and self.words else " "

    def _flush(self) -> None:
        words, self.words = "".join(self.words), []
        if not words.strip() or not self.kinds:
            return
        kind, level = self.kinds[-1]
        if kind == "code":
            lines = words.strip("\n").split("\n")
            words = "\n".join(line.rstrip() for line in lines)
        else:
            words = " ".join(words.split())
        self._add(kind, level, words)

    def _add(self, kind: BlockKind, level: int, words: str) -> None:
        if kind == "list":
            words, self.bullet = f"{'- ' if self.bullet else '  '}{words}", False
        last = self.blocks[-1] if self.blocks else None
        joins = last is not None and last.kind == kind and kind in ("list", "table")
        gap = "" if last is None else "\n" if joins else "\n\n"
        start = self.length + len(gap)
        self.parts += (gap, words)
        self.length = start + len(words)
        if last is not None and joins:
            self.blocks[-1] = Block(kind, last.start, self.length)
        else:
            title = words if kind == "heading" else ""
            self.blocks.append(Block(kind, start, self.length, level, title))
