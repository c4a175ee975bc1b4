"""Errors as HTTP answers: one table of statuses, one shape (and OpenAI's under ``/v1``)."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rag import errors
from rag.types import encodable

STATUSES: dict[type[errors.RagError], int] = {
    errors.ConfigError: 409,
    errors.CollectionMissing: 404,
    errors.CollectionLocked: 409,
    errors.CorruptIndex: 500,
    errors.IncompatibleIndex: 409,
    errors.SourceError: 422,
    errors.ModelMissing: 503,
    errors.DependencyMissing: 503,
    errors.BadQuery: 422,
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.Overloaded: 503,
    errors.LLMUnavailable: 502,
    errors.LLMTimeout: 504,
}


def body(kind: str, message: str, remedy: str = "") -> dict[str, Any]:
    """The one shape of an error: ``{error: {type, message, remedy}}``."""
    return {"error": {"type": kind, "message": encodable(message), "remedy": encodable(remedy)}}


def of(error: errors.RagError) -> dict[str, Any]:
    return body(error.kind.__name__, error.message, error.remedy)


INTERNAL = body("InternalError", "something went wrong; see the log")


def install(app: FastAPI) -> None:
    """Answer every error of ours, of validation and of the storage in that shape."""

    @app.exception_handler(errors.RagError)
    def ours(request: Request, error: errors.RagError) -> JSONResponse:
        status = STATUSES.get(error.kind, 500)
        headers = {}
        if isinstance(error, errors.Overloaded):
            headers["Retry-After"] = f"{error.retry_after:.0f}"
        return answer(request, status, of(error), headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        typed = "json" in request.headers.get("content-type", "")
        remedy = (
            "" if typed or where else "Send JSON with the header content-type: application/json"
        )
        why = first["msg"].removeprefix("Value error, ")
        return answer(request, 422, body("BadQuery", f"{where or 'body'}: {why}", remedy))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        kind = {404: "NotFound", 403: "NotAllowed", 413: "TooLarge"}.get(
            error.status_code, "HTTPError"
        )
        return answer(request, error.status_code, body(kind, str(error.detail)))

    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    def storage(request: Request, error: Exception) -> JSONResponse:
        return answer(request, 500, body("StorageError", str(error), "Look at the disk"))

    @app.exception_handler(ClientDisconnect)
    def left(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)  # goes nowhere

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return answer(request, 500, INTERNAL)  # the server logs it


def answer(
    request: Request, status: int, content: dict[str, Any], headers: dict[str, str] | None = None
) -> JSONResponse:
    """``content``, an error's body, in the shape that the path's clients expect."""
    if request.url.path.startswith("/v1/"):
        e = content["error"]
        message = f"{e['message']}. {e['remedy']}" if e["remedy"] else e["message"]
        kind = "invalid_request_error" if status < 500 else "api_error"
        error = {"message": message, "type": kind, "param": None, "code": e["type"]}
        content = {"error": error}
    return JSONResponse(content, status, headers)
