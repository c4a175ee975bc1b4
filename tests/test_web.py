"""Pages as sources, from a real site on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from indexer import web
from indexer.sources import Fetched, Gone, Item
from indexer.web import Web
from rag.errors import SourceError
from tests.support.site import Asked, Reply, Site, serve


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def source(site: Site, path: str) -> Web:
    return Web(site.url + path, allow_private=True)


def test_a_url_is_one_page_that_is_not_fetched_to_be_listed(site: Site) -> None:
    listing = source(site, "/guide/?a=b#part").list()
    uri = f"{site.url}/guide/?a=b"
    assert listing.items == [Item(uri, f"127.0.0.1:{site.port}/guide/index?a=b.html")]
    assert listing.covers(uri)
    assert not listing.covers(f"{uri}/x")
    assert site.paths == ["/robots.txt"]


def test_a_private_address_needs_permission(site: Site) -> None:
    with pytest.raises(SourceError, match="a loopback address") as e:
        Web(site.url, allow_private=False).list()
    assert "fetch_private" in e.value.remedy
    assert site.asked == []


def test_a_page_is_fetched_and_then_only_when_it_changes(site: Site) -> None:
    def page(asked: Asked) -> Reply:
        known = asked.headers.get("If-None-Match") == '"1"'
        told = {"ETag": '"1"', "Last-Modified": "Tue, 03 Mar 2026 10:00:00 GMT"}
        return Reply(status=304) if known else Reply(b"text", headers=told)

    site.pages["/a"] = page
    there = source(site, "/a")
    (item,) = there.list().items
    first = there.fetch(item, "")
    assert first == Fetched(b"text", 'etag "1"', {"modified": "2026-03-03"})
    assert there.fetch(item, first.stamp) is None


def test_without_an_etag_the_date_is_the_stamp(site: Site) -> None:
    day = "Tue, 03 Mar 2026 10:00:00 GMT"

    def page(asked: Asked) -> Reply:
        known = asked.headers.get("If-Modified-Since") == day
        return Reply(status=304) if known else Reply(b"x", headers={"Last-Modified": day})

    site.pages["/a"] = page
    there = source(site, "/a")
    (item,) = there.list().items
    assert there.fetch(item, "2026-01-01").stamp == f"modified {day}"
    assert there.fetch(item, f"modified {day}") is None


@pytest.mark.parametrize("told", [{}, {"Last-Modified": "yesterday"}])
def test_a_server_that_says_nothing_is_always_asked(site: Site, told: dict[str, str]) -> None:
    site.pages["/a"] = Reply(b"x", headers=told)
    there = source(site, "/a")
    (item,) = there.list().items
    found = there.fetch(item, "")
    assert (found.data, found.metadata) == (b"x", {})


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_no_more_is_gone(site: Site, status: int) -> None:
    site.pages["/a"] = Reply(status=status)
    there = source(site, "/a")
    with pytest.raises(Gone, match=str(status)):
        there.fetch(there.list().items[0], "")


@pytest.mark.parametrize("status", [401, 403, 500, 502])
def test_a_page_that_fails_is_not_gone(site: Site, status: int) -> None:
    site.pages["/a"] = Reply(status=status)
    there = source(site, "/a")
    with pytest.raises(SourceError, match=str(status)) as e:
        there.fetch(there.list().items[0], "")
    assert not isinstance(e.value, Gone)


def test_robots_txt_is_obeyed_before_anything_is_fetched(site: Site) -> None:
    site.pages["/robots.txt"] = b"User-agent: Saem\nDisallow: /no"
    with pytest.raises(SourceError, match=r"robots\.txt does not allow it"):
        source(site, "/no/page").list()
    assert site.paths == ["/robots.txt"]


def test_robots_txt_is_obeyed_after_a_redirect(site: Site) -> None:
    site.pages |= {
        "/robots.txt": b"User-agent: *\nDisallow: /no",
        "/yes": Reply(status=302, headers={"Location": "/no"}),
        "/no": b"secret",
    }
    there = source(site, "/yes")
    with pytest.raises(SourceError, match=r"/no: robots\.txt does not allow it"):
        there.fetch(there.list().items[0], "")
    assert "/no" not in site.paths


def test_robots_txt_that_fails_forbids(site: Site) -> None:
    site.pages |= {"/robots.txt": Reply(status=500), "/a": b"x"}
    with pytest.raises(SourceError, match=r"robots\.txt: the server answers 500") as e:
        source(site, "/a").list()
    assert not isinstance(e.value, Gone)
    assert site.paths == ["/robots.txt"]


def test_robots_txt_is_read_anew_for_each_listing(site: Site) -> None:
    there = source(site, "/a")
    there.list()
    site.pages["/robots.txt"] = b"User-agent: *\nDisallow: /"
    with pytest.raises(SourceError, match="does not allow"):
        there.list()


def test_the_delay_that_is_asked_for_is_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(web.time, "sleep", naps.append)
    monkeypatch.setattr(web.time, "monotonic", lambda: 100.0)
    site.pages |= {"/robots.txt": b"User-agent: *\nCrawl-delay: 4", "/a": b"x"}
    there = source(site, "/a")
    (item,) = there.list().items
    there.fetch(item, "")
    there.fetch(item, "")
    assert naps == [0.0, 4.0]
