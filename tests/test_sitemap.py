"""Sitemaps as sources, from a real site on loopback."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from indexer import web
from indexer.sources import Item
from indexer.web import Web
from rag.errors import SourceError
from tests.support.site import Reply, Site, serve

SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def source(site: Site, path: str) -> Web:
    return Web(site.url + path, allow_private=True)


def urls(site: Site, *entries: str | tuple[str, str]) -> bytes:
    """A sitemap of pages by path or URL, or path and lastmod."""
    text = ""
    for entry in entries:
        path, modified = entry if isinstance(entry, tuple) else (entry, "")
        where = site.url + path if path.startswith("/") else path
        lastmod = f"<lastmod>{modified}</lastmod>" if modified else ""
        text += f"<url>\n<loc> {where} </loc>{lastmod}</url>"
    return f"<?xml version='1.0'?><urlset {SPACE}>{text}</urlset>".encode()


def index(site: Site, *paths: str) -> bytes:
    text = "".join(f"<sitemap><loc>{site.url}{path}</loc></sitemap>" for path in paths)
    return f"<sitemapindex {SPACE}>{text}</sitemapindex>".encode()


def relative(site: Site, items: Iterable[Item]) -> list[str]:
    return [item.uri.removeprefix(site.url) for item in items]


def test_a_sitemap_names_its_pages(site: Site) -> None:
    site.pages |= {
        "/robots.txt": b"User-agent: *\nDisallow: /no",
        "/sitemap.xml": urls(
            site,
            ("/docs/b.html", "2026-01-02"),
            "/docs/",
            "/docs/a",
            "/docs/a#again",
            "/docs/%61",
            "/docs/no",
            "/docs/picture.png",
            "/no/1",
            "http://other.test/docs/",
            f"http://user:pw@127.0.0.1:{site.port}/docs/",
        ),
    }
    listing = source(site, "/sitemap.xml").list()
    assert relative(site, listing.items) == ["/docs/a", "/docs/b.html", "/docs/", "/docs/no"]
    assert [(s.path.removeprefix(site.url), s.why) for s in listing.skipped] == [
        ("/no/1", "is not allowed by robots.txt"),
        ("http://other.test/docs/", "is on another host than its sitemap"),
        (f"http://user:pw@127.0.0.1:{site.port}/docs/", "holds a user or password"),
    ]
    assert (listing.others, listing.failed) == (1, [])
    page = listing.items[1]
    assert (page.stamp, page.metadata) == ("2026-01-02", {"modified": "2026-01-02"})
    assert listing.names == f"{site.url}/sitemap.xml"
    assert listing.covers(f"{site.url}/blog/gone")
    assert not listing.covers("http://other.test/gone")


def test_lastmod_spares_the_request(site: Site) -> None:
    site.pages |= {"/sitemap.xml": urls(site, ("/a", "2026-01-02T03:04:05Z")), "/a": b"x"}
    there = source(site, "/sitemap.xml")
    (item,) = there.list().items
    assert there.fetch(item, "").stamp == item.stamp == "2026-01-02T03:04:05Z"
    assert there.fetch(item, item.stamp) is None
    assert site.paths.count("/a") == 1


@pytest.mark.parametrize("modified", ["", "soon", "2026", str(datetime.now(UTC).date())])
def test_a_lastmod_that_does_not_tell_every_change_is_no_stamp(site: Site, modified: str) -> None:
    site.pages["/sitemap.xml"] = urls(site, ("/a", modified))
    assert source(site, "/sitemap.xml").list().items[0].stamp == ""


def test_a_day_is_a_stamp_when_it_is_over(site: Site) -> None:
    day = str(datetime.now(UTC).date() - timedelta(days=2))
    site.pages["/sitemap.xml"] = urls(site, ("/a", day))
    assert source(site, "/sitemap.xml").list().items[0].stamp == day


def test_an_index_of_sitemaps_leads_to_all(site: Site) -> None:
    site.pages |= {
        "/sitemap.xml": index(site, "/1.xml", "/2.xml.gz", "/1.xml", "/sitemap.xml", "/3.xml"),
        "/1.xml": urls(site, "/a"),
        "/2.xml.gz": gzip.compress(urls(site, "/b", "/a")),
        "/3.xml": index(site, "/4.xml"),
        "/4.xml": urls(site, "/c"),
    }
    listing = source(site, "/sitemap.xml").list()
    assert relative(site, listing.items) == ["/a", "/b", "/c"]
    assert listing.failed == []
    assert len(site.paths) == len(set(site.paths))


def test_robots_txt_names_sitemaps(site: Site) -> None:
    site.pages |= {
        "/robots.txt": f"Sitemap: {site.url}/1.xml\nSitemap: {site.url}/2.xml".encode(),
        "/1.xml": urls(site, "/a"),
        "/2.xml": urls(site, "/b"),
    }
    assert relative(site, source(site, "/robots.txt").list().items) == ["/a", "/b"]


def test_robots_txt_without_sitemaps_is_told(site: Site) -> None:
    with pytest.raises(SourceError, match="names no sitemap"):
        source(site, "/robots.txt").list()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=500), "500"),
        (Reply(status=404), "404"),
        (Reply(b"<urlset><url>"), "not well-formed"),
        (Reply(b"<other/>"), "is no sitemap"),
        (Reply(b"\x1f\x8bxx"), "damaged"),
    ],
)
def test_a_part_that_fails_hides_what_is_gone(site: Site, reply: Reply, why: str) -> None:
    site.pages |= {
        "/sitemap.xml": index(site, "/1.xml", "/2.xml"),
        "/1.xml": reply,
        "/2.xml": urls(site, "/a"),
    }
    listing = source(site, "/sitemap.xml").list()
    assert relative(site, listing.items) == ["/a"]
    assert [why in e.why for e in listing.failed] == [True]
    assert not listing.covers(f"{site.url}/b")


def test_a_sitemap_that_fails_is_an_error(site: Site) -> None:
    with pytest.raises(SourceError, match="404"):
        source(site, "/sitemap.xml").list()


def test_other_xml_is_a_page(site: Site) -> None:
    site.pages["/feed.xml"] = b"<other/>"
    assert relative(site, source(site, "/feed.xml").list().items) == ["/feed.xml"]


def test_pages_are_limited_with_a_note(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_PAGES", 3)
    site.pages["/sitemap.xml"] = urls(site, *(f"/{i}" for i in range(5)))
    listing = source(site, "/sitemap.xml").list()
    assert relative(site, listing.items) == ["/0", "/1", "/2"]
    assert "more than 3 pages" in listing.skipped[0].why
    assert not listing.covers(f"{site.url}/4")


def test_sitemaps_are_limited(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_MAPS", 2)
    site.pages["/sitemap.xml"] = index(site, *(f"/{i}.xml" for i in range(4)))
    site.pages |= {f"/{i}.xml": urls(site, f"/{i}") for i in range(4)}
    listing = source(site, "/sitemap.xml").list()
    assert relative(site, listing.items) == ["/0", "/1"]
    assert not listing.covers(f"{site.url}/3")


def test_a_sitemap_that_moved_speaks_for_where_it_is(site: Site) -> None:
    site.pages |= {
        "/sitemap.xml": Reply(status=301, headers={"Location": "/new/sitemap.xml"}),
        "/new/sitemap.xml": urls(site, "/a"),
    }
    assert relative(site, source(site, "/sitemap.xml").list().items) == ["/a"]
