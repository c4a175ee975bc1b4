"""The query log with many writers, and where it cannot be written."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api import querylog
from rag.workspace import Workspace
from tests.support.querylog import HEADER, WAYS, lines, make, search, vote

NOT_KEPT = (503, "Overloaded", "the vote could not be kept")


def is_stream(response: httpx.Response) -> bool:
    """Whether its headers were sent before the question's line could be written."""
    return response.headers["content-type"].startswith("text/event-stream")


@pytest.fixture
def client(saem: Workspace) -> Iterator[TestClient]:
    with make(saem.settings.replace(query_log=True)) as client:
        yield client


@pytest.fixture
def file(saem: Workspace) -> Path:
    return saem.folder / "default" / "query-log.jsonl"


class TestTrouble:
    @pytest.mark.parametrize("kind", ["full", "folder"])
    def test_a_log_that_cannot_be_written_fails_no_question(
        self, client: TestClient, file: Path, caplog: pytest.LogCaptureFixture, kind: str
    ) -> None:
        before = search(client)
        file.rename(kept := file.with_name("kept.jsonl"))
        if kind == "full":
            file.symlink_to("/dev/full")
        else:
            file.mkdir()
        for path, body, headers in [("/search", {"query": "tea"}, {}), *WAYS]:
            response = client.post(path, json=body, headers=headers)
            assert response.status_code == 200
            assert (HEADER in response.headers) is is_stream(response)
        status, name, message = vote(client, id=before, vote=1)
        assert (status, name) == ((404, "NotFound") if kind == "full" else (503, "Overloaded"))
        assert str(file) not in message
        assert client.get("/readyz").json() == {"ready": True, "missing": []}
        told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
        assert told[0].startswith("questions to collection 'default' are not logged: ")
        assert len([x for x in told if x.startswith("questions")]) == 1
        _ = file.unlink() if kind == "full" else file.rmdir()
        kept.rename(file)
        asked = search(client)
        assert [line["id"] for line in lines(file)] == [before, asked]

    def test_a_vote_that_cannot_be_written_is_no_success(
        self, client: TestClient, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = search(client)

        write = os.write

        def full(descriptor: int, data: bytes) -> int:
            return write(descriptor, data[:9])

        with monkeypatch.context() as patch:
            patch.setattr("api.querylog.os.write", full)
            assert vote(client, id=asked, vote=1) == NOT_KEPT
        assert [line["id"] for line in lines(file)] == [asked]

    def test_a_torn_line_spoils_no_other(self, client: TestClient, file: Path) -> None:
        first = search(client)
        with file.open("ab") as opened:
            opened.write(b'{"type": "query", "id": "%s", "hi' % first.encode())
        assert vote(client, id=first, vote=1)[0] == 204
        whole, torn, after, end = file.read_bytes().split(b"\n")
        assert (json.loads(whole)["id"], torn[-3:], end) == (first, b'"hi', b"")
        assert json.loads(after)["vote"] == 1

    def test_one_that_somebody_else_has_locked_holds_up_no_question(
        self, client: TestClient, file: Path
    ) -> None:
        before = search(client)
        assert querylog._TRIES * querylog._PAUSE <= 1
        with file.open("rb") as other, ThreadPoolExecutor(1) as pool:
            fcntl.flock(other, fcntl.LOCK_EX)
            try:
                for path, body, headers in [("/search", {"query": "tea"}, {}), *WAYS]:
                    asking = pool.submit(client.post, path, json=body, headers=headers)
                    response = asking.result(timeout=30)
                    assert response.status_code == 200
                    assert (HEADER in response.headers) is is_stream(response)
                assert pool.submit(vote, client, id=before, vote=1).result(timeout=30) == NOT_KEPT
            finally:
                fcntl.flock(other, fcntl.LOCK_UN)
        after = search(client)
        assert [line["id"] for line in lines(file)] == [before, after]

    @pytest.mark.parametrize(
        "line",
        [
            '["{id}"]',
            '"{id}"',
            '{"x": "{id}"}',
            '{"type": "query", "id": "{id}"}',
            '{"type": "query", "id": "{id}", "hits": 3}',
            '{"type": ["query"], "id": {"{id}": 1}}',
        ],
    )
    def test_an_odd_line_spoils_no_other(self, client: TestClient, file: Path, line: str) -> None:
        asked = search(client, top_k=2)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(line.replace("{id}", asked) + "\n")
        assert vote(client, id=asked, vote=1, hit=1)[0] == 204
        assert vote(client, id=asked, vote=1, hit=2)[:2] == (422, "BadQuery")
        *_, voted = lines(file)
        assert (voted["id"], voted["vote"], voted["hit"]) == (asked, 1, 1)


PROGRAM = """
import resource, sys
from pathlib import Path
from api.querylog import QueryLog
from rag.settings import Settings
from rag.workspace import Workspace

home, name, count, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
log = QueryLog(Workspace(Settings.load(home=Path(home), query_log=True)))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(count)):
    record = {"name": name, "n": n, "text": name * (997 * n % 30000)}
    while not log.keep("default", record) and not int(limit):
        pass  # the others have kept it locked
"""


def write(home: Path, names: str, count: int, limit: int = 0) -> None:
    """Write `count` lines into the default collection's log from a process for each name."""
    running = []
    for name in names:
        command = [sys.executable, "-c", PROGRAM, str(home), name, str(count), str(limit)]
        running.append(
            subprocess.Popen(
                command,
                cwd=Path(__file__).parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        )
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:  # now all at once
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode == 0


class TestManyWriters:
    def test_processes_tear_no_line(self, saem: Workspace, file: Path) -> None:
        write(saem.settings.home, "가b🪶", 200)
        written = lines(file)
        for name in "가b🪶":
            own = [line for line in written if line["name"] == name]
            assert [line["n"] for line in own] == list(range(200))
            assert all(line["text"] == name * (997 * line["n"] % 30000) for line in own)
        assert len(written) == 600

    def test_a_file_that_may_not_grow_holds_whole_lines(self, saem: Workspace, file: Path) -> None:
        write(saem.settings.home, "x", 200, limit=100_000)
        written = [line["n"] for line in lines(file)]
        assert written[:10] == list(range(10))
        assert 10 < len(written) < 200
        assert 90_000 < file.stat().st_size <= 100_000

    def test_threads_of_a_service(self, client: TestClient, file: Path) -> None:
        def use(n: int) -> tuple[str, int]:
            asked = search(client, f"tea {n}", top_k=2)
            assert vote(client, id=asked, vote=1, hit=n % 2)[0] == 204
            return asked, n

        with ThreadPoolExecutor(8) as pool:
            asked = dict(pool.map(use, range(64)))
        assert len(asked) == 64
        written = lines(file)
        queries = {x["id"]: x["question"] for x in written if x["type"] == "query"}
        assert queries == {id_: f"tea {n}" for id_, n in asked.items()}
        votes = {x["id"]: x["hit"] for x in written if x["type"] == "vote"}
        assert votes == {id_: n % 2 for id_, n in asked.items()}
        assert len(written) == 128
