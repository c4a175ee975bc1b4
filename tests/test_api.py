"""The service, in process: the real ASGI application over a real collection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.errors import STATUSES
from rag import errors
from rag.workspace import Workspace
from tests.support import docs
from tests.support.fake_llm import FakeLLM

URL = "http://localhost"


@pytest.fixture
def client(saem: Workspace) -> Iterator[TestClient]:
    with TestClient(
        create_app(saem.settings), base_url=URL, raise_server_exceptions=False
    ) as client:
        yield client


def events(text: str) -> list[tuple[str, Any]]:
    out = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        out.append((lines["event"], json.loads(lines["data"])))
    return out


def test_every_error_has_a_status() -> None:
    ours = {e for e in vars(errors).values() if isinstance(e, type)}
    assert set(STATUSES) == {e for e in ours if issubclass(e, errors.RagError)} - {errors.RagError}


class TestSearch:
    def test_gives_the_documented_shape(self, client: TestClient) -> None:
        body = client.post("/search", json={"query": "black tea", "top_k": 2}).json()
        shape = {"query", "mode", "took_ms", "cached", "rewritten", "hits", "facets", "warnings"}
        assert set(body) == shape
        assert (body["cached"], body["facets"]) == (False, {})
        again = client.post("/search", json={"query": "black tea", "top_k": 2}).json()
        assert again["cached"]
        assert {**again, "cached": False, "took_ms": body["took_ms"]} == body
        assert body["hits"][0]["path"] == "en/tea.md"
        assert len(body["hits"]) == 2

    def test_takes_modes_and_filters(self, client: TestClient) -> None:
        body = {"query": "차 tea", "mode": "bm25", "filter": {"language": "ko", "path": "ko/**"}}
        found = client.post("/search", json=body).json()
        assert found["mode"] == "bm25"
        assert {h["path"] for h in found["hits"]} == {"ko/tea.md"}
        body["filter"] = "lang:ko AND path:ko/**"
        assert client.post("/search", json=body).json()["hits"] == found["hits"]

    def test_counts_facets(self, client: TestClient) -> None:
        body = {"query": "tea 차", "top_k": 1, "facets": ["language", "path"]}
        facets = client.post("/search", json=body).json()["facets"]
        assert {f["value"] for f in facets["path"]} == {"en", "ko"}
        assert all(f["count"] >= 1 for f in facets["language"])

    @pytest.mark.parametrize(
        ("body", "status", "kind"),
        [
            ({"query": ""}, 422, "BadQuery"),
            ({"query": "x" * 100_000}, 422, "BadQuery"),
            ({"query": "tea", "top_k": 0}, 422, "BadQuery"),
            ({"query": "tea", "mode": "magic"}, 422, "BadQuery"),
            ({"query": "tea", "filter": {"a": {}}}, 422, "BadQuery"),
            ({"query": "tea", "collection": "nowhere"}, 404, "CollectionMissing"),
            ({"query": "tea", "collection": "../../etc"}, 422, "BadQuery"),
            ({}, 422, "BadQuery"),
        ],
    )
    def test_says_what_is_wrong(
        self, client: TestClient, body: dict[str, Any], status: int, kind: str
    ) -> None:
        response = client.post("/search", json=body)
        assert response.status_code == status
        error = response.json()["error"]
        assert set(error) == {"type", "message", "remedy"}
        assert (error["type"], bool(error["message"])) == (kind, True)


class TestAsk:
    def test_answers_with_citations_that_resolve(self, client: TestClient) -> None:
        body = client.post("/ask", json={"question": "How is black tea made?"}).json()
        assert body["abstained"] is False
        assert body["citations"]
        for c in body["citations"]:
            url = f"/documents/{c['document']}?version={c['version']}"
            text = client.get(url).json()["text"]
            assert text[c["start"] : c["end"]] == c["quote"]

    def test_streams_hits_then_text_then_the_answer(self, saem: Workspace) -> None:
        with FakeLLM(reply="Black tea needs boiling water [1].") as fake:
            app = create_app(saem.settings.replace(llm_url=fake.url))
            with TestClient(app, base_url=URL) as client:
                response = client.post(
                    "/ask",
                    json={"question": "How is black tea made?"},
                    headers={"accept": "text/event-stream"},
                )
        assert response.headers["content-type"].startswith("text/event-stream")
        got = events(response.text)
        assert got[0][0] == "hits"
        assert {name for name, _ in got[1:-1]} == {"delta"}
        name, answer = got[-1]
        assert name == "answer"
        assert "".join(data["text"] for _, data in got[1:-1]) == answer["answer"]
        assert answer["answer"] == "Black tea needs boiling water [1]."
        assert answer["citations"][0]["path"] == "en/tea.md"

    def test_without_its_model_it_quotes_with_and_without_streaming(self, saem: Workspace) -> None:
        with FakeLLM(reply="") as fake:
            url = fake.url
        with TestClient(create_app(saem.settings.replace(llm_url=url)), base_url=URL) as client:
            body = {"question": "How is black tea made?"}
            plain = client.post("/ask", json=body).json()
            assert (plain["degraded"], plain["generator"]) == ("LLMUnavailable", "extractive")
            assert url in plain["warnings"][-1]
            assert plain["citations"]
            streamed = client.post("/ask", json=body, headers={"accept": "text/event-stream"})
            named = dict(events(streamed.text))
            assert list(named) == ["hits", "answer"]
            assert named["answer"] == plain
            ready = client.get("/readyz")
            assert ready.status_code == 503
            assert url in ready.json()["missing"][0]

    def test_a_bad_question_is_refused_before_the_stream(self, client: TestClient) -> None:
        headers = {"accept": "text/event-stream"}
        assert client.post("/ask", json={"question": " "}, headers=headers).status_code == 422


class TestDocuments:
    def test_upload_is_searchable_at_once_and_replaces_its_name(self, client: TestClient) -> None:
        files = [("files", ("coffee.md", "# Coffee\n\nEspresso is strong.", "text/markdown"))]
        body = client.post("/documents", files=files).json()
        (item,) = body["documents"]
        assert (item["path"], item["title"], body["failed"]) == ("coffee.md", "Coffee", [])
        hits = client.post("/search", json={"query": "espresso"}).json()["hits"]
        assert hits[0]["document"] == item["id"]
        files = [("files", ("../coffee.md", "# Coffee\n\nRistretto is short.", "text/markdown"))]
        assert client.post("/documents", files=files).json()["documents"][0]["id"] == item["id"]
        found = client.post("/search", json={"query": "espresso", "mode": "bm25"}).json()
        assert found["hits"] == []

    def test_folders_of_an_upload_are_kept(self, client: TestClient) -> None:
        names = ["a/index.md", "b\\index.md", "/etc/../x.md"]
        files = [("files", (n, f"# {n}\n\nText.", "text/markdown")) for n in names]
        paths = {d["path"] for d in client.post("/documents", files=files).json()["documents"]}
        assert paths == {"a/index.md", "b/index.md", "etc/x.md"}

    def test_upload_makes_a_collection(self, client: TestClient) -> None:
        files = [("files", ("a.txt", "가나다 라마바", "text/plain"))]
        client.post("/documents", files=files, data={"collection": "fresh"})
        assert {c["name"] for c in client.get("/collections").json()["collections"]} == {
            "default",
            "fresh",
        }

    def test_bad_files_are_named_and_good_ones_kept(self, client: TestClient) -> None:
        files = [
            ("files", ("bad.md", b"\x00\x01\x02" * 100, "text/markdown")),
            ("files", ("good.md", b"# Good\n\nPlatypus.", "text/markdown")),
        ]
        body = client.post("/documents", files=files).json()
        assert [f["path"] for f in body["failed"]] == ["bad.md"]
        assert [d["path"] for d in body["documents"]] == ["good.md"]

    def test_vectors_of_an_upload_follow(self, client: TestClient) -> None:
        import time

        files = [("files", ("coffee.md", "# Coffee\n\nEspresso is strong.", "text/markdown"))]
        client.post("/documents", files=files)
        deadline = time.monotonic() + 20
        while client.get("/collections").json()["collections"][0]["outstanding"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        found = client.post("/search", json={"query": "espresso", "mode": "dense"}).json()
        assert found["hits"][0]["path"] == "coffee.md"

    def test_delete(self, client: TestClient) -> None:
        items = client.get("/documents").json()["documents"]
        assert [d["path"] for d in items] == sorted(docs.FILES)
        assert client.delete(f"/documents/{items[0]['id']}").json() == {"deleted": 1}
        assert client.delete(f"/documents/{items[0]['id']}").status_code == 404
        assert client.get(f"/documents/{items[0]['id']}").status_code == 404
        assert len(client.get("/documents").json()["documents"]) == 4

    def test_a_version_that_is_gone(self, client: TestClient) -> None:
        item = client.get("/documents").json()["documents"][0]
        response = client.get(f"/documents/{item['id']}?version=old")
        assert (response.status_code, response.json()["error"]["type"]) == (404, "NotFound")

    def test_too_large_an_upload(self, saem: Workspace) -> None:
        with TestClient(create_app(saem.settings.replace(max_upload_mb=1)), base_url=URL) as client:
            files = [("files", ("big.txt", b"x " * 1_000_000, "text/plain"))]
            response = client.post("/documents", files=files)
            assert (response.status_code, response.json()["error"]["type"]) == (413, "TooLarge")
            stream = client.post("/search", content=(b" " * 100_000 for _ in range(20)))
            assert stream.status_code == 413

    def test_writing_while_another_process_does(self, client: TestClient, saem: Workspace) -> None:
        item = client.get("/documents").json()["documents"][0]
        with saem.collection().writing(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("api.routes.documents._WAIT", 0.1)
            response = client.delete(f"/documents/{item['id']}")
        assert (response.status_code, response.json()["error"]["type"]) == (409, "CollectionLocked")


class TestService:
    def test_health_and_readiness(self, client: TestClient) -> None:
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/readyz").json() == {"ready": True, "missing": []}

    def test_ready_without_models_but_what_is_missing_is_said(
        self, saem: Workspace, tmp_path: Path
    ) -> None:
        bare = saem.settings.replace(llm="smollm2", cache=tmp_path / "empty")
        with TestClient(create_app(bare), base_url="http://localhost") as client:
            response = client.get("/readyz")
            assert (response.status_code, response.json()["ready"]) == (200, True)
            assert "rag models pull" in response.json()["missing"][0]

    def test_not_ready_without_documents(self, tmp_path: Path) -> None:
        with TestClient(create_app(docs.settings(tmp_path / "none")), base_url=URL) as client:
            response = client.get("/readyz")
            assert response.status_code == 503
            assert "rag index" in response.json()["missing"][0]

    def test_the_page_and_its_parts(self, client: TestClient) -> None:
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        for name in ("app.js", "style.css"):
            assert f"static/{name}" in page.text
            assert client.get(f"/static/{name}").status_code == 200
        assert client.get("/static/../app.py").status_code == 404

    def test_unknown_paths_have_the_same_shape(self, client: TestClient) -> None:
        response = client.get("/nowhere")
        assert (response.status_code, response.json()["error"]["type"]) == (404, "NotFound")

    def test_a_damaged_index_is_named(self, saem: Workspace) -> None:
        for file in (saem.settings.home / "collections/default/segments").rglob("codes.npy"):
            file.write_bytes(b"\0" * file.stat().st_size)
        with TestClient(create_app(saem.settings), base_url="http://localhost") as client:
            response = client.post("/search", json={"query": "tea"})
        assert response.status_code == 500
        assert response.json()["error"]["type"] == "CorruptIndex"
        assert "codes.npy" in response.json()["error"]["message"]

    def test_a_damaged_collection_hides_no_other(self, client: TestClient, saem: Workspace) -> None:
        damaged = saem.settings.home / "collections/damaged"
        damaged.mkdir()
        (damaged / "catalog.sqlite").write_bytes(b"no database" * 100)
        body = client.get("/collections").json()
        assert [c["name"] for c in body["collections"]] == ["default"]
        ((name, error),) = [f.values() for f in body["failed"]]
        assert (name, "catalog.sqlite is damaged" in error) == ("damaged", True)

    def test_openapi_describes_every_route(self, client: TestClient) -> None:
        paths = client.get("/openapi.json").json()["paths"]
        assert {"/search", "/ask", "/documents", "/v1/chat/completions", "/readyz"} <= set(paths)
        for path, operations in paths.items():
            for operation in operations.values():
                assert operation.get("description"), path


class TestForeignPages:
    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:8080", 200),
            ("saem.localhost", 200),
            ("127.0.0.1:8080", 200),
            ("[::1]:8080", 200),
            ("192.168.0.7", 200),
            ("evil.example:8080", 403),
            ("testserver", 403),
            ("127.0.0.1.evil.example", 403),
            ("localhost.evil.example", 403),
            ("[", 403),
            ("", 403),
        ],
    )
    def test_names_that_the_service_goes_by(
        self, client: TestClient, host: str, status: int
    ) -> None:
        headers = {"host": host, "origin": f"http://{host}"}
        assert client.post("/search", json={"query": "tea"}, headers=headers).status_code == status
        assert client.get("/documents", headers={"host": host}).status_code == status

    def test_an_open_service_goes_by_any_name(self, saem: Workspace) -> None:
        with TestClient(create_app(saem.settings.replace(host="0.0.0.0"))) as client:
            assert client.get("/documents", headers={"host": "docs.example"}).status_code == 200
            foreign = {"host": "docs.example", "origin": "http://evil.example"}
            assert client.post("/search", json={}, headers=foreign).status_code == 403

    @pytest.mark.parametrize("origin", ["http://[", "null", "https://evil.example"])
    def test_origins(self, client: TestClient, origin: str) -> None:
        response = client.post("/search", json={"query": "tea"}, headers={"origin": origin})
        assert (response.status_code, response.json()["error"]["type"]) == (403, "NotAllowed")
        files = [("files", ("evil.md", "# Evil\n\nPoison.", "text/markdown"))]
        assert client.post("/documents", files=files, headers={"origin": origin}).status_code == 403
        assert client.post("/documents", files=files, headers={"origin": URL}).status_code == 200
