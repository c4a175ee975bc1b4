"""`/readyz` tells of settings by which no question can be answered; the service still starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from rag.errors import DependencyMissing
from rag.workspace import Workspace
from tests.support import docs

URL = "http://localhost"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    saem = Workspace(docs.settings(tmp_path / "home"))
    docs.index(saem, docs.write(tmp_path / "docs"))
    saem.close()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("rerank", "cross-encoder", "rerank_model"),
        ("rerank", "listwise", "needs a language model"),
        ("prompts", "/none/such", "there is no folder /none/such of prompts"),
        ("program", "guessing", "there is no program 'guessing'"),
        ("persona", "pirate", "there is no persona 'pirate'"),
        ("entailment", "/none/judge", "/none/judge"),
        ("boosts", ("twice",), "'twice' is no boost"),
    ],
)
def test_not_ready_by_settings_that_fail_every_question(
    home: Path, name: str, value: str, says: str
) -> None:
    settings = docs.settings(home, **{name: value})
    with TestClient(create_app(settings), base_url=URL) as client:
        failed = client.post("/ask", json={"question": "How is black tea made?"})
        assert failed.status_code in (409, 422, 503)
        assert says in failed.text
        ready = client.get("/readyz")
        assert ready.status_code == 503
        (missing,) = ready.json()["missing"]
        assert says in missing


def test_vllm_that_is_not_installed_leaves_a_service_that_quotes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(self: Workspace) -> None:
        raise DependencyMissing("vllm", "gpu")

    monkeypatch.setattr(Workspace, "llm", lacking)
    settings = docs.settings(home, llm="vllm:some/model")
    with TestClient(create_app(settings), base_url=URL) as client:
        answer = client.post("/ask", json={"question": "How is black tea made?"}).json()
        assert (answer["generator"], bool(answer["citations"])) == ("extractive", True)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        assert "saem[gpu]" in ready.json()["missing"][0]
