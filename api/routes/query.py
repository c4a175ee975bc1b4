"""``POST /search`` and ``POST /ask``."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from api import errors, sse
from api.questions import Question
from api.schemas import AskRequest, AskResponse, SearchRequest, SearchResponse
from api.state import Log, Saem
from rag import wire
from rag.answer.answerer import Event
from rag.errors import RagError
from rag.search import parse_filter
from rag.types import Answer, SearchResult, Step

router = APIRouter(tags=["query"])
log = logging.getLogger("saem")


@router.post("/search", response_model=SearchResponse)
def search(
    request: SearchRequest, saem: Saem, query_log: Log, response: Response
) -> dict[str, Any]:
    """Rank the passages that match a query."""
    entry = query_log.entry(request.collection)
    result = saem.searcher(request.collection).search(
        request.query,
        request.top_k,
        request.mode,
        parse_filter(request.filter),
        facets=request.facets,
    )
    entry.found(result)
    response.headers.update(entry.headers)
    return wire.search(result)


@router.post(
    "/ask",
    response_model=AskResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def ask(
    body: AskRequest,
    request: Request,
    saem: Saem,
    query_log: Log,
    response: Response,
    accept: Annotated[str, Header()] = "",
) -> dict[str, Any] | Response:
    """Answer a question with citations.

    With `Accept: text/event-stream` the answer streams as events: `hits`, then `step`s with `kind`
    and `text`, `delta`s with `text`, at last `answer`, in this response's shape; or `error`.
    """
    entry = query_log.entry(body.collection)

    def start(left: threading.Event) -> Iterator[Event]:
        chosen = parse_filter(body.filter)
        answerer = saem.answerer(body.collection)
        events = answerer.stream(
            body.question,
            body.top_k,
            body.mode,
            chosen,
            program=body.program,
            persona=body.persona,
            left=left,
        )
        return entry.watch(events)

    question = Question(request, start)
    if "text/event-stream" in accept:
        streamed = sse.Events(_lines(await question.next(), question), question)
        streamed.headers.update(entry.headers)
        return streamed
    answer = await question.answer()
    response.headers.update(entry.headers)
    return wire.answer(answer)


async def _lines(first: Event | None, rest: Question) -> AsyncIterator[str]:
    """Events of ``/ask``; an error after the first is an event too, as the status is sent."""
    try:
        if first is not None:
            yield _line(first)
        async for event in rest:
            yield _line(event)
    except RagError as e:
        yield sse.event(errors.of(e), "error")
    except Exception:
        log.exception("an answer failed")
        yield sse.event(errors.INTERNAL, "error")


def _line(event: Event) -> str:
    if isinstance(event, SearchResult):
        return sse.event({"hits": [wire.hit(h) for h in event.hits]}, "hits")
    if isinstance(event, Answer):
        return sse.event(wire.answer(event), "answer")
    if isinstance(event, Step):
        return sse.event({"kind": event.kind, "text": event.text}, "step")
    return sse.event({"text": event}, "delta")
