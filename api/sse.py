"""Server-sent events: their form, and the response that sends them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.questions import Question

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event(data: Any, name: str = "") -> str:  # noqa: ANN401 - any JSON
    """One event as it goes over the wire."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


class Events(StreamingResponse):
    """Sends ``lines`` as they come, then closes ``question``, whatever became of the client."""

    def __init__(self, lines: AsyncIterator[str], question: Question) -> None:
        super().__init__(lines, media_type="text/event-stream", headers=HEADERS)
        self._question = question

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._question.close()
