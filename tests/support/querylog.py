"""A query log as its readers see it, and a service that keeps one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from rag.settings import Settings

HEADER = "x-saem-query"
ASK = {"question": "  How is black tea made? "}
CHAT = {"model": "saem", "messages": [{"role": "user", "content": ASK["question"]}]}
WAYS = [
    ("/ask", ASK, {}),
    ("/ask", ASK, {"accept": "text/event-stream"}),
    ("/v1/chat/completions", CHAT, {}),
    ("/v1/chat/completions", CHAT | {"stream": True}, {}),
]
"""Path, body and headers of everything that answers a question."""


def make(settings: Settings) -> TestClient:
    app = create_app(settings)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def lines(file: Path) -> list[dict[str, Any]]:
    """What a log holds, which is whole lines and nothing else."""
    data = file.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def search(client: TestClient, query: str = "tea", **more: object) -> str:
    """The name of a search in the log."""
    response = client.post("/search", json={"query": query} | more)
    return str(response.headers[HEADER])


def vote(client: TestClient, **body: object) -> tuple[int, str, str]:
    """The status, and what an error says."""
    response = client.post("/votes", json=body)
    error = response.json()["error"] if response.content else {"type": "", "message": ""}
    return response.status_code, error["type"], error["message"]
