"""The safe fetcher's limits on what is sent, packed or slow, and its check of certificates."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from indexer import addresses, fetch
from indexer.fetch import counted, inflate, safe_fetch
from rag.errors import SourceError
from tests.support.site import Reply, Site, serve

GZIP = {"Content-Encoding": "gzip"}
PLAIN = "샘물이 솟는다. A spring rises.".encode()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def get(url: str, **how: object) -> fetch.Page:
    return safe_fetch(url, allow_private=True, **how)


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "GZIP"])
def test_packed_pages_are_unpacked(site: Site, name: str) -> None:
    site.pages["/"] = Reply(gzip.compress(PLAIN), headers={"Content-Encoding": name})
    assert get(f"{site.url}/").data == PLAIN
    assert site.asked[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("name", ["br", "zstd", "deflate", "gzip, gzip"])
def test_other_packings_are_refused(site: Site, name: str) -> None:
    site.pages["/"] = Reply(gzip.compress(PLAIN), headers={"Content-Encoding": name})
    with pytest.raises(SourceError, match=f"packed as '{name}', which was not asked for"):
        get(f"{site.url}/")


def test_a_bomb_is_counted_as_it_inflates(site: Site) -> None:
    bomb = gzip.compress(bytes(300_000_000), 9)
    assert len(bomb) < 1_000_000
    site.pages["/"] = Reply(bomb, headers=GZIP)
    with pytest.raises(SourceError, match="is larger than 1 MB"):
        get(f"{site.url}/", max_bytes=1_000_000)


def test_what_inflates_to_nothing_is_counted_too(site: Site) -> None:
    pack = zlib.compressobj(wbits=31)
    start, nothing = pack.compress(b"x") + pack.flush(zlib.Z_SYNC_FLUSH), b"\0\0\0\xff\xff" * 10_000
    site.pages["/"] = Reply(itertools.chain([start], itertools.repeat(nothing)), headers=GZIP)
    with pytest.raises(SourceError, match="is larger than 1 MB"):
        get(f"{site.url}/", max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (gzip.compress(PLAIN)[:-9], "cut short"),
        (b"no gzip", "damaged"),
        (gzip.compress(PLAIN)[:-8] + bytes(8), "damaged"),
        (gzip.compress(PLAIN) + b"junk", "damaged"),
    ],
)
def test_damaged_packing_is_told(site: Site, body: bytes, why: str) -> None:
    site.pages["/"] = Reply(body, headers=GZIP)
    with pytest.raises(SourceError, match=why):
        get(f"{site.url}/")


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 50))
def test_members_inflate_however_they_are_cut(members: list[bytes], cut: int) -> None:
    packed = b"".join(map(gzip.compress, members))
    pieces = [packed[i : i + cut] for i in range(0, len(packed), cut)]
    assert b"".join(inflate(pieces, "x")) == b"".join(members) == gzip.decompress(packed)


def test_no_piece_of_a_bomb_is_large() -> None:
    sizes = [len(piece) for piece in inflate([gzip.compress(bytes(5_000_000))], "x")]
    assert (sum(sizes), max(sizes)) == (5_000_000, 1 << 18)


def test_the_limit_itself_is_allowed(site: Site) -> None:
    assert b"".join(counted([b"ab", b"cd"], 4, "x")) == b"abcd"
    site.pages["/"] = b"abcd"
    assert get(f"{site.url}/", max_bytes=4).data == b"abcd"
    with pytest.raises(SourceError, match=r"^http://\S+/: is larger than 3e-06 MB"):
        get(f"{site.url}/", max_bytes=3)


def test_an_endless_page_is_cut(site: Site) -> None:
    site.pages["/"] = Reply(itertools.repeat(b"again " * 10_000))
    with pytest.raises(SourceError, match="is larger than 2 MB"):
        get(f"{site.url}/", max_bytes=2_000_000)


def test_a_declared_size_is_believed_if_it_is_too_large(site: Site) -> None:
    site.pages["/"] = Reply(iter([]), headers={"Content-Length": "5000000"})
    with pytest.raises(SourceError, match="is larger than 1 MB"):
        get(f"{site.url}/", max_bytes=1_000_000)


def test_a_page_that_is_cut_off_is_not_taken(site: Site) -> None:
    site.pages["/"] = Reply([b"half"], headers={"Content-Length": "8"})
    with pytest.raises(SourceError, match="cannot be fetched"):
        get(f"{site.url}/")


def drip(*parts: bytes) -> Iterator[bytes]:
    yield from parts
    for _ in range(400):  # 20 s in all, should nobody hang up
        time.sleep(0.05)
        yield b"."


def test_a_slow_page_is_cut(site: Site) -> None:
    site.pages["/"] = Reply(drip())
    with pytest.raises(SourceError, match=r"did not answer within 0\.4 s"):
        get(f"{site.url}/", seconds=0.4)


Talk = Callable[[socket.socket], None]


def raw_server(talk: Talk) -> Iterator[str]:
    """A server that says what no HTTP server would."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                talk(connection)
            except OSError:
                return

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join()
    listener.close()


def slow_head(connection: socket.socket) -> None:
    for part in drip(b"HTTP/1.1 200 OK\r\nX: "):
        connection.sendall(part)


def silent(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def no_http(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"220 mail.test ESMTP\r\n")


def long_head(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (slow_head, "did not answer"),
        (silent, "did not answer"),
        (no_http, "cannot be fetched"),
        (long_head, "cannot be fetched"),
    ],
)
def test_servers_that_talk_nonsense_are_left(talk: Talk, why: str) -> None:
    for url in raw_server(talk):
        with pytest.raises(SourceError, match=why) as e:
            get(url, seconds=0.5)
        assert e.value.remedy


def test_where_nothing_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError, match="cannot be fetched") as e:
        get(f"http://127.0.0.1:{port}/")
    assert e.value.remedy == "Check the URL and the network"


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, list[str]]]:
    """A site with a certificate for docs.test, and the names that it was asked for by TLS."""
    authority = trustme.CA()
    ours, theirs = (ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
    authority.issue_cert("docs.test").configure_cert(ours)
    authority.configure_trust(theirs)
    told: list[str] = []
    ours.sni_callback = lambda _, name, __: told.append(name)
    monkeypatch.setattr(fetch, "_tls", lambda: theirs)
    monkeypatch.setattr(addresses, "look_up", lambda host, port: ["127.0.0.1"])
    with serve(ours) as running:
        yield running, told


def test_tls_goes_by_the_name_though_the_address_is_pinned(secure: tuple[Site, list[str]]) -> None:
    site, told = secure
    site.pages["/"] = PLAIN
    assert get(f"https://docs.test:{site.port}/").data == PLAIN
    assert told == ["docs.test"]
    assert site.asked[0].headers["Host"] == f"docs.test:{site.port}"


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(
    secure: tuple[Site, list[str]], host: str
) -> None:
    site, _ = secure
    with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"https://{host}:{site.port}/")
    assert site.asked == []


def test_certificates_are_checked_against_known_authorities() -> None:
    context = fetch._tls()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 50
