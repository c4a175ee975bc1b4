"""What robots.txt allows; the rules' meaning is RFC 9309's."""

from __future__ import annotations

import pytest

from indexer.fetch import BadStatus, Page
from indexer.robots import Robots
from rag.errors import SourceError

RULES = """\
User-agent: *
Disallow: /
User-agent: Other
User-agent: saem
Crawl-delay: 3
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Sitemap: https://example.org/a.xml
Sitemap: https://example.org/b.xml
"""


class Host:
    def __init__(self, answer: bytes | SourceError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, url: str, *, max_bytes: int) -> Page:
        self.asked.append(url)
        if isinstance(self.answer, SourceError):
            raise self.answer
        return Page(url, 200, self.answer, "", "", "")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private/a", False),
        ("/private/open/a", True),  # the longest rule decides
        ("/%70rivate/a", False),
        ("/a.pdf", False),
        ("/a.pdf?page=1", True),
    ],
)
def test_rules_are_for_us_and_the_longest_counts(path: str, allowed: bool) -> None:
    assert Robots(Host(RULES.encode())).allows(f"http://example.org{path}") is allowed


def test_each_host_is_asked_once() -> None:
    host = Host(RULES.encode())
    robots = Robots(host)
    for url in ("http://a.org/x?y", "http://a.org/z", "https://a.org/", "http://a.org:81/"):
        assert robots.allows(url)
        assert robots.delay(url) == 3
    assert robots.sitemaps("http://a.org/") == [
        "https://example.org/a.xml",
        "https://example.org/b.xml",
    ]
    expected = ["http://a.org", "https://a.org", "http://a.org:81"]
    assert host.asked == [f"{origin}/robots.txt" for origin in expected]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [("0", 0), ("2.5", 2.5), ("900", 5), ("1e9", 5), ("-3", 0), ("x", 0), ("nan", 0)],
)
def test_delays_are_bounded(asked: str, kept: float) -> None:
    robots = Robots(Host(f"User-agent: *\nCrawl-delay: {asked}".encode()))
    assert robots.delay("http://a.org/") == kept


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_without_robots_txt_all_is_allowed(status: int) -> None:
    assert Robots(Host(BadStatus("x", status, 1))).allows("http://a.org/private/a")


@pytest.mark.parametrize(
    "error", [BadStatus("r", 500, 1), BadStatus("r", 429, 1), SourceError("r", "no")]
)
def test_where_robots_txt_fails_nothing_is_known(error: SourceError) -> None:
    host = Host(error)
    robots = Robots(host)
    for _ in range(2):
        with pytest.raises(SourceError, match=f"r: {error.why[:10]}") as e:
            robots.check("http://a.org/b")
        assert not isinstance(e.value, BadStatus)
        assert e.value.path == "http://a.org/b"
    assert len(host.asked) == 1


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf" + RULES.encode(), b"\xff\xfe\0", b"<html>"])
def test_any_bytes_are_rules(text: bytes) -> None:
    assert Robots(Host(text)).allows("http://a.org/")


def test_what_is_not_allowed_is_told() -> None:
    with pytest.raises(SourceError, match=r"^http://a\.org/private/: robots\.txt does not allow"):
        Robots(Host(RULES.encode())).check("http://a.org/private/")
