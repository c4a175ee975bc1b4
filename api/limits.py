"""Guards around every route: the size of bodies, requests from foreign web pages, the stop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors


class Guard:
    """Refuses bodies over ``max_bytes`` (413) and what another site's page sends (403).

    Browsers name the page's origin in ``Origin``; programs send none. A site whose name its owner
    points at this machine has an origin that equals ``Host``: so a service for this machine alone
    goes by no foreign name. When the server stops, requests under way end without a traceback.

    Parameters
    ----------
    host
        The address that the service listens on.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, host: str) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.host = host.lower()
        self.local = _is_local(self.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request = Request(scope)
        if why := self._foreign(scope["method"], headers.get("host"), headers.get("origin")):
            refusal = errors.answer(request, 403, errors.body("NotAllowed", *why))
            await refusal(scope, receive, send)
            return
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self.max_bytes:
            refusal = errors.answer(request, 413, errors.body("TooLarge", self._too_large()))
            await refusal(scope, receive, send)
            return
        received = 0
        started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413, self._too_large())
            return message

        async def protected(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            await self.app(scope, counted, protected)
        except asyncio.CancelledError:  # the server stops, and has waited long enough
            if started:
                with suppress(Exception):  # a body of known length cannot end early
                    await send({"type": "http.response.body", "body": b""})
            else:
                content = errors.body("Overloaded", "the service is stopping")
                await errors.answer(request, 503, content)(scope, receive, protected)

    def _foreign(self, method: str, host: str | None, origin: str | None) -> tuple[str, str] | None:
        """Why the request is refused, and the remedy, if another site's page is behind it."""
        name = _name(host or "")
        if self.local and host is not None and name != self.host and not _is_ours(name):
            return (
                f"this service does not go by the name {host}",
                "Use http://localhost, or open the service with --host",
            )
        if method in ("GET", "HEAD", "OPTIONS") or origin is None:
            return None
        try:
            same = urlsplit(origin).netloc == host
        except ValueError:
            same = False
        return None if same else (f"pages of {origin} may not use this service", "")

    def _too_large(self) -> str:
        megabytes = self.max_bytes / 1e6
        return f"the request is larger than {megabytes:,.0f} MB; send less, or raise max_upload_mb"


def _name(host: str) -> str:
    """The name or address in a ``Host`` header, without its port; empty if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_ours(name: str) -> bool:
    """Whether no foreign page can be under ``name``: an address, or this machine's own name."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    try:
        return ip_address(host if ":" in host else socket.gethostbyname(host)).is_loopback
    except (OSError, ValueError):
        return True
