"""The safe fetcher against real servers on loopback: what it takes, and what it does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from indexer import addresses, fetch
from indexer.fetch import BadStatus, safe_fetch
from rag.errors import SourceError
from tests.support.site import Asked, Reply, Site, serve


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, without sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(fetch.time, "sleep", slept.append)
    return slept


class Names:
    """A resolver that gives each name its addresses, one answer a look-up, the last for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        found = self.answers.get(host, [[host]])
        return found.pop(0) if len(found) > 1 else found[0]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names of the test's own; 127.0.0.1 passes for a public address, 127.0.0.2 does not."""
    resolver, real = Names(), addresses.refusal

    def refusal(address: object, *, allow_private: bool) -> str:
        return "" if str(address) == "127.0.0.1" else real(address, allow_private=allow_private)

    monkeypatch.setattr(addresses, "look_up", resolver)
    monkeypatch.setattr(addresses, "refusal", refusal)
    return resolver


def get(url: str, **how: object) -> fetch.Page:
    return safe_fetch(url, allow_private=True, **how)


def test_a_page_comes_with_what_the_server_says_of_it(site: Site) -> None:
    told = {"Content-Type": "text/html", "ETag": '"7"', "Last-Modified": "a day"}
    site.pages["/a?b=c"] = Reply("샘물".encode(), headers=told)
    page = get(f"{site.url}/a?b=c#part")
    assert page == fetch.Page(
        f"{site.url}/a?b=c", 200, "샘물".encode(), "text/html", '"7"', "a day"
    )
    assert site.asked[0].headers["Host"] == f"127.0.0.1:{site.port}"
    assert site.asked[0].headers["User-Agent"] == "Saem"


def test_a_korean_address_is_escaped(site: Site) -> None:
    site.pages["/%EB%AC%B8%EC%84%9C"] = b"x"
    assert get(f"{site.url}/문서").data == b"x"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "[::1]", "127.0.0.1."]
)
def test_the_own_machine_is_not_asked(site: Site, host: str) -> None:
    with pytest.raises(SourceError) as e:
        safe_fetch(f"http://{host}:{site.port}/")
    assert e.value.path.startswith("http://")
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://user@127.0.0.1/", "user or password"),
        ("http://user:secret@127.0.0.1/", "user or password"),
        ("ftp://127.0.0.1/a", "can be fetched"),
        ("file:///etc/passwd", "can be fetched"),
        ("gopher://127.0.0.1/", "can be fetched"),
        ("http:///a", "can be fetched"),
        ("/a", "can be fetched"),
        ("http://[::1", "is no URL"),
        ("http://127.0.0.1:99999/", "no such port"),
        ("http://127.0.0.1:0/", "no such port"),
        ("http://a\x00b/", "is no URL"),
    ],
)
def test_other_addresses_make_no_sense(url: str, why: str) -> None:
    with pytest.raises(SourceError, match=why) as e:
        get(url)
    assert e.value.remedy
    assert "secret" not in str(e.value)


def redirect(to: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": to, "Set-Cookie": "a=b"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_without_cookies(site: Site, status: int) -> None:
    site.pages |= {"/a": redirect("b#x", status), "/b": b"there"}
    page = get(f"{site.url}/a")
    assert (page.url, page.data) == (f"{site.url}/b", b"there")
    assert all("Cookie" not in a.headers and "Authorization" not in a.headers for a in site.asked)


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("http://127.0.0.2:{port}/", "a loopback address"),
        ("//127.0.0.2:{port}/", "a loopback address"),
        ("http://inner.test:{port}/", "a private address"),
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("http://[::ffff:127.0.0.1]:{port}/", "IPv4 address within IPv6"),
        ("http://user:secret@public.test:{port}/", "user or password"),
        ("file:///etc/passwd", "can be fetched"),
    ],
)
def test_a_redirect_is_checked_like_a_start(site: Site, names: Names, to: str, why: str) -> None:
    names.answers = {"public.test": [["127.0.0.1"]], "inner.test": [["10.0.0.1"]]}
    site.pages["/a"] = redirect(to.format(port=site.port))
    with pytest.raises(SourceError, match=why):
        safe_fetch(f"http://public.test:{site.port}/a")
    assert site.paths == ["/a"]


def test_metadata_is_refused_even_where_private_addresses_are_allowed(site: Site) -> None:
    site.pages["/a"] = redirect("http://169.254.169.254/")
    with pytest.raises(SourceError, match="metadata"):
        get(f"{site.url}/a")


