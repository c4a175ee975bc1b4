"""The OpenAPI document says what comes back, errors too; a body of a wrong shape is explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.support import docs


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(create_app(docs.settings(tmp_path / "home")), base_url="http://localhost")


@pytest.fixture
def described(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_errors_are_described_in_the_shape_that_they_have(described: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for path, operations in described["paths"].items():
        if path in ("/healthz", "/readyz"):
            continue
        shape = "OpenAIErrorJson" if path.startswith("/v1/") else "ErrorJson"
        for operation in operations.values():
            schema = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{shape}"}, path


def test_an_error_has_the_described_fields(client: TestClient, described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    ours = client.post("/search", json={}).json()["error"]
    assert list(ours) == schemas["ErrorBody"]["required"]
    openai = client.post("/v1/chat/completions", json={}).json()["error"]
    assert sorted(openai) == sorted(schemas["OpenAIErrorBody"]["required"])


def test_an_answer_as_events_and_a_service_that_is_not_ready_are_described(
    described: dict[str, Any],
) -> None:
    asked = described["paths"]["/ask"]["post"]["responses"]["200"]["content"]
    assert list(asked) == ["application/json", "text/event-stream"]
    assert "503" in described["paths"]["/readyz"]["get"]["responses"]


@pytest.mark.parametrize("wrong", [5, True, ["lang:ko", 1], [["lang:ko"]]])
def test_a_filter_of_a_wrong_type_is_told_what_it_can_be(client: TestClient, wrong: object) -> None:
    response = client.post("/search", json={"query": "tea", "filter": wrong})
    assert response.status_code == 422
    said = "filter: give an expression, a list of them, or an object of fields and values"
    assert response.json()["error"]["message"] == said
