"""The frozen values that flow: Document -> Chunk -> Hit -> Context -> Answer.

Knows no library, and of ours only the conditions that a filter carries. Offsets are character
offsets into ``Document.text``; ``document.text[chunk.start:chunk.end] == chunk.text`` always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from rag.conditions import Condition

BlockKind = Literal["heading", "paragraph", "list", "code", "table", "quote"]
Mode = Literal["bm25", "tfidf", "dense", "hybrid"]
MODES: tuple[Mode, ...] = ("bm25", "tfidf", "dense", "hybrid")
Role = Literal["system", "user", "assistant"]
Support = Literal["supported", "partly", "unsupported"]
Device = Literal["auto", "cpu", "cuda"]
"""Where models run and dense indexes are made: ``auto`` is the GPU where one can be used."""


def digest(*parts: str) -> str:
    """Stable 128-bit hexadecimal digest of ``parts``, in order."""
    h = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()


def encodable(text: str) -> str:
    """``text`` with each half of a surrogate pair, which no UTF-8 can hold, replaced by ``?``."""
    return text.encode("utf-8", "replace").decode()


class Passed:
    """A value that goes to another process as its fields: ten times faster than by default."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple([getattr(self, name) for name in self.__slots__])


@dataclass(frozen=True, slots=True)
class Block(Passed):
    """One structural unit of a document: ``text[start:end]``, without its trailing newline.

    ``level`` is 1 to 6 for a heading (its ``text[start:end]`` may hold markup; ``title`` is the
    bare heading), 0 otherwise. Of a table, ``text[start:header]`` are the rows that head its
    columns. Blocks are in order and do not overlap.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""
    header: int = 0


@dataclass(frozen=True, slots=True)
class Document(Passed):
    """A document's text with its structure.

    ``id`` is derived from ``uri`` (where it comes from), ``version`` from ``text``. ``groups``
    restricts who may see it; empty means everyone. ``pages`` are the offsets at which its pages,
    slides or sheets begin; empty where it has none. ``aliases`` are the paths of other files that
    say the same and were left out.
    """

    uri: str
    path: str
    title: str
    text: str
    blocks: tuple[Block, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return digest(self.uri)

    @property
    def version(self) -> str:
        return digest(self.text)


@dataclass(frozen=True, slots=True)
class Chunk(Passed):
    """A passage of a document: ``document.text[start:end] == text``.

    ``title``, ``heading`` (the path of headings above it) and ``lead`` (the header row of the table
    that it continues, or a line that says what it is about) are indexed with the passage but are no
    part of ``text``. ``outer`` is the larger span that is read where this one is found; ``None`` is
    itself. ``id`` depends on document, position and content only.
    """

    document: str
    version: str
    position: int
    start: int
    end: int
    text: str
    path: str
    title: str
    heading: tuple[str, ...] = ()
    lead: str = ""
    outer: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        return digest(self.document, str(self.position), self.text)

    @property
    def context(self) -> str:
        """What both indexes see of a passage: title, heading path, lead, then the text."""
        above = self.above
        return f"{above}\n{self.text}" if above else self.text

    @property
    def above(self) -> str:
        """Title and heading path, each part once, and the lead on a line of its own."""
        path = " > ".join(dict.fromkeys(part for part in (self.title, *self.heading) if part))
        return "\n".join(part for part in (path, self.lead) if part)


@dataclass(frozen=True, slots=True)
class Term:
    """An analysed term and the characters ``[start, end)`` that it stands for."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents may be retrieved; the conditions are joined by AND. A key for caches.

    Attributes
    ----------
    fields
        Metadata field (or ``document``, ``title``, ``language``) to its accepted values; a field
        that lists several ("tea, pot") has each of them.
    path
        Glob over the document's path (``*`` within a part, ``**`` across parts).
    groups
        The principal's groups: a document with groups of its own needs one in common.
        ``None`` asks for no access control.
    where
        A condition besides; ``rag.search.parse_filter`` makes it of text.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: str | None = None
    groups: tuple[str, ...] | None = None
    where: Condition | None = None

    def __bool__(self) -> bool:
        narrows = (self.path, self.groups, self.where)
        return bool(self.fields) or any(given is not None for given in narrows)

    def __hash__(self) -> int:
        return hash((frozenset(self.fields.items()), self.path, self.groups, self.where))


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. Higher scores are better; ``scores`` holds each leg's own score.

    ``matches`` are the character spans within ``chunk.text`` that the query's terms matched.
    """

    rank: int
    score: float
    chunk: Chunk
    scores: Mapping[str, float]
    matches: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Facet:
    """A value of a field, and how many of the documents that were ranked have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits of one query, best first. ``warnings`` says what could not be used, and why.

    ``facets`` count documents by the fields that were asked for; ``cached`` tells that the same
    search has been made before. ``rewritten`` has, by way of rewriting, what else was searched for.
    """

    query: str
    mode: Mode
    hits: tuple[Hit, ...]
    took_ms: float
    warnings: tuple[str, ...] = ()
    facets: Mapping[str, tuple[Facet, ...]] = field(default_factory=dict)
    cached: bool = False
    rewritten: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """The question as it stands by itself, repaired, where that was asked for."""
        replaced = (self.rewritten.get(kind) for kind in ("repair", "condense"))
        return next((queries[0] for queries in replaced if queries), self.query)


@dataclass(frozen=True, slots=True)
class Context:
    """The passages that fit the prompt, numbered from 1 in this order, and their size in tokens."""

    hits: tuple[Hit, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement stands: ``quote == text[start:end]`` of that version of the document.

    ``page`` is 0 where the document has no pages; ``aliases`` are paths that say the same.
    """

    n: int
    document: str
    version: str
    path: str
    line: int
    start: int
    end: int
    quote: str
    page: int = 0
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a prompt program did on the way to an answer, and what came of it.

    ``kind`` is ``thought``, ``question``, ``action``, ``observation``, ``plan``, ``sample``,
    ``answer`` (to a sub-question), ``check`` or ``route``.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, ``answer.text[start:end]``, and how its passages bear it out.

    ``cites`` are the passages that it names; ``score`` is 0 to 1.
    """

    start: int
    end: int
    cites: tuple[int, ...]
    support: Support
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with ``[n]`` markers; every marker has at least one citation that resolves.

    Attributes
    ----------
    unsure
        Answered, but the evidence is thin; ``warnings`` says so.
    confidence
        How likely the answer stands, 0 to 1, from retrieval and support.
    generator
        Who wrote the text: a model's name, or ``extractive`` for quotations.
    program
        The prompt program that led to it; empty for quotations.
    degraded
        The kind of the error for which the documents are quoted instead of asking the model.
    dropped
        Markers of passages that do not exist, left out of the text.
    cached
        Given before, for a question that asks the same.
    """

    question: str
    text: str
    abstained: bool
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    warnings: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    steps: tuple[Step, ...] = ()
    unsure: bool = False
    confidence: float = 0.0
    generator: str = "extractive"
    program: str = ""
    degraded: str = ""
    dropped: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat, as chat templates know it."""

    role: Role
    content: str