def test_redirects_end(site: Site) -> None:
    site.pages |= {f"/{i}": redirect(f"/{i + 1}") for i in range(9)}
    with pytest.raises(SourceError, match="redirected more than 5 times"):
        get(f"{site.url}/0")
    assert site.paths == ["/0", "/1", "/2", "/3", "/4", "/5"]


def test_a_name_that_changes_its_address_is_asked_once(site: Site, names: Names) -> None:
    names.answers["rebind.test"] = [["127.0.0.1"], ["10.0.0.1"]]
    site.pages["/"] = b"public"
    assert safe_fetch(f"http://rebind.test:{site.port}/").data == b"public"
    assert names.asked == ["rebind.test"]
    assert site.asked[0].headers["Host"] == f"rebind.test:{site.port}"
    with pytest.raises(SourceError, match="a private address"):
        safe_fetch(f"http://rebind.test:{site.port}/")


def test_a_redirect_looks_the_name_up_again(site: Site, names: Names) -> None:
    names.answers["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]
    site.pages |= {"/": redirect("/b"), "/b": b"inner"}
    with pytest.raises(SourceError, match="a loopback address"):
        safe_fetch(f"http://rebind.test:{site.port}/")
    assert site.paths == ["/"]


def test_the_next_address_is_tried_when_one_is_down(site: Site, names: Names) -> None:
    names.answers["two.test"] = [["127.0.0.9", "127.0.0.1"]]
    site.pages["/"] = b"x"
    assert get(f"http://two.test:{site.port}/").data == b"x"


def test_proxies_of_the_environment_are_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    site.pages["/"] = b"x"
    assert get(f"{site.url}/").data == b"x"


def test_every_hop_may_be_refused(site: Site) -> None:
    seen: list[str] = []

    def visit(url: str) -> None:
        seen.append(url.removeprefix(site.url))
        if url.endswith("/b"):
            raise SourceError(url, "not this one")

    site.pages |= {"/a": redirect("/b"), "/b": b"x"}
    with pytest.raises(SourceError, match="not this one"):
        get(f"{site.url}/a", visit=visit)
    assert (seen, site.paths) == (["/a", "/b"], ["/a"])


def test_known_versions_are_not_sent_again(site: Site) -> None:
    def page(asked: Asked) -> Reply:
        known = asked.headers.get("If-None-Match") == '"7"'
        return Reply(status=304) if known else Reply(b"new", headers={"ETag": '"8"'})

    site.pages["/"] = page
    assert (get(f"{site.url}/", etag='"7"').status, get(f"{site.url}/", etag='"7"').data) == (
        304,
        b"",
    )
    assert get(f"{site.url}/", etag='"6"', modified="once").data == b"new"
    assert site.asked[-1].headers["If-Modified-Since"] == "once"


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 410, 418, 451, 500, 502, 599])
def test_other_answers_are_errors_with_their_status(site: Site, status: int) -> None:
    site.pages["/"] = Reply(b"sorry" if status != 304 else b"", status)
    with pytest.raises(BadStatus, match=str(status)) as e:
        get(f"{site.url}/")
    assert (e.value.status, e.value.path) == (status, f"{site.url}/")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    site: Site, naps: list[float], status: int
) -> None:
    replies = iter([Reply(status=status, headers={"Retry-After": "7"}), Reply(status=status)])
    site.pages["/"] = lambda _: next(replies, Reply(b"fine"))
    assert get(f"{site.url}/").data == b"fine"
    assert naps == [7.0, 1.0]


def test_a_busy_server_is_left_alone_in_the_end(site: Site, naps: list[float]) -> None:
    site.pages["/"] = Reply(status=503, headers={"Retry-After": "2"})
    with pytest.raises(BadStatus, match="503"):
        get(f"{site.url}/")
    assert (naps, len(site.asked)) == ([2.0, 2.0], 3)


@pytest.mark.parametrize("as_date", [False, True])
def test_nobody_waits_longer_than_the_limit(site: Site, naps: list[float], as_date: bool) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    site.pages["/"] = Reply(status=429, headers={"Retry-After": later if as_date else "3600"})
    with pytest.raises(BadStatus, match="Try again in") as e:
        get(f"{site.url}/")
    assert 3500 < e.value.wait <= 3600
    assert (naps, len(site.asked)) == ([], 1)
