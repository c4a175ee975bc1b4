"""Sitemaps (sitemaps.org): the pages and further sitemaps that they name. Fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from indexer.fetch import counted, inflate
from indexer.readers.xmltree import parse_xml

MAX_BYTES = 52_428_800
"""Of a sitemap, inflated; the protocol's own limit."""
_SETTLED = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as a sitemap names it; ``modified`` is an ISO date or time, or empty."""

    url: str
    modified: str

    @property
    def stamp(self) -> str:
        """``modified`` if it tells every change: a day does so only when it is over."""
        if "T" in self.modified:
            return self.modified
        today = datetime.now(UTC).date()
        over = self.modified and datetime.fromisoformat(self.modified).date() <= today - _SETTLED
        return self.modified if over else ""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The ``pages`` that a sitemap names, or the ``maps`` that an index of sitemaps names."""

    pages: tuple[Entry, ...] = ()
    maps: tuple[str, ...] = ()


def read_sitemap(data: bytes, url: str) -> Sitemap | None:
    """A sitemap or an index of sitemaps, gzipped or not; ``None`` if it is other XML.

    Raises
    ------
    SourceError
        It is not well-formed XML, damaged, or larger than 50 MiB.
    """
    if data.startswith(b"\x1f\x8b"):
        data = b"".join(counted(inflate([data], url), MAX_BYTES, url))
    root = parse_xml(data, url)
    kind = _bare(root.tag)
    if kind not in ("urlset", "sitemapindex"):
        return None
    found = [{_bare(e.tag): (e.text or "").strip() for e in entry} for entry in root]
    named = [fields for fields in found if fields.get("loc")]
    if kind == "sitemapindex":
        return Sitemap(maps=tuple(fields["loc"] for fields in named))
    return Sitemap(tuple(Entry(fields["loc"], _iso(fields.get("lastmod", ""))) for fields in named))


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _iso(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text
