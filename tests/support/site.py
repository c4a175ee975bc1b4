"""A web site on 127.0.0.1 whose pages are scripted, and what it was asked for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """What is answered; pieces of a ``body`` are sent one by one, until the other side hangs up."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]


Page = Reply | bytes | Callable[[Asked], Reply]


class Site:
    """``pages`` by path with query; what is not there is answered with 404."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        page = self.pages.get(asked.path, Reply(b"nothing here", 404))
        if isinstance(page, bytes):
            return Reply(page)
        return page if isinstance(page, Reply) else page(asked)


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A running site, over TLS if ``tls`` is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = site.answer(Asked(self.path, dict(self.headers.items())))
            whole = isinstance(reply.body, bytes)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if whole and "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # hang-ups are expected
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site = Site(server.server_address[1], "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
