"""The service under load: ``rag serve`` beside the library in process and FastAPI saying hello.

``python -m eval.bench.http --json http.json``

The same questions over the same collection; sizes are numbers of clients, each of which sends its
next question when it has its answer. Client and server share the machine's cores. The library
is asked from as many threads; the bare FastAPI application answers every request with a constant,
which is what HTTP itself costs. `/ask` quotes, without a language model; as it takes far longer, it
gets a fifth of the questions. A refusal for load counts as an error and not as an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from eval.bench.harness import Bench, Contender, Worker, main
from rag.errors import RagError, SourceError
from rag.settings import Settings
from rag.workspace import Workspace

KINDS = ("hybrid", "bm25", "ask")
_DOCS = Path(__file__).parents[2] / "docs"
_SECONDS_TO_START = 120.0
_WORDS_ASKED = 8
_SERVE = [sys.executable, "-m", "rag.cli", "serve", "--port", "0", "--llm", "none", "--json"]
_HELLO = [sys.executable, "-c", "from eval.bench.http import serve_hello; serve_hello()"]

Outcome = tuple[float, bool]
"""Milliseconds that a request took, and whether it was answered."""


@dataclass(frozen=True, slots=True)
class Service:
    """A server of ours and its process id."""

    url: str
    pid: int

    def memory_mb(self) -> float:
        """Its resident memory now, in MB (2**20 bytes); 0 where there is no ``/proc``."""
        status = Path(f"/proc/{self.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        found = [line.split()[1] for line in lines if line.startswith("VmRSS")]
        return int(found[0]) / 1024 if found else 0.0


@contextmanager
def service(command: Sequence[str], log: Path) -> Iterator[Service]:
    """A server while it is needed; it prints ``{"url": …}`` once it listens.

    Raises
    ------
    RuntimeError
        It ended, or does not answer in time.
    """
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - commands of ours
            command, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"the server did not start: {log.read_text()[-500:]}")
        found = Service(json.loads(line)["url"], process.pid)
        _wait(found.url)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            if httpx.post(f"{url}/search", json={"query": "warm up"}, timeout=60).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        time.sleep(0.1)
    raise RuntimeError(f"the server does not answer within {_SECONDS_TO_START:.0f} s")


def share(kind: str, asked: Sequence[str]) -> Sequence[str]:
    """The questions of one load."""
    return asked[: -(-len(asked) // 5)] if kind == "ask" else asked


def request(kind: str, question: str) -> tuple[str, dict[str, str]]:
    """Path and body of a request."""
    if kind == "ask":
        return "/ask", {"question": question}
    return "/search", {"query": question, "mode": kind}


async def over_http(url: str, kind: str, questions: Sequence[str], clients: int) -> list[Outcome]:
    """What became of every question, asked by ``clients`` at once."""
    left = iter(questions)
    outcomes: list[Outcome] = []

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=120) as http:
            for question in left:
                path, body = request(kind, question)
                started = time.perf_counter()
                try:
                    answered = (await http.post(path, json=body)).is_success
                except httpx.HTTPError:
                    answered = False
                outcomes.append((1000 * (time.perf_counter() - started), answered))

    await asyncio.gather(*(client() for _ in range(clients)))
    return outcomes


class Library:
    """The same questions to ``Searcher`` and ``Answerer``, in a process of its own."""

    def __init__(self, home: str) -> None:
        self._saem = Workspace(Settings.load(home=Path(home), llm="none"))
        self._one("hybrid", "warm up")

    def ask(self, kind: str, questions: Sequence[str], clients: int) -> tuple[list[Outcome], float]:
        """What became of every question, and the seconds all took."""
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            outcomes = list(pool.map(partial(self._one, kind), questions))
        return outcomes, time.perf_counter() - started

    def close(self) -> None:
        self._saem.close()

    def _one(self, kind: str, question: str) -> Outcome:
        started = time.perf_counter()
        try:
            if kind == "ask":
                self._saem.answerer().ask(question)
            else:
                self._saem.searcher().search(question, mode="bm25" if kind == "bm25" else "hybrid")
            answered = True
        except RagError:
            answered = False
        return 1000 * (time.perf_counter() - started), answered


def figures(kind: str, outcomes: Sequence[Sequence[float]], seconds: float) -> dict[str, float]:
    """Metrics of one load; times and rates are those of the requests that were answered."""
    times = [milliseconds for milliseconds, answered in outcomes if answered]
    found = {f"{kind} errors": float(len(outcomes) - len(times))}
    if times:
        p50, p95, p99 = np.quantile(times, (0.5, 0.95, 0.99)).tolist()
        found |= {f"{kind} p50_ms": p50, f"{kind} p95_ms": p95, f"{kind} p99_ms": p99}
    return found | {f"{kind} per_s": len(times) / seconds}


def questions(saem: Workspace, count: int) -> list[str]:
    """Runs of words of the collection's own passages, ``count`` different ones at most.

    Raises
    ------
    SourceError
        It holds no text.
    """
    collection = saem.collection()
    runs: dict[str, None] = {}
    for known in collection.documents():
        words = collection.text(known.id).split()
        starts = range(0, max(len(words) - _WORDS_ASKED, 1), _WORDS_ASKED)
        runs |= dict.fromkeys(" ".join(words[at : at + _WORDS_ASKED]) for at in starts)
    usable = [run for run in runs if any(c.isalnum() for c in run)]
    if not usable:
        raise SourceError(str(collection.path), "holds no text to ask for")
    order = np.random.default_rng(0).permutation(len(usable))[:count]
    return [usable[i] for i in order]


def serve_hello() -> None:
    """The floor: an application that answers every request of ours with a constant."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/search")
    @app.post("/ask")
    def hello(body: dict[str, str]) -> dict[str, str]:
        return {"hello": "world"}

    # The protocol is named, as asyncio else leaves Nagle's algorithm on: 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sys.stdout.write(json.dumps({"url": url}) + "\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def body(bench: Bench) -> None:
    threads = str(bench.args.threads)
    os.environ |= {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    with TemporaryDirectory() as folder, ExitStack() as held:
        home = Path(folder) / "home"
        saem = Workspace(Settings.load(home=home, llm="none"))
        saem.sync([bench.args.docs])
        note = saem.encode()
        status = saem.collection().status()
        asked = questions(saem, bench.args.requests)
        saem.close()
        bench.corpus |= {
            "source": bench.args.docs.name,
            "documents": status.documents,
            "passages": status.passages,
            "encoder": status.encoder or "none",
            "questions": len(asked),
            "note": f"sizes are numbers of clients; {threads} threads a model. {note}".strip(),
        }
        commands = {"saem": [*_SERVE, "--home", str(home)], "bare FastAPI hello": _HELLO}
        asking: dict[str, Callable[[int], dict[str, float]]] = {}
        for name, command in commands.items():
            if bench.wants(name):
                server = held.enter_context(service(command, Path(folder) / "server.log"))
                asking[name] = partial(_served, server, asked)
        if bench.wants(name := "saem (library)"):
            worker = held.enter_context(Worker(Library, str(home)))
            asking[name] = partial(_called, worker, asked)
        for clients in bench.sizes:
            bench.measure(clients, [Contender(n, partial(f, clients)) for n, f in asking.items()])


def _served(server: Service, asked: Sequence[str], clients: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind in KINDS:
        started = time.perf_counter()
        outcomes = asyncio.run(over_http(server.url, kind, share(kind, asked), clients))
        found |= figures(kind, outcomes, time.perf_counter() - started)
    return found | {"memory_mb": server.memory_mb()}


def _called(worker: Worker, asked: Sequence[str], clients: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind in KINDS:
        outcomes, seconds = worker.call("ask", kind, list(share(kind, asked)), clients)
        found |= figures(kind, outcomes, seconds)
    return found | {"memory_mb": worker.rss_mb()}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--docs", type=Path, default=_DOCS, help="folder that is indexed")
    parser.add_argument("--requests", type=int, default=100, help="a repetition; "
                        "more than Saem remembers: 64")  # fmt: skip
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with this
    sys.exit(
        main(
            "The HTTP service beside the library and bare FastAPI.",
            "",
            body,
            sizes=(1, 4, 16),
            repetitions=3,
            arguments=_options,
        )
    )
