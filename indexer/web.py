"""The web as a source: one page, or the pages that a sitemap names. Knows no formats.

A document's identity is its URL in canonical form; `indexer.urls` says what its path is.
"""

from __future__ import annotations

import operator
import time
from collections import deque
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import httpx

from indexer.fetch import BadStatus, Page, safe_fetch
from indexer.folders import may_be_document
from indexer.robots import Robots
from indexer.sitemap import MAX_BYTES, Entry, Sitemap, read_sitemap
from indexer.sources import Fetched, Gone, Item, Listing, Skipped
from indexer.urls import canonical, parse_url, path_of, port_of
from rag.errors import SourceError

_PAGES = 10_000
_MAPS = 500
_ETAG, _MODIFIED = "etag ", "modified "


class Web:
    """The page at ``url``; if that is a sitemap or a robots.txt, the pages that it names.

    robots.txt is obeyed, with the delay it asks for up to 5 seconds. Of a sitemap's pages only
    those on its own host count, and it speaks for those alone that it has named: the pages that it
    names no more are gone.
    """

    def __init__(self, url: str, *, allow_private: bool) -> None:
        self._url = url
        self._fetch = partial(safe_fetch, allow_private=allow_private)
        self._robots = Robots(self._fetch)
        self._next: dict[bytes, float] = {}

    def list(self) -> Listing:
        """The page, or the pages in order of their paths.

        Raises
        ------
        SourceError
            The URL makes no sense, robots.txt does not allow it, or the sitemap cannot be read.
        """
        url = canonical(parse_url(self._url))
        self._robots = Robots(self._fetch)  # as they are now
        place = PurePosixPath(httpx.URL(url).path)
        if str(place) == "/robots.txt":
            maps = self._robots.sitemaps(url)
            if not maps:
                raise SourceError(url, "names no sitemap", remedy="Give a sitemap's or page's URL")
            return self._pages(url, Sitemap(maps=tuple(maps)))
        if place.suffix == ".xml" or place.suffixes[-2:] == [".xml", ".gz"]:
            page, first = self._read(url)
            if first:
                return self._pages(page.url, first)
        self._robots.check(url)
        return Listing(url, [Item(url, path_of(url))], matches=partial(operator.eq, url))

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """A page's bytes; nothing if its sitemap or its server say that it is as it was.

        Raises
        ------
        Gone
            The server says that there is no such page (404, 410).
        SourceError
            It cannot be had now.
        """
        if item.stamp and item.stamp == known:
            return None
        etag = known.removeprefix(_ETAG) if known.startswith(_ETAG) else ""
        modified = known.removeprefix(_MODIFIED) if known.startswith(_MODIFIED) else ""
        try:
            page = self._get(item.uri, etag=etag, modified=modified)
        except BadStatus as e:
            if e.status in (404, 410):
                raise Gone(e.path, e.why, remedy=e.remedy) from None
            raise
        if page.status == 304:
            return None
        told = {"modified": day} if (day := _day(page.last_modified)) else {}
        return Fetched(page.data, item.stamp or _stamp(page), told)

    def _pages(self, url: str, first: Sitemap) -> Listing:
        """All pages that the sitemap at ``url`` names, itself or by those that it leads to."""
        found = _Pages(httpx.URL(url), self._robots)
        found.take(first)
        waiting, seen = deque(first.maps), {url}
        while waiting and len(seen) <= _MAPS and not found.full:
            try:
                address = canonical(parse_url(waiting.popleft()))
                if address not in seen:
                    seen.add(address)
                    _, sitemap = self._read(address)
                    if not sitemap:
                        raise SourceError(address, "is no sitemap", remedy="Tell the site's owner")
                    found.take(sitemap)
                    waiting += sitemap.maps
            except SourceError as e:
                found.failed.append(e)
        found.full |= bool(waiting)
        return found.listing()

    def _read(self, url: str) -> tuple[Page, Sitemap | None]:
        page = self._get(url, max_bytes=MAX_BYTES)
        return page, read_sitemap(page.data, page.url)

    def _get(self, url: str, **how: Any) -> Page:  # noqa: ANN401
        return self._fetch(url, visit=self._visit, **how)

    def _visit(self, url: str) -> None:
        """Wait until the host of ``url`` wishes to be asked again, if it may be asked at all."""
        self._robots.check(url)
        host = httpx.URL(url).netloc
        time.sleep(max(0.0, self._next.get(host, 0.0) - time.monotonic()))
        self._next[host] = time.monotonic() + self._robots.delay(url)


class _Pages:
    """The pages on the host of ``base``, as they are found in sitemaps."""

    def __init__(self, base: httpx.URL, robots: Robots) -> None:
        self._base, self._robots = base, robots
        self._items: dict[str, Item] = {}
        self._skipped: dict[str, Skipped] = {}
        self._others: set[str] = set()
        self.failed: list[SourceError] = []
        self.full = False

    def take(self, sitemap: Sitemap) -> None:
        """Add what ``sitemap`` names."""
        for entry in sitemap.pages:
            if len(self._items) == _PAGES:
                self.full = True
                return
            try:
                self._add(entry)
            except SourceError as e:
                self._skipped[entry.url] = Skipped(entry.url, e.why)

    def listing(self) -> Listing:
        """What was found; if that is not all, it does not tell what is gone."""
        items = sorted(self._items.values(), key=lambda item: item.path)
        skipped = list(self._skipped.values())
        host = canonical(self._base.copy_with(raw_path=b"/"))
        names = canonical(self._base)
        if self.full:
            why = f"names more than {_PAGES:,} pages or {_MAPS} sitemaps: the rest is left out"
            skipped.append(Skipped(str(self._base), why))
        lost = [host] if self.full or self.failed else []
        others = len(self._others)
        return Listing(host, items, skipped, self.failed, others, lost, names=names)

    def _add(self, entry: Entry) -> None:
        url = parse_url(entry.url, self._base)
        usual = {url.port, self._base.port} <= {None, 80, 443}
        if url.raw_host != self._base.raw_host or not (
            usual or port_of(url) == port_of(self._base)
        ):
            raise SourceError(entry.url, "is on another host than its sitemap")
        if usual:
            url = url.copy_with(scheme=self._base.scheme, port=None)
        uri = canonical(url)
        if not may_be_document(url.path):
            self._others.add(uri)
        elif not self._robots.allows(uri):
            raise SourceError(entry.url, "is not allowed by robots.txt")
        else:
            told = {"modified": entry.modified[:10]} if entry.modified else {}
            self._items[uri] = Item(uri, path_of(uri), entry.stamp, metadata=told)


def _stamp(page: Page) -> str:
    if page.etag:
        return _ETAG + page.etag
    return page.last_modified and _MODIFIED + page.last_modified


def _day(last_modified: str) -> str:
    try:
        return parsedate_to_datetime(last_modified).date().isoformat()
    except ValueError:
        return ""
