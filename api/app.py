"""The ASGI application: ``create_app(settings)``."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from api import errors
from api.limits import Guard
from api.querylog import QueryLog
from api.questions import Places
from api.routes import documents, openai, query, votes
from api.schemas import ErrorJson, OpenAIErrorJson, Ready
from api.state import Background, Saem
from rag import __version__
from rag.answer.programs import program
from rag.errors import DependencyMissing, ModelMissing, RagError
from rag.settings import Settings
from rag.workspace import Workspace

log = logging.getLogger("saem")
_STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


def create_app(settings: Settings) -> FastAPI:
    """The service over the collections in ``settings.home``; vectors are filled in meanwhile."""
    saem = Workspace(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.llm.startswith("vllm:") and not settings.llm_url:
            _start_vllm(saem)
        app.state.background = Background(saem)
        app.state.background.start()
        yield
        await run_in_threadpool(app.state.background.stop)
        saem.close()

    app = FastAPI(
        title="Saem",
        version=__version__,
        summary="Search your documents and get answers that show where they stand.",
        lifespan=lifespan,
    )
    app.state.workspace = saem
    app.state.places = Places()
    app.state.query_log = QueryLog(saem)
    app.add_middleware(Guard, max_bytes=settings.max_upload_mb * 1_000_000, host=settings.host)
    errors.install(app)
    for router in (query.router, votes.router, documents.router):
        app.include_router(router, responses={"default": {"model": ErrorJson}})
    app.include_router(openai.router, responses={"default": {"model": OpenAIErrorJson}})

    @app.get("/healthz", tags=["service"])
    async def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok", "version": __version__}

    @app.get("/readyz", tags=["service"], response_model=Ready, responses={503: {"model": Ready}})
    def readyz(saem: Saem, request: Request) -> Response:
        """Whether questions can be answered, 503 if not; and what is missing either way.

        Without an encoder or a model of its own the service still answers, by words alone and by
        quoting.
        """
        ready, missing = _missing(saem)
        if not request.app.state.background.alive:
            ready = False
            missing.append("new documents get no vectors any more; restart the service")
        return JSONResponse({"ready": ready, "missing": missing}, 200 if ready else 503)

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html", headers=_HEADERS)

    app.mount("/static", _Static(directory=_STATIC), name="static")
    return app


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - as inherited
        response = super().file_response(*args, **kwargs)
        response.headers.update(_HEADERS)
        return response


def _start_vllm(saem: Workspace) -> None:
    """Start vLLM now; until it has loaded its model, answers are quoted."""
    from rag.answer.vllm import ServedVLLM

    try:
        llm = saem.llm()
    except RagError as e:
        log.warning("vLLM is not started: %s", e)
        return
    if isinstance(llm, ServedVLLM):
        llm.patience = 0.0


def _missing(saem: Workspace) -> tuple[bool, list[str]]:
    """Whether the service can answer, and what it lacks, one message a part."""
    ready: bool = True
    found: dict[str, None] = {}
    parts: list[Callable[[], Any]] = [lambda: _check_answerer(saem), saem.encoder,
                                      lambda: _check_llm(saem)]  # fmt: skip
    for part in parts:
        try:
            part()
        except (RagError, OSError, sqlite3.Error) as e:
            found[str(e)] = None
            if part is parts[0] or not isinstance(e, DependencyMissing | ModelMissing):
                ready = False
    return ready, list(found)


def _check_answerer(saem: Workspace) -> None:
    """Raise what a question would, for settings that name something which is not there."""
    answerer, settings = saem.answerer(), saem.settings
    program(settings.program, answerer.prompts)
    if settings.persona:
        answerer.prompts.get(settings.persona, "persona")


def _check_llm(saem: Workspace) -> None:
    if llm := saem.llm():
        llm.ready()
