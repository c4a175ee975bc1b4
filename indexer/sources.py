"""Where documents come from: what a source is, and which kind a person means. Knows no formats.

A source lists what it has, each item with a stable identity and a stamp that changes when the item
does; so a sync is a plan before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rag.errors import SourceError
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a source has.

    Attributes
    ----------
    uri
        Its identity.
    path
        What it is shown and filtered by: relative to what was asked for, in NFC.
    stamp
        Equal stamps mean an unchanged item; empty where the source cannot tell before it fetches.
    file
        Where it is, if it is a local file; others are fetched.
    metadata
        What the source says of it.
    """

    uri: str
    path: str
    stamp: str = ""
    size: int = 0
    file: Path | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An item's bytes, and its stamp now."""

    data: bytes
    stamp: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is left alone, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source has: items in order of their paths, what is left alone, what cannot be listed.

    ``others`` is how many files there are of types that are no documents.
    """

    root: str
    items: Sequence[Item]
    skipped: Sequence[Skipped] = ()
    failed: Sequence[SourceError] = ()
    others: int = 0
    lost: Sequence[str] = ()
    """URIs of what could not be listed: nothing is known of these and what is below them."""
    matches: Callable[[str], bool] = bool
    """Whether a URI below the root is one that was asked for."""
    names: str = ""
    """What names the items, one by one: of others below the root, it says nothing. A URL."""

    def covers(self, uri: str) -> bool:
        """Whether an item of that URI would have been listed if it were there and readable."""
        lost = any(is_below(uri, part) for part in self.lost)
        return is_below(uri, self.root) and not lost and self.matches(uri)


class Gone(SourceError):
    """An item that was listed is there no longer; the document made of it goes, too."""


class Source(Protocol):
    """A place that documents come from."""

    def list(self) -> Listing:
        """What it has now.

        Raises
        ------
        SourceError
            It is not there, or cannot be read at all.
        """
        ...

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """An item's bytes; ``None`` if its stamp is ``known`` still.

        Raises
        ------
        Gone
            It is there no longer.
        SourceError
            It cannot be had now.
        """
        ...


def is_below(uri: str, top: str) -> bool:
    """Whether ``uri`` is ``top`` or something in it."""
    return uri == top or uri.startswith(top.rstrip("/") + "/")


def open_source(spec: str | Path, settings: Settings) -> Source:
    """The source that ``spec`` means: a folder, file or glob; ``-``; a URL; ``git:``; ``s3:``.

    ``git:REPOSITORY@REVISION`` is a repository's content at a revision, ``s3://BUCKET/PREFIX`` a
    bucket's, a URL a page or all pages of a sitemap.

    Raises
    ------
    DependencyMissing
        It needs a package that is not installed.
    """
    text = str(spec)
    if text == "-":
        from indexer.standard_input import StandardInput

        return StandardInput()
    if re.match(r"https?://", text, re.IGNORECASE):
        from indexer.web import Web

        return Web(text, allow_private=settings.fetch_private)
    if text.startswith("git:"):
        from indexer.git import Git

        return Git(text, cache=settings.cache, allow_private=settings.fetch_private)
    if text.startswith("s3://"):
        from indexer.s3 import S3

        return S3(text)
    from indexer.folders import Folder

    return Folder(Path(spec))


def list_sources(
    sources: Iterable[tuple[str, Source]], known: Iterable[str] = ()
) -> tuple[list[tuple[Source, Listing]], list[SourceError]]:
    """What the sources that have something have, outer ones first; what ails the others.

    ``known`` are URIs of documents that are indexed already.

    Raises
    ------
    SourceError
        None of the sources has anything.
    """
    known = list(known)
    listings: list[tuple[Source, Listing]] = []
    failed: list[SourceError] = []
    for spec, source in sources:
        try:
            listing = source.list()
        except SourceError as e:
            failed.append(e)
            continue
        if listing.items:
            listings.append((source, listing))
        else:
            before = sum(map(listing.covers, known))
            failed += listing.failed or [_empty(spec, before, listing)]
    if failed and not listings:
        first, *others = failed
        why = "; ".join([first.why, *(f"{e.path}: {e.why}" for e in others)])
        raise SourceError(first.path, why, remedy=first.remedy)
    return sorted(listings, key=lambda found: found[1].root.count("/")), failed


def _empty(spec: str, before: int, listing: Listing) -> SourceError:
    if before:
        remedy = f"Its {before} indexed documents were kept; `rag delete --path` removes them"
    else:
        remedy = "See `rag index --help` for what can be read"
    others = f" ({listing.others} files of other types)" if listing.others else ""
    if listing.skipped:
        others += f"; {listing.skipped[0].path} {listing.skipped[0].why}"
    return SourceError(spec, f"holds no documents{others}", remedy=remedy)
