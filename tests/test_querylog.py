"""The query log: what a question and a vote leave in it, by value."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import querylog
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.querylog import ASK, HEADER, WAYS, lines, make, search, vote

UPLOAD = [("files", ("kiln.md", "# Kiln\n\nThe kiln burns at 1240 degrees.", "text/markdown"))]


@pytest.fixture
def client(saem: Workspace) -> Iterator[TestClient]:
    with make(saem.settings.replace(query_log=True)) as client:
        yield client


@pytest.fixture
def file(saem: Workspace) -> Path:
    return saem.folder / "default" / "query-log.jsonl"


def places(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: hit[key] for key in ("path", "start", "end", "score")} for hit in hits]


def just_now(time: str) -> bool:
    then = datetime.fromisoformat(time)
    assert then.utcoffset() == timedelta(0)
    return timedelta(0) <= datetime.now(then.tzinfo) - then < timedelta(minutes=1)


class TestQuestions:
    def test_none_is_kept_unless_the_log_is_on(self, saem: Workspace, file: Path) -> None:
        with make(saem.settings) as client:
            for path, body, headers in [("/search", {"query": "tea"}, {}), *WAYS]:
                response = client.post(path, json=body, headers=headers)
                assert response.status_code == 200
                assert HEADER not in response.headers
            status, kind, message = vote(client, id="0" * 16, vote=1)
            assert (status, kind, "query_log" in message) == (409, "ConfigError", True)
        assert not file.exists()

    def test_a_search(self, client: TestClient, file: Path) -> None:
        body = {"query": " 홍차 black tea\u2028", "mode": "bm25", "top_k": 3}
        response = client.post("/search", json=body)
        found = response.json()
        (line,) = lines(file)
        assert just_now(line.pop("time"))
        assert re.fullmatch("[0-9a-f]{16}", line["id"])
        assert line == {
            "type": "query",
            "id": response.headers[HEADER],
            "kind": "search",
            "collection": "default",
            "question": "홍차 black tea",
            "mode": "bm25",
            "hits": places(found["hits"]),
            "answer": None,
            "abstained": None,
            "cited": [],
            "took_ms": found["took_ms"],
        }
        assert {hit["path"] for hit in line["hits"]} == {"en/tea.md", "ko/tea.md"}
        assert "홍차" in file.read_text("utf-8")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    @pytest.mark.parametrize(("path", "body", "headers"), WAYS)
    def test_an_answer(
        self,
        saem: Workspace,
        file: Path,
        path: str,
        body: dict[str, Any],
        headers: dict[str, str],
    ) -> None:
        reply = "Green tea is brewed at 80 degrees [1]."
        with FakeLLM(reply=reply) as fake:
            settings = saem.settings.replace(llm_url=fake.url, query_log=True, context_tokens=60)
            with make(settings) as client:
                response = client.post(path, json=body, headers=headers)
                plain = client.post("/ask", json=ASK).json()
        line, again = lines(file)
        assert (line["id"], line["kind"]) == (response.headers[HEADER], "ask")
        assert line["id"] != again["id"]
        assert (line["question"], line["mode"]) == ("How is black tea made?", "hybrid")
        assert (line["answer"], line["abstained"], line["took_ms"] > 0) == (reply, False, True)
        assert line["hits"] == places(plain["hits"])
        assert [line["hits"][i]["path"] for i in line["cited"]] == ["en/tea.md"]

    def test_quotes_of_several_hits(self, client: TestClient, file: Path) -> None:
        answer = client.post("/ask", json=ASK | {"top_k": 5}).json()
        (line,) = lines(file)
        assert line["answer"] == answer["answer"]
        cited = {(c["path"], c["start"], c["end"]) for c in answer["citations"]}
        held = {p for p, *_ in cited}
        assert {line["hits"][i]["path"] for i in line["cited"]} == held
        assert line["cited"] == sorted({c["n"] - 1 for c in answer["citations"]})

    def test_a_refusal(self, client: TestClient, file: Path) -> None:
        answer = client.post("/ask", json={"question": "Who walked on the moon?"}).json()
        (line,) = lines(file)
        assert answer["abstained"] is True
        assert (line["abstained"], line["cited"]) == (True, [])
        assert line["answer"] == answer["answer"]

    @pytest.mark.parametrize(("path", "body", "headers"), WAYS)
    def test_without_its_model_it_keeps_what_was_quoted_and_a_failure_leaves_no_line(
        self,
        saem: Workspace,
        file: Path,
        path: str,
        body: dict[str, Any],
        headers: dict[str, str],
    ) -> None:
        with FakeLLM(mode="refused") as fake:
            settings = saem.settings.replace(llm_url=fake.url, query_log=True)
            with make(settings) as client:
                client.post(path, json=body, headers=headers)
                assert HEADER not in client.post("/search", json={"query": ""}).headers
        (line,) = lines(file)
        assert (line["kind"], line["abstained"], bool(line["cited"])) == ("ask", False, True)

    def test_a_collection_has_its_own_and_takes_it_along(
        self, client: TestClient, saem: Workspace, file: Path
    ) -> None:
        client.post("/documents", files=UPLOAD, data={"collection": "clay"})
        asked = search(client, "kiln", collection="clay")
        (line,) = lines(saem.folder / "clay" / "query-log.jsonl")
        assert (line["id"], line["collection"]) == (asked, "clay")
        assert not file.exists()
        assert vote(client, id=asked, vote=1)[:2] == (404, "NotFound")
        assert vote(client, id=asked, vote=1, collection="clay")[0] == 204
        shutil.rmtree(saem.folder / "clay")
        client.post("/documents", files=UPLOAD, data={"collection": "clay"})
        assert not (saem.folder / "clay" / "query-log.jsonl").exists()
        assert vote(client, id=asked, vote=1, collection="clay")[:2] == (404, "NotFound")


class TestVotes:
    def test_are_kept_in_order(self, client: TestClient, file: Path) -> None:
        asked = search(client, top_k=2)
        given = [(1, None), (-1, 0), (1, 1), (0, None)]
        for value, hit in given:
            assert vote(client, id=asked, vote=value, hit=hit) == (204, "", "")
        _, *kept = lines(file)
        assert all(just_now(line.pop("time")) for line in kept)
        assert kept == [{"type": "vote", "id": asked, "vote": v, "hit": h} for v, h in given]

    @pytest.mark.parametrize(
        ("body", "status", "kind", "said"),
        [
            ({"vote": 1, "hit": 2}, 422, "BadQuery", "2 hits"),
            ({"vote": 1, "hit": -1}, 422, "BadQuery", "-1"),
            ({"vote": 2}, 422, "BadQuery", "vote"),
            ({"vote": 1, "hit": True}, 422, "BadQuery", "hit"),
            ({"vote": 1, "hit": "1"}, 422, "BadQuery", "hit"),
            ({"vote": 1, "hit": 1.0}, 422, "BadQuery", "hit"),
            ({"vote": True}, 422, "BadQuery", "vote"),
            ({"vote": "1"}, 422, "BadQuery", "vote"),
            ({"vote": None}, 422, "BadQuery", "vote"),
            ({"vote": 1, "id": "0" * 16}, 404, "NotFound", f"'{'0' * 16}'"),
            ({"vote": 1, "id": "query"}, 422, "BadQuery", "id"),
            ({"vote": 1, "id": "0" * 16 + "\n"}, 422, "BadQuery", "id"),
            ({"vote": 1, "id": "A" * 16}, 422, "BadQuery", "id"),
            ({"vote": 1, "id": "\ud800"}, 422, "BadQuery", "id"),
            ({"vote": 1, "collection": "nowhere"}, 404, "CollectionMissing", "nowhere"),
            ({"vote": 1, "collection": "../default"}, 422, "BadQuery", "../default"),
            ({}, 422, "BadQuery", "vote"),
        ],
    )
    def test_bad_ones_are_refused_and_not_kept(
        self,
        client: TestClient,
        file: Path,
        body: dict[str, Any],
        status: int,
        kind: str,
        said: str,
    ) -> None:
        sent = json.dumps({"id": search(client, top_k=2)} | body)
        response = client.post("/votes", content=sent, headers={"content-type": "application/json"})
        error = response.json()["error"]
        assert (response.status_code, error["type"]) == (status, kind)
        assert said in error["message"]
        assert len(lines(file)) == 1

    def test_outlast_a_restart_but_reach_back_only_so_far(
        self, saem: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = saem.settings.replace(query_log=True)
        with make(settings) as client:
            first, second = search(client), search(client, "origin")
        with make(settings) as client:
            assert vote(client, id=first, vote=1)[0] == 204
            monkeypatch.setattr(querylog, "TAIL_BYTES", file.stat().st_size - 1)
            assert vote(client, id=first, vote=-1)[:2] == (404, "NotFound")
            assert vote(client, id=second, vote=-1)[0] == 204
        assert [(x["id"], x["vote"]) for x in lines(file)[2:]] == [(first, 1), (second, -1)]
