"""The one fetcher of the project: takes a page from the web, and only from the public Internet.

A name is resolved once, its addresses are checked (`indexer.addresses`), and the connection goes to
the very address that was checked, at the start and after every redirect; so neither a redirect nor
a name that changes its address leads into the own network. There are no cookies, credentials or
proxies. Knows no formats, and nothing of robots.txt.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from ssl import SSLContext

import httpcore
import httpx

from indexer.guarded import Guarded
from indexer.urls import parse_url
from rag.errors import SourceError

AGENT = "Saem"
"""What it calls itself, and what robots.txt calls it."""

_REDIRECTS = 5
_TRIES = 3
_PIECE = 1 << 18
_AGAIN = (429, 503)
_FOLLOWED = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Page:
    """What was at ``url``, the address after all redirects.

    ``status`` is 304, and ``data`` empty, if it is what ``etag`` or ``modified`` named. ``data``
    has no content encoding any more.
    """

    url: str
    status: int
    data: bytes
    content_type: str
    etag: str
    last_modified: str


class BadStatus(SourceError):
    """The server answered, but not with the page.

    ``status`` is HTTP's; ``wait`` are the seconds after which the server may be asked again.
    """

    def __init__(self, url: str, status: int, wait: float) -> None:
        self.status = status
        self.wait = wait
        phrase = {s.value: f" ({s.phrase})" for s in HTTPStatus}.get(status, "")
        later = f"Try again in {wait:.0f} s" if status in _AGAIN else "Try again later"
        remedy = later if status in _AGAIN or status >= 500 else "Check the URL in a browser"
        super().__init__(url, f"the server answers {status}{phrase}", remedy=remedy)


def safe_fetch(
    url: str,
    *,
    allow_private: bool = False,
    etag: str = "",
    modified: str = "",
    max_bytes: int = 100_000_000,
    seconds: float = 60.0,
    visit: Callable[[str], None] | None = None,
) -> Page:
    """The page at ``url``, after at most 5 redirects.

    Parameters
    ----------
    allow_private
        Whether the own machine and network may be reached; setting ``fetch_private``.
    etag, modified
        Validators of the version that is known: ``ETag`` and ``Last-Modified`` of a `Page`.
    max_bytes
        Of the body, inflated and as sent.
    seconds
        For everything together but the look-up of names, which has the system's limits. A server
        that asks for patience (429, 503) gets it within this time, twice.
    visit
        Is called with every URL before it is asked for; may refuse it by raising.

    Raises
    ------
    BadStatus
        The server answered with an error.
    SourceError
        The URL is none that may be fetched, or the page could not be had.
    """
    deadline = time.monotonic() + seconds
    known = {"If-None-Match": etag, "If-Modified-Since": modified}
    headers = {name: value for name, value in known.items() if value}
    here = parse_url(url)
    for _ in range(_REDIRECTS + 1):
        if visit:
            visit(str(here))
        try:
            answer = _patiently(here, headers, allow_private, max_bytes, deadline)
        except httpcore.TimeoutException:
            why = f"did not answer within {seconds:g} s"
            raise SourceError(str(here), why, remedy="Try again later") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as e:
            why = f"cannot be fetched ({e or type(e).__name__})"
            raise SourceError(str(here), why, remedy="Check the URL and the network") from None
        if isinstance(answer, Page):
            return answer
        here = answer
    why = f"is redirected more than {_REDIRECTS} times"
    raise SourceError(url, why, remedy="Give the address that it leads to")


def counted(pieces: Iterable[bytes], max_bytes: int, shown: str) -> Iterator[bytes]:
    """The pieces as they come, if they are no more than ``max_bytes`` together.

    Raises
    ------
    SourceError
        They are more; the rest was not taken.
    """
    total = 0
    for piece in pieces:
        if (total := total + len(piece)) > max_bytes:
            raise too_large(shown, max_bytes)
        yield piece


def inflate(pieces: Iterable[bytes], shown: str) -> Iterator[bytes]:
    """What gzip packed, at most 256 KiB at once, however much a small piece may hold.

    Raises
    ------
    SourceError
        It is damaged or cut short.
    """
    unpack = zlib.decompressobj(31)
    try:
        for rest in pieces:
            while rest:
                if unpack.eof:  # another member follows
                    unpack = zlib.decompressobj(31)
                yield unpack.decompress(rest, _PIECE)
                rest = unpack.unconsumed_tail or unpack.unused_data
        while not unpack.eof:
            last = unpack.decompress(b"", _PIECE)
            if not last:
                raise SourceError(shown, "is cut short (gzip)", remedy="Try again")
            yield last
    except zlib.error as e:
        raise SourceError(shown, f"is damaged (gzip: {e})", remedy="Try again") from None


def too_large(shown: str, max_bytes: int) -> SourceError:
    """What is raised for more than ``max_bytes``."""
    why = f"is larger than {max_bytes / 1e6:g} MB"
    return SourceError(shown, why, remedy="Leave it out, or split it")


def _patiently(
    url: httpx.URL, headers: dict[str, str], allow_private: bool, max_bytes: int, deadline: float
) -> Page | httpx.URL:
    """What one URL gives: a page, or where it has gone; asked again if the server is busy."""
    tries = 0
    while True:
        try:
            return _ask(url, headers, Guarded(str(url), allow_private, deadline), max_bytes)
        except BadStatus as e:
            tries += 1
            if e.status not in _AGAIN or tries == _TRIES or time.monotonic() + e.wait >= deadline:
                raise
            time.sleep(e.wait)


def _ask(
    url: httpx.URL, headers: dict[str, str], network: Guarded, max_bytes: int
) -> Page | httpx.URL:
    target = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    sent = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Connection": "close",
        **headers,
    }
    with (
        httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network) as pool,
        pool.stream("GET", target, headers=list(sent.items())) as answer,
    ):
        said = httpx.Headers(answer.headers)
        if answer.status in _FOLLOWED and "location" in said:
            return parse_url(said["location"], url)
        if not 200 <= answer.status < 300 and not (answer.status == 304 and headers):
            raise BadStatus(str(url), answer.status, _wait(said.get("retry-after", "")))
        return Page(
            str(url),
            answer.status,
            b"" if answer.status == 304 else _body(answer, said, str(url), max_bytes),
            said.get("content-type", ""),
            said.get("etag", ""),
            said.get("last-modified", ""),
        )


def _body(answer: httpcore.Response, said: httpx.Headers, url: str, max_bytes: int) -> bytes:
    length = said.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large(url, max_bytes)
    pieces: Iterable[bytes] = counted(answer.iter_stream(), max_bytes, url)
    encoding = said.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        pieces = counted(inflate(pieces, url), max_bytes, url)
    elif encoding != "identity":
        why = f"comes packed as {encoding!r}, which was not asked for"
        raise SourceError(url, why, remedy="Save the page as a file and index that")
    return b"".join(pieces)


def _wait(retry_after: str) -> float:
    """Seconds that a ``Retry-After`` asks for: a number, or a date; 1 if it does not say."""
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # malformed, or without a time zone
        return 1.0


@cache
def _tls() -> SSLContext:
    return httpcore.default_ssl_context()
