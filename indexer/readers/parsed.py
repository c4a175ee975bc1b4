"""What a reader gets and what it makes of it: text, blocks, a title, metadata. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from indexer.readers.decode import Decoded, decode
from rag.types import Block


@dataclass(frozen=True)
class Raw:
    """A file as it is: ``path`` is how it is shown to people, for messages and its suffix.

    Raises
    ------
    SourceError
        ``text`` and ``decoded``: the bytes are no text.
    """

    data: bytes
    path: str

    @cached_property
    def decoded(self) -> Decoded:
        """The clean text, and how the bytes were read."""
        return decode(self.data, self.path)

    @property
    def text(self) -> str:
        return self.decoded.text

    @property
    def is_decoded(self) -> bool:
        """Whether anybody asked for the text."""
        return "decoded" in self.__dict__


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text with its structure.

    Attributes
    ----------
    text
        What the blocks' offsets refer to: the source itself where that is prose with markup, the
        extracted text for HTML.
    blocks
        In order, without overlap. What no block covers (front matter) is not indexed.
    title
        Empty where the text names none.
    metadata
        Scalars that the text states about itself (``author``, ``date``, ``keywords``, ...).
    pages
        Offsets at which pages, slides or sheets begin, the first being 0 then.
    notes
        What went wrong with parts of it, for people ("page 3 is a picture ...").
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


Reader = Callable[[Raw], Parsed]


def line_offsets(text: str, start: int = 0) -> list[int]:
    """Offset of each line of ``text[start:]``, and ``len(text)`` after the last."""
    offsets = [start]
    while (newline := text.find("\n", offsets[-1])) >= 0:
        offsets.append(newline + 1)
    if offsets[-1] != len(text):
        offsets.append(len(text))
    return offsets


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """``[start, end)`` without blank lines around it; the first line keeps its indentation."""
    piece = text[start:end]
    first = start + len(piece) - len(piece.lstrip())
    begin = text.rfind("\n", start, first) + 1
    if not begin:
        begin = start if text[start - 1 : start] in ("", "\n") else first
    return begin, start + len(piece.rstrip())


def paragraphs(text: str, start: int = 0, end: int | None = None) -> Iterator[Block]:
    """The runs of lines that blank lines separate."""
    end = len(text) if end is None else end
    first = position = start
    while position < end:
        newline = text.find("\n", position, end)
        stop = end if newline < 0 else newline
        if not text[position:stop].strip():
            if text[first:position].strip():
                yield Block("paragraph", *trim(text, first, position))
            first = stop
        position = stop + 1
    if text[first:end].strip():
        yield Block("paragraph", *trim(text, first, end))


def covering(text: str, blocks: Iterable[Block], start: int = 0) -> Iterator[Block]:
    """``blocks`` with paragraphs for the text of ``text[start:]`` that none of them covers."""
    for block in blocks:
        yield from paragraphs(text, start, block.start)
        yield block
        start = block.end
    yield from paragraphs(text, start)


def first_title(blocks: Iterable[Block]) -> str:
    """The first heading of level 1, else the first heading, else nothing."""
    headings = [b for b in blocks if b.kind == "heading" and b.title]
    return next((b.title for b in headings if b.level == 1), headings[0].title if headings else "")
