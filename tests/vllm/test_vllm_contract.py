"""What the language model's client promises, kept by a real vLLM that serves the default model.

`make test-vllm` installs vLLM, converts the model and names it here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rag.answer.endpoint import HttpLLM
from rag.answer.vllm import ServedVLLM
from rag.errors import BadQuery, LLMTimeout, LLMUnavailable
from rag.types import Message

MODEL = os.environ.get("SAEM_VLLM_MODEL", "")
pytestmark = pytest.mark.skipif(not MODEL, reason="needs vLLM: run `make test-vllm`")
SYSTEM = Message("system", "Answer in one short sentence.")
PARIS = [SYSTEM, Message("user", "What is the capital of France?")]
STORY = [Message("user", "Write a very long story about a fox.")]


@dataclass(frozen=True)
class Server:
    """A vLLM that answers, and the seconds that it took to."""

    llm: ServedVLLM
    started_s: float

    @property
    def client(self) -> HttpLLM:
        return self.llm._running()

    def metric(self, name: str) -> float:
        """The sum of a metric's series."""
        text = httpx.get(self.client._at.url.replace("/v1", "/metrics"), timeout=10).text
        values = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name)]
        assert values, f"no metric {name}"
        return sum(map(float, values))

    def idle(self) -> bool:
        return self.metric("vllm:num_requests_running{") == 0


def wait_until_idle(server: Server) -> float:
    """Seconds until vLLM generates nothing; 60 at most."""
    started = time.monotonic()
    while not server.idle() and time.monotonic() - started < 60:
        time.sleep(0.1)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = time.monotonic()
    arguments = (
        "--enforce-eager --dtype bfloat16 --structured-outputs-config.backend guidance "
        "--structured-outputs-config.disable_any_whitespace true"
    )
    llm = ServedVLLM(MODEL, arguments, timeout=120)
    llm.count("a")
    yield Server(llm, time.monotonic() - started)
    llm.close()


def test_it_says_what_it_is(server: Server) -> None:
    server.llm.ready()
    assert (server.llm.name, server.llm.context_tokens) == (MODEL, 8192)


def test_streams_the_same_reply_each_time(server: Server) -> None:
    pieces = list(server.llm.stream(PARIS, max_tokens=40))
    assert "".join(pieces) == "The capital of France is Paris."
    assert len(pieces) > 3
    assert list(server.llm.stream(PARIS, max_tokens=40)) == pieces


def test_max_tokens_and_stop(server: Server) -> None:
    assert "".join(server.llm.stream(PARIS, max_tokens=3)) == "The capital of"
    assert "".join(server.llm.stream(PARIS, max_tokens=40, stop=[" France"])) == "The capital of"


def test_a_schema_guides_the_reply(server: Server) -> None:
    cities = ["Rome", "Paris", "Tokyo"]
    schema = {
        "type": "object",
        "properties": {"city": {"enum": cities}, "sure": {"type": "boolean"}},
        "required": ["city", "sure"],
        "additionalProperties": False,
    }
    asked = [Message("user", "Tell me a joke about the capital of France.")]
    said = json.loads("".join(server.llm.stream(asked, max_tokens=60, schema=schema)))
    assert set(said) == {"city", "sure"}
    assert said["city"] in cities
    assert isinstance(said["sure"], bool)


def test_counts_by_the_models_tokenizer(server: Server) -> None:
    texts = ["", "Hello, world!", "2024", "안녕"]
    assert [server.llm.count(text) for text in texts] == [0, 4, 4, 6]


def test_prompt_beyond_the_window(server: Server) -> None:
    with pytest.raises(BadQuery, match="longer than the window"):
        list(server.llm.stream([Message("user", "fox " * 9000)], max_tokens=5))


def test_closing_stops_the_generation(server: Server) -> None:
    before = server.metric("vllm:generation_tokens_total{")
    pieces = server.llm.stream(STORY, max_tokens=4000)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert wait_until_idle(server) < 60
    assert server.metric("vllm:generation_tokens_total{") - before < 1000


def test_the_deadline_stops_the_generation(server: Server) -> None:
    said: list[str] = []
    with pytest.raises(LLMTimeout, match="within 3 s"):
        said.extend(server.llm.stream(STORY, max_tokens=4000, seconds=3))
    assert len("".join(said)) > 10
    assert wait_until_idle(server) < 60


def test_threads_get_their_own_answers(server: Server) -> None:
    def ask(country: str) -> str:
        messages = [SYSTEM, Message("user", f"What is the capital of {country}?")]
        return "".join(server.llm.stream(messages, max_tokens=30))

    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(ask, ["France", "Italy", "Japan"]))
    assert [w in r for w, r in zip(["Paris", "Rome", "Tokyo"], replies, strict=True)] == [True] * 3


def test_a_prompt_that_begins_alike_is_not_read_again(server: Server) -> None:
    rules = Message("system", "Answer from the passages alone, and cite each. " * 40)
    before = server.metric("vllm:prefix_cache_hits_total{")
    for question in ("Who?", "When?"):
        list(server.llm.stream([rules, Message("user", question)], max_tokens=2))
    assert server.metric("vllm:prefix_cache_hits_total{") - before >= 256


def test_another_key_is_refused(server: Server) -> None:
    stranger = HttpLLM(server.client._at.url, MODEL, "guessed", timeout=10)
    with pytest.raises(LLMUnavailable, match="HTTP 401"):
        list(stranger.stream(PARIS, max_tokens=5))


def test_figures(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is judged here: what ``eval/LOG.md`` quotes."""
    started = time.perf_counter()
    pieces = server.llm.stream(STORY, max_tokens=200)
    next(pieces)
    first = time.perf_counter() - started
    text = "".join(pieces)
    alone = (server.llm.count(text) - 1) / (time.perf_counter() - started - first)
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        chats = [[Message("user", f"Write a long story about {i} foxes.")] for i in range(8)]
        said = pool.map(lambda chat: "".join(server.llm.stream(chat, max_tokens=100)), chats)
        together = sum(map(server.llm.count, said)) / (time.perf_counter() - started)
    with capsys.disabled():
        print(f"\nstart {server.started_s:.0f} s, first token {first * 1000:.0f} ms, "  # noqa: T201
              f"{alone:.1f} tokens/s alone, {together:.1f} with 8 at once, "
              f"{resident(server) / 2**20:.2f} GB resident")  # fmt: skip


def resident(server: Server) -> int:
    """Kilobytes of memory that vLLM's processes hold."""
    session = [p for p in Path("/proc").glob("[0-9]*/cmdline") if MODEL.encode() in p.read_bytes()]
    groups = {p.parent.joinpath("stat").read_text().split()[5] for p in session}
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if stat.read_text().split()[5] in groups - {str(os.getsid(0))}:
            status = stat.with_name("status").read_text()
            total += int(status.partition("VmRSS:")[2].split()[0])
    return total
