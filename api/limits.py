"""Guards around every route: the size of bodies, and requests from foreign web pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors


class Guard:
    """Refuses bodies over ``max_bytes`` (413) and writes that another site's page sends (403).

    Browsers name the page's origin in ``Origin``; programs send none.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if (
            scope["method"] not in ("GET", "HEAD", "OPTIONS")
            and origin is not None
            and urlsplit(origin).netloc != headers.get("host")
        ):
            content = errors.body("NotAllowed", f"pages of {origin} may not use this service")
            await JSONResponse(content, 403)(scope, receive, send)
            return
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self.max_bytes:
            content = errors.body("TooLarge", self._too_large())
            await JSONResponse(content, 413)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413, self._too_large())
            return message

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self.app(scope, counted, protected)

    def _too_large(self) -> str:
        megabytes = self.max_bytes / 1e6
        return f"the request is larger than {megabytes:,.0f} MB; send less, or raise max_upload_mb"
