"""HTML and XHTML: the text that a page shows. Knows no other format, fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from indexer.readers.decode import clean
from indexer.readers.grid import grid, placed
from indexer.readers.html_flat import flat, nests_deep
from indexer.readers.html_parts import Parts
from indexer.readers.parsed import Parsed, Raw, first_title
from rag.types import Block, BlockKind

_PLAIN = (
    {"address", "article", "body", "caption", "center", "dd", "details", "div", "dl", "dt"}
    | {"aside", "fieldset", "figcaption", "figure", "form", "header", "hgroup", "main", "p"}
    | {"section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
_BLOCKS: dict[str, BlockKind] = {
    **{f"h{n}": "heading" for n in range(1, 7)},
    **dict.fromkeys(_PLAIN, "paragraph"),
    **dict.fromkeys(("ul", "ol", "menu", "li", "dt", "dd"), "list"),
    "pre": "code",
    "blockquote": "quote",
}
# A table with one of these, or another table, lays out the page; its cells are read as text.
_LAYOUT = "h1, h2, h3, h4, h5, h6, pre"
_METADATA = {
    "author": "author",
    "article:author": "author",
    "date": "date",
    "dcterms.date": "date",
    "article:published_time": "date",
    "article:modified_time": "modified",
    "description": "description",
    "og:description": "description",
    "keywords": "keywords",
}
_SELF_CLOSED = re.compile(r"<(title|script|style|textarea|iframe|noscript)(\b[^<>]*)/>", re.I)
_SPACES = re.compile(r"\s+")
_TAGS = 300_000
_CHARS = 20_000_000


def read_html(raw: Raw) -> Parsed:
    """Blocks of a page's main content; offsets refer to the extracted text.

    Navigation, forms, scripts and the like are left out, as is a ``header`` outside the page's
    ``main`` or ``article``. Table rows become ``a | b``, list items ``- a``. Of a page with more
    than 20 million characters or some 150,000 elements, or nested a thousand deep, all text is
    taken.
    """
    text = raw.text
    if text.lstrip().startswith("<?xml"):
        text = _SELF_CLOSED.sub(r"<\1\2></\1>", text)
    if len(text) > _CHARS or text.count("<") > _TAGS or nests_deep(text):
        return flat(text)
    tree = LexborHTMLParser(text)
    parts = Parts(tree)
    extract = _Extract(parts)
    if parts.root is not None:
        extract.page(parts.root)
    metadata = dict(_metadata(tree))
    title = tree.css_first("title")
    named = metadata.pop("title", "") or (" ".join(title.text().split()) if title else "")
    blocks = tuple(extract.blocks)
    return Parsed("".join(extract.parts), blocks, named or first_title(blocks), metadata)


def _metadata(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """What the head says, the better known names last, so that they win."""
    said: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = (node.attributes.get("name") or node.attributes.get("property") or "").lower()
        content = " ".join((node.attributes.get("content") or "").split())
        if content:
            said.setdefault(name, content)
    yield from ((_METADATA[name], said[name]) for name in reversed(_METADATA) if name in said)
    if "og:title" in said:
        yield "title", said["og:title"]
    root = tree.root
    if root is not None and (language := (root.attributes.get("lang") or "").strip()):
        yield "language", language


class _Extract:
    """The text extracted so far, and the block that is being filled."""

    def __init__(self, wanted: Parts) -> None:
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.length = 0
        self.wanted = wanted
        self.words: list[str] = []
        self.kinds: list[tuple[BlockKind, int]] = []
        self.whole = 0  # depth of elements within a heading or <pre>
        self.articles = 0
        self.bullet = False

    def page(self, root: LexborNode) -> None:
        """Walk the tree below ``root`` without recursion: pages nest thousands of elements."""
        self._enter(root.tag or "")
        self.articles += root.tag != "body"
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
                elif self._opens(node, tag):
                    self._enter(tag)
                    open_tags.append((node, tag))
                    node = node.child
                    continue
            node = node.next
        self._leave(root.tag or "")

    def _opens(self, node: LexborNode, tag: str) -> bool:
        """Whether to go into an element; what is read as a whole is read here."""
        if tag.startswith("-") or not self.wanted.wanted(node, tag):
            return False
        if tag == "ruby":
            self.words.append(_ruby(node))
        elif tag == "math":
            self.words.append(_formula(node))
        elif tag == "table" and not self.whole and (rows := self._rows(node)):
            self._flush()
            self._table(node, rows)
        else:
            return tag != "header" or self.articles > 0
        return False

    def _enter(self, tag: str) -> None:
        self.articles += tag == "article"
        if tag == "br":
            self.words.append("\n")
        if tag not in _BLOCKS:
            return
        if self.whole:
            self.whole += 1
            self.words.append(self._separator())
            return
        self._flush()
        self.bullet = self.bullet or tag in ("li", "dt")
        kind = _BLOCKS[tag]
        if kind == "paragraph" and self.kinds and self.kinds[-1][0] in ("list", "quote"):
            kind = self.kinds[-1][0]
        self.whole = int(kind in ("heading", "code"))
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

    def _separator(self) -> str:
        if self.kinds[-1][0] == "code":
            return "" if self.words and self.words[-1].endswith("\n") else "\n"
        return " "

    def _rows(self, table: LexborNode) -> list[LexborNode]:
        """The rows of a table that holds data, none of one that only arranges a page."""
        if table.attributes.get("role") in ("presentation", "none"):
            return []
        if table.css_first(_LAYOUT) or len(table.css("table")) > 1:
            return []
        rows = [row for row in table.css("tr") if self.wanted.wanted(row, "tr")]
        return rows if any(len(row.css("td, th")) > 1 for row in rows) else []

    def _table(self, table: LexborNode, rows: Sequence[LexborNode]) -> None:
        caption = table.css_first("caption")
        if caption is not None:
            self._add("paragraph", 0, " ".join(self._inside(caption).split()))
        heads = 0
        cells: list[list[tuple[str, int, int]]] = []
        for row in rows:
            found = row.css("td, th")
            head = all(cell.tag == "th" for cell in found) and bool(found)
            if heads == len(cells) and (head or (row.parent and row.parent.tag == "thead")):
                heads += 1
            cells.append(
                [
                    (
                        " ".join(self._inside(cell).split()),
                        _span(cell, "rowspan"),
                        _span(cell, "colspan"),
                    )
                    for cell in found
                ]
            )
        lines = [clean(" | ".join(row)).rstrip() for row in grid(placed(cells))]
        kept = [(i, line) for i, line in enumerate(lines) if line.strip(" |")]
        head_lines = [line for i, line in kept if i < heads]
        size = len("\n".join(head_lines)) if 0 < len(head_lines) < len(kept) else 0
        if kept:
            self._add("table", 0, "\n".join(line for _, line in kept), size)

    def _inside(self, root: LexborNode) -> str:
        """The text of a cell or caption."""
        words: list[str] = []
        todo = [root]
        while todo:
            node = todo.pop()
            tag = node.tag or ""
            if tag == "-text":
                words.append(node.text_content or "")
            elif tag == "br":
                words.append(" ")
            elif node is root or (tag[:1] != "-" and self.wanted.wanted(node, tag)):
                if tag in _BLOCKS:
                    words.append(" ")
                todo += list(node.iter(include_text=True))[::-1]
        return "".join(words)

    def _flush(self) -> None:
        words, self.words = "".join(self.words), []
        if not words.strip() or not self.kinds:
            return
        kind, level = self.kinds[-1]
        if kind == "code":
            lines = words.strip("\n").split("\n")
            words = "\n".join(line.rstrip() for line in lines)
        else:
            words = _SPACES.sub(" ", words).strip()
        self._add(kind, level, words)

    def _add(self, kind: BlockKind, level: int, words: str, header: int = 0) -> None:
        words = words if header else clean(words)
        if kind == "list":
            words, self.bullet = f"{'- ' if self.bullet else '  '}{words}", False
        last = self.blocks[-1] if self.blocks else None
        joins = last is not None and last.kind == kind == "list"
        gap = "" if last is None else "\n" if joins else "\n\n"
        start = self.length + len(gap)
        self.parts += (gap, words)
        self.length = start + len(words)
        if last is not None and joins:
            self.blocks[-1] = Block(kind, last.start, self.length)
        else:
            title = words if kind == "heading" else ""
            head = start + header if header else 0
            self.blocks.append(Block(kind, start, self.length, level, title, head))


def _span(cell: LexborNode, name: str) -> int:
    value = (cell.attributes.get(name) or "").strip()
    return int(value) if value.isdecimal() and len(value) < 6 else 1


def _ruby(node: LexborNode) -> str:
    """The words and, in brackets, how they are read."""
    above = "".join(part.text() for part in node.css("rt"))
    dropped = {part.mem_id for part in node.css("rt, rp, rtc")}
    below: list[str] = []
    todo = [node]
    while todo:
        part = todo.pop()
        if part.tag == "-text":
            below.append(part.text_content or "")
        elif part.mem_id not in dropped:
            todo += list(part.iter(include_text=True))[::-1]
    return f"{''.join(below).strip()}({above.strip()})" if above.strip() else "".join(below)


def _formula(node: LexborNode) -> str:
    """A formula as TeX, where the page has it so, else the text of its signs."""
    source = node.css_first("annotation")
    return f" {source.text() if source else node.attributes.get('alttext') or node.text()} "
