"""The service under trouble: many questions, clients that leave, foreign pages, damage."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import state
from api.app import create_app
from api.questions import Places
from api.routes import documents
from api.server import _listen
from rag.errors import NotFound
from rag.index import Collection
from rag.settings import Settings
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.service import running

URL = "http://localhost"
ASK = {"question": "How is black tea made?"}
CHAT = {"model": "saem", "messages": [{"role": "user", "content": ASK["question"]}]}
SSE = {"accept": "text/event-stream"}
LONG = " ".join(f"word{n}" for n in range(2000))
WAYS = [("/ask", ASK, {}), ("/ask", ASK, SSE), ("/v1/chat/completions", CHAT, {})]


def make(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), base_url=URL, raise_server_exceptions=False)


@pytest.fixture
def client(saem: Workspace) -> Iterator[TestClient]:
    with make(saem.settings) as client:
        yield client


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestBackground:
    def test_goes_on_after_any_error_and_tells_of_it_once(
        self, saem: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        real, calls = state.fill_vectors, []

        def fill(*args: Any, **kwargs: Any) -> int:
            calls.append(1)
            if len(calls) < 4:
                raise sqlite3.OperationalError("database is locked")
            return real(*args, **kwargs)

        monkeypatch.setattr(state, "fill_vectors", fill)
        monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
        with caplog.at_level(logging.INFO, "saem"), make(saem.settings) as client:
            files = [("files", ("a.md", "# A\n\nEspresso.", "text/markdown"))]
            client.post("/documents", files=files)
            until(lambda: saem.collection().outstanding() == 0)
            assert client.get("/readyz").status_code == 200
        told = [r for r in caplog.records if r.levelno >= logging.ERROR]
        assert [r.getMessage() for r in told] == ["collection 'default' gets no vectors"]
        assert len(calls) == 4

    def test_survives_a_warm_up_and_a_listing_that_fail(
        self, saem: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: Workspace) -> None:
            raise RuntimeError("CUDA is gone")

        monkeypatch.setattr(Workspace, "names", fail)
        monkeypatch.setattr(Workspace, "llm", fail)
        background = state.Background(saem)
        background.start()
        time.sleep(0.2)
        assert background.alive
        background.stop()
        assert not background.alive

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_its_end_is_reported(self, saem: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        def leave(self: state.Background) -> None:
            raise SystemExit

        monkeypatch.setattr(state.Background, "_warm_up", leave)
        with make(saem.settings) as client:
            until(lambda: client.get("/readyz").status_code == 503)
            assert "restart" in client.get("/readyz").json()["missing"][0]


class TestCrowd:
    def test_too_many_questions_are_refused_and_the_service_stays_reachable(
        self, saem: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.app.Places", partial(Places, 2))
        with (
            FakeLLM(reply=LONG, pause=0.02) as fake,
            running(saem.settings.replace(llm_url=fake.url, answer_tokens=3000)) as url,
            httpx.stream("POST", f"{url}/ask", json=ASK, headers=SSE),
            httpx.stream("POST", f"{url}/v1/chat/completions", json=CHAT | {"stream": True}),
        ):
            until(lambda: len(fake.chats()) == 2)
            for path, body, headers in WAYS:
                refused = httpx.post(url + path, json=body, headers=headers)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
                error = refused.json()["error"]
                assert "Overloaded" in (error["type"], error.get("code"))
            assert httpx.get(f"{url}/healthz").status_code == 200
            assert len(fake.chats()) == 2

    @pytest.mark.parametrize("way", WAYS)
    def test_an_end_and_an_error_give_the_place_back(
        self, saem: Workspace, monkeypatch: pytest.MonkeyPatch, way: tuple[str, Any, Any]
    ) -> None:
        path, body, headers = way
        monkeypatch.setattr("api.app.Places", partial(Places, 1))
        with make(saem.settings) as client:
            for _ in range(3):
                assert client.post(path, json=body, headers=headers).status_code == 200
        with FakeLLM(mode="refused") as fake, make(saem.settings.replace(llm_url=fake.url)) as bad:
            for _ in range(3):
                assert bad.post(path, json=body, headers=headers).status_code == 200
                nowhere = body | {"collection": "nowhere", "model": "saem:nowhere"}
                assert bad.post(path, json=nowhere, headers=headers).status_code == 404

    def test_a_client_that_leaves_stops_the_model_and_gives_its_place_back(
        self, saem: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.app.Places", partial(Places, 1))
        with (
            FakeLLM(reply=LONG, pause=0.02) as fake,
            running(saem.settings.replace(llm_url=fake.url, answer_tokens=3000)) as url,
        ):
            for path, body, headers in WAYS:
                ask = partial(httpx.stream, "POST", url + path, json=body, headers=headers)
                with suppress(httpx.ReadTimeout), ask(timeout=0.5) as response:
                    next(line for line in response.iter_lines() if line == "event: delta")
                until(fake.disconnected.is_set, 20)
                fake.disconnected.clear()
                until(lambda: httpx.post(f"{url}/ask", json={"question": ""}).status_code == 422)
            assert len(fake.chats()) == len(WAYS)

    def test_a_response_that_is_never_read_gives_its_place_back(self, saem: Workspace) -> None:
        app = create_app(saem.settings)
        app.state.places = Places(1)

        for _ in range(2):
            assert asyncio.run(_post(app, leave=True)) == 499
        app.state.places.take()

    def test_a_stop_with_streams_open_writes_no_traceback(
        self, saem: Workspace, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = create_app(saem.settings)
        events = _Slow()
        app.state.workspace = events

        async def stop() -> None:
            tasks = [asyncio.create_task(_post(app, headers=SSE)) for _ in range(3)]
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
            assert await asyncio.gather(*tasks) == [200, 200, 200]

        asyncio.run(stop())
        assert (events.closed, caplog.records) == (3, [])
        for _ in range(8):
            app.state.places.take()


class _Slow:
    """A workspace whose answers take their time."""

    closed = 0

    def answerer(self, name: str | None) -> _Slow:
        return self

    def stream(self, *args: object, **how: object) -> Iterator[str]:
        try:
            while True:
                yield "word "
                time.sleep(0.2)
        finally:
            self.closed += 1


async def _post(app: FastAPI, headers: dict[str, str] | None = None, *, leave: bool = False) -> int:
    """The status of an ask sent straight to ``app``; the client may ``leave`` at once."""
    sent = [{"type": "http.request", "body": json.dumps(ASK).encode()}]
    statuses = []

    async def receive() -> dict[str, Any]:
        if sent:
            return sent.pop()
        if not leave:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    named = {"content-type": "application/json", "host": "localhost"} | (headers or {})
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "method": "POST", "path": "/ask"}
    scope |= {"raw_path": b"/ask", "query_string": b""}
    scope["headers"] = [(k.encode(), v.encode()) for k, v in named.items()]
    await app(scope, receive, send)
    return statuses[0]


def test_no_answer_waits_40_ms_for_an_acknowledgement() -> None:
    with _listen("127.0.0.1", 0) as listening:  # asyncio sets TCP_NODELAY where it reads TCP
        assert listening.proto == socket.IPPROTO_TCP


class TestErrors:
    def test_an_unforeseen_one_has_the_shape_and_tells_nothing(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise KeyError("secret")

        monkeypatch.setattr(Workspace, "searcher", fail)
        response = client.post("/search", json={"query": "tea"})
        error = {"message": "something went wrong; see the log", "remedy": ""}
        assert response.status_code == 500
        assert response.json() == {"error": error | {"type": "InternalError"}}
        chat = client.post("/v1/chat/completions", json=CHAT)
        assert (chat.status_code, chat.json()["error"]["code"]) == (500, "InternalError")

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/ask", {"question": "tea \ud800"}, 200),
            ("/search", {"query": "tea \ud800"}, 200),
            ("/search", {"query": "tea", "filter": {"\ud800": "x"}}, 200),
            ("/search", {"query": "tea", "filter": {"\ud800": {}}}, 422),
            ("/search", {"query": "tea", "mode": "\ud800"}, 422),
            ("/search", {"query": "tea", "collection": "\ud800"}, 422),
            ("/v1/chat/completions", CHAT | {"model": "\ud800"}, 404),
            ("/v1/chat/completions", CHAT | {"model": "saem:\ud800"}, 422),
            (
                "/v1/chat/completions",
                {"messages": [{"role": "user", "content": [{"type": "text", "text": "\ud800"}]}]},
                200,
            ),
        ],
    )
    def test_halves_of_surrogate_pairs(
        self, client: TestClient, path: str, body: dict[str, Any], status: int
    ) -> None:
        headers = {"content-type": "application/json"}
        for accept in ({}, SSE):
            response = client.post(path, content=json.dumps(body), headers=headers | accept)
            assert response.status_code == status, response.text
            assert "\\ud800" not in response.text


class TestDocuments:
    def test_a_document_that_is_replaced_meanwhile_is_of_one_version(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        item = client.get("/documents").json()["documents"][0]
        text, gone = Collection.text, [True, True]

        def replaced(self: Collection, document: str, version: str | None = None) -> str:
            assert version == item["version"]
            if gone:
                gone.pop()
                raise NotFound("it has changed")
            return text(self, document, version)

        monkeypatch.setattr(Collection, "text", replaced)
        body = client.get(f"/documents/{item['id']}").json()
        assert (body["version"], gone) == (item["version"], [])
        gone.extend([True] * documents._TRIES)
        assert client.get(f"/documents/{item['id']}").status_code == 404
