"""URLs of pages: which make sense, their one canonical form, and how they are shown as a path.

A page's path is host and path as people read them: ``docs.example.org/guide/index.html`` for a URL
that ends with ``/``, with ``.html`` after the suffixes of programs (``view.php.html``), and a query
before the suffix (``list?page=2.html``). Other paths without a suffix keep none: what a page is,
its content says. Fetches nothing.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

import httpx

from indexer.folders import as_text
from rag.errors import SourceError

_PROGRAMS = {
    ".action",
    ".asp",
    ".aspx",
    ".cfm",
    ".cgi",
    ".do",
    ".jsp",
    ".jspx",
    ".nhn",
    ".php",
    ".pl",
}
_PORTS = {"http": 80, "https": 443}
_ESCAPED = re.compile("%[0-9a-fA-F]{2}")
_UNRESERVED = re.compile("[A-Za-z0-9._~-]")


def parse_url(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """An absolute URL without its fragment, seen from ``base`` if it is relative.

    Raises
    ------
    SourceError
        It is malformed, of another scheme than http and https, or holds a user or password.
    """
    try:
        found = base.join(url) if base else httpx.URL(url)
        found = found.copy_with(fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError) as e:
        raise SourceError(url, f"is no URL ({e})", remedy="Check how it is written") from None
    if found.port is not None and not 0 < found.port < 65536:
        raise SourceError(url, "is no URL (no such port)", remedy="Check how it is written")
    if found.scheme not in ("http", "https") or not found.raw_host:
        remedy = "Write http://... or https://..."
        raise SourceError(url, "is no URL that can be fetched", remedy=remedy)
    if found.userinfo:
        shown = str(found.copy_with(userinfo=b""))
        remedy = "Leave them out; what needs a password is not fetched"
        raise SourceError(shown, "holds a user or password", remedy=remedy)
    return found


def port_of(url: httpx.URL) -> int:
    """The port that it is asked for at."""
    return url.port or _PORTS[url.scheme]


def canonical(url: httpx.URL) -> str:
    """The one way to write ``url``: no default port, and nothing escaped that need not be."""
    target = _ESCAPED.sub(_plain, url.raw_path.decode("ascii"))
    default = url.port == _PORTS[url.scheme]
    host = url.netloc.decode("ascii").removesuffix(f":{url.port}" if default else "")
    return f"{url.scheme}://{host}{target}"


def path_of(uri: str) -> str:
    """What the page at a canonical URL is shown and filtered by; see the module."""
    url = httpx.URL(uri)
    port = f":{url.port}" if url.port else ""
    folder, _, name = url.path.rpartition("/")
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name, any characters
    if not name:
        stem, suffix = "index", ".html"
    elif suffix.lower() in _PROGRAMS:
        stem, suffix = name, ".html"
    query = f"?{unquote(url.query.decode('ascii'))}" if url.query else ""
    return as_text(f"{_host(url)}{port}{folder}/{stem}{query}{suffix}")


def _host(url: httpx.URL) -> str:
    try:
        return url.host
    except UnicodeError:  # not all names that exist can be decoded: some have emoji
        return url.raw_host.decode("ascii")


def _plain(escaped: re.Match[str]) -> str:
    """An escape in its usual form: letters, digits, ``-._~`` as themselves (RFC 3986, 6.2.2)."""
    character = unquote(escaped.group(), "latin-1")
    return character if _UNRESERVED.fullmatch(character) else escaped.group().upper()
