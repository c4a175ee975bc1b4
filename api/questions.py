"""A question under way: its blocking events, one at a time, and the place that it takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag.answer.answerer import Event
from rag.errors import Overloaded
from rag.types import Answer

PLACES = 8
_RETRY_SECONDS = 10.0
_POLL_SECONDS = 0.5


class Places:
    """How many questions may be under way; safe to share between threads."""

    def __init__(self, count: int = PLACES) -> None:
        self._count = count
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> None:
        """Take a place.

        Raises
        ------
        Overloaded
            None is free.
        """
        if not self._free.acquire(blocking=False):
            message = f"{self._count} questions are under way, as many as the service takes"
            raise Overloaded(message, _RETRY_SECONDS)

    def give(self) -> None:
        self._free.release()


class Question:
    """The events of a question, made in threads and only while its client is there.

    Gives its place back at the end, on an error, and when it is closed; closing waits for the
    step under way.

    Parameters
    ----------
    request
        The HTTP request that asks.
    start
        Makes the events; runs in a thread. It is given what is set once nobody waits for them.

    Raises
    ------
    Overloaded
        Too many questions are under way; nothing was started.
    """

    def __init__(
        self, request: Request, start: Callable[[threading.Event], Iterator[Event]]
    ) -> None:
        self._request = request
        self._start = start
        self._left = threading.Event()
        self._events: Iterator[Event] | None = None
        self._busy = threading.Lock()
        self._closed = False
        self._places: Places = request.app.state.places
        self._places.take()

    async def next(self) -> Event | None:
        """The next event, ``None`` at the end.

        Raises
        ------
        ClientDisconnect
            Nobody waits for it any more.
        """
        try:
            step = asyncio.ensure_future(run_in_threadpool(self._step))
            while not step.done():
                await asyncio.wait({step}, timeout=_POLL_SECONDS)
                if await self._request.is_disconnected():
                    raise ClientDisconnect
            event = step.result()
            if isinstance(event, Exception):
                raise event
        except BaseException:
            await self.close()
            raise
        if event is None:
            await self.close()
        return event

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events that are left; they just end when the client leaves."""
        try:
            while (event := await self.next()) is not None:
                yield event
        except ClientDisconnect:
            return

    async def answer(self) -> Answer:
        """The event that tells the whole."""
        answer = None
        while (event := await self.next()) is not None:
            if isinstance(event, Answer):
                answer = event
        if answer is None:
            raise TypeError("a stream ends with an Answer")
        return answer

    async def close(self) -> None:
        """Stop the work and give the place back, if that has not happened yet."""
        self._left.set()
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(self._close)

    def _step(self) -> Event | Exception | None:
        """The next event; an error is one, as there may be nobody left to take it."""
        with self._busy:
            try:
                if self._closed:
                    return None
                if self._events is None:
                    self._events = self._start(self._left)
                return next(self._events, None)
            except Exception as e:
                return e

    def _close(self) -> None:
        with self._busy:
            if self._closed:
                return
            self._closed = True
            try:
                if close := getattr(self._events, "close", None):
                    close()
            finally:
                self._places.give()
