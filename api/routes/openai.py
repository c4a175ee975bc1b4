"""The OpenAI-compatible face: ``/v1/models`` and ``/v1/chat/completions``.

The model ``saem`` answers from the default collection, ``saem:NAME`` from another. Sources come
in an extension, ``rag``, of the completion or of a stream's last chunk.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api import sse
from api.errors import INTERNAL
from api.questions import Question
from api.schemas import ChatMessage, ChatRequest
from api.state import Log, Saem
from rag import wire
from rag.answer.answerer import Event
from rag.errors import BadQuery, NotFound, RagError
from rag.types import Answer, Message, encodable

router = APIRouter(prefix="/v1", tags=["openai"])
log = logging.getLogger("saem")


@router.get("/models")
def models(saem: Saem) -> dict[str, Any]:
    """A model for the default collection and one for each by name."""
    names = ["saem", *(f"saem:{name}" for name in saem.names())]
    data = [{"id": n, "object": "model", "created": 0, "owned_by": "saem"} for n in names]
    return {"object": "list", "data": data}


@router.post("/chat/completions", response_model=None)
async def chat(body: ChatRequest, request: Request, saem: Saem, query_log: Log) -> Response:
    """Answer the last user message from the documents, with ``[n]`` markers."""
    collection = _collection(body.model)
    turns = [m for m in body.messages if m.text().strip()]
    if not turns or turns[-1].role != "user":
        raise BadQuery("the last message must be the user's")
    *before, question = turns
    history = [_message(m) for m in before if m.role in ("user", "assistant")]
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": body.model,
    }

    entry = query_log.entry(collection)

    def start(left: threading.Event) -> Iterator[Event]:
        answerer = saem.answerer(collection)
        return entry.watch(answerer.stream(question.text(), history=history, left=left))

    asked = Question(request, start)
    if body.stream:
        streamed = sse.Events(_chunks(head, await asked.next(), asked), asked)
        streamed.headers.update(entry.headers)
        return streamed
    answer = await asked.answer()
    message = {"role": "assistant", "content": answer.text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    content = {**head, "object": "chat.completion", "choices": [choice], "rag": _extension(answer)}
    return JSONResponse(content, headers=entry.headers)


async def _chunks(head: dict[str, Any], first: Event | None, rest: Question) -> AsyncIterator[str]:
    def chunk(delta: dict[str, str], finish: str | None = None, **extra: Any) -> str:  # noqa: ANN401
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return sse.event({**head, "object": "chat.completion.chunk", "choices": [choice], **extra})

    yield chunk({"role": "assistant", "content": ""})
    sent = first if isinstance(first, str) else ""
    try:
        async for event in rest:
            if isinstance(event, str):
                sent += event
                yield chunk({"content": event})
            elif isinstance(event, Answer):
                if event.text.strip() != sent.strip():
                    said = f"\n\n({event.warnings[-1]})\n\n" if sent and event.warnings else ""
                    yield chunk({"content": said + event.text})
                yield chunk({}, "stop", rag=_extension(event))
    except RagError as e:
        yield _failure(encodable(str(e)), e.kind.__name__)
    except Exception:
        log.exception("an answer failed")
        yield _failure(INTERNAL["error"]["message"], "InternalError")
    yield "data: [DONE]\n\n"


def _failure(message: str, code: str) -> str:
    error = {"message": message, "type": "api_error", "param": None, "code": code}
    return sse.event({"error": error})


def _extension(answer: Answer) -> dict[str, Any]:
    full = wire.answer(answer)
    return {key: full[key] for key in _SHOWN}


_SHOWN = ("abstained", "unsure", "confidence", "generator", "program", "degraded", "citations",
          "statements", "warnings")  # fmt: skip


def _collection(model: str) -> str | None:
    base, _, name = model.partition(":")
    if base != "saem":
        raise NotFound(f"there is no model '{model}'", remedy="See /v1/models")
    return name or None


def _message(message: ChatMessage) -> Message:
    return Message(cast("Literal['user', 'assistant']", message.role), message.text())
