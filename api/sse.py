"""Server-sent events from a blocking iterator, which is closed when the client leaves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_END = object()


def event(data: Any, name: str = "") -> str:  # noqa: ANN401 - any JSON
    """One event as it goes over the wire."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


def stream(lines: Iterator[str]) -> StreamingResponse:
    """Send ``lines`` as they come."""
    return StreamingResponse(_pump(lines), media_type="text/event-stream", headers=HEADERS)


async def _pump(lines: Iterator[str]) -> AsyncIterator[str]:
    try:
        while (line := await run_in_threadpool(next, lines, _END)) is not _END:
            yield str(line)
    finally:
        with anyio.CancelScope(shield=True):
            if close := getattr(lines, "close", None):
                await run_in_threadpool(close)
