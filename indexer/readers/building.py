"""Builds the text of a document whose file is no text: blocks in, offsets kept. Knows no format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from indexer.readers.decode import clean
from indexer.readers.parsed import Parsed, first_title
from rag.types import Block, BlockKind


class Builder:
    """What was said so far. Blank pieces are passed over; blocks are set apart by a blank line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self._pages: list[int] = []
        self._new_page = False

    def heading(self, text: str, level: int) -> None:
        """A heading of level 1 to 6, on one line."""
        words = " ".join(clean(text).split())
        self._add("heading", words, level=min(max(level, 1), 6), title=words)

    def paragraph(self, text: str, kind: BlockKind = "paragraph") -> None:
        """Prose; its line breaks stay."""
        self._add(kind, text.strip())

    def code(self, text: str) -> None:
        """Lines whose indentation counts."""
        lines = [line.rstrip() for line in text.strip("\n").split("\n")]
        self._add("code", "\n".join(lines).rstrip())

    def item(self, text: str, depth: int = 0, mark: str = "") -> None:
        """An item of a list, ``depth`` lists deep, after its number if it has one.

        Items in a row are one block.
        """
        words = " ".join(text.split())
        if words:
            self._add("list", f"{'  ' * depth}{mark or '-'} {words}", joins=True)

    def table(self, rows: Iterable[Sequence[str]], header: int = 1) -> None:
        """A row a line, cells as ``a | b``; the first ``header`` rows head the columns.

        A cell that spans columns is given once, then as empty cells; one that spans rows is given
        in each of them, so that every row can be read alone.
        """
        lines = [clean(" | ".join(" ".join(cell.split()) for cell in row)).rstrip() for row in rows]
        kept = [(i, line) for i, line in enumerate(lines) if line.strip(" |")]
        head = [line for i, line in kept if i < header]
        size = len("\n".join(head)) if 0 < len(head) < len(kept) else 0
        self._add("table", "\n".join(line for _, line in kept), header=size)

    def include(self, parsed: Parsed) -> None:
        """The blocks of a text that was read already, as part of this one."""
        for block in parsed.blocks:
            self._add(
                block.kind,
                parsed.text[block.start : block.end],
                level=block.level,
                title=block.title,
                header=max(block.header - block.start, 0),
            )

    def page(self) -> None:
        """What comes next begins a page, slide or sheet."""
        if self._new_page:  # the page before has no text
            self._pages.append(self._length)
        self._new_page = True

    def parsed(
        self, title: str = "", metadata: Mapping[str, str] | None = None, notes: Sequence[str] = ()
    ) -> Parsed:
        """All of it; without a ``title``, the first heading is it."""
        blocks = tuple(self._blocks)
        return Parsed(
            "".join(self._parts),
            blocks,
            " ".join(title.split()) or first_title(blocks),
            metadata or {},
            tuple(self._pages),
            tuple(notes),
        )

    def _add(
        self,
        kind: BlockKind,
        words: str,
        *,
        joins: bool = False,
        level: int = 0,
        title: str = "",
        header: int = 0,
    ) -> None:
        words = clean(words)
        if not words.strip():
            return
        last = self._blocks[-1] if self._blocks else None
        joined = joins and last is not None and last.kind == kind and not self._new_page
        gap = "" if last is None else "\n" if joined else "\n\n"
        start = self._length + len(gap)
        if self._new_page:
            self._pages.append(start)
            self._new_page = False
        self._parts += (gap, words)
        self._length = start + len(words)
        if joined and last is not None:
            self._blocks[-1] = Block(kind, last.start, self._length)
        else:
            head = start + header if header else 0
            self._blocks.append(Block(kind, start, self._length, level, title, head))
