"""llama.cpp in a child process, with the real default model."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag import models
from rag.answer.embedded import EmbeddedLLM
from rag.answer.llm import load_llm
from rag.errors import BadQuery, DependencyMissing, LLMTimeout, LLMUnavailable, ModelMissing
from rag.settings import Settings
from rag.types import Message

pytestmark = pytest.mark.models
SYSTEM = Message("system", "Answer in one short sentence.")
PARIS = [SYSTEM, Message("user", "What is the capital of France?")]
STORY = [Message("user", "Write a very long story about a fox.")]


@pytest.fixture(scope="module")
def gguf(models_cache: Path) -> Path:
    return models.path("smollm2", models_cache)


@pytest.fixture(scope="module")
def llm(gguf: Path) -> Iterator[EmbeddedLLM]:
    llm = EmbeddedLLM(gguf)
    yield llm
    llm.close()


def children() -> dict[int, list[str]]:
    """The llama.cpp processes that this one started, with the arguments after the script."""
    found = {}
    for line in Path("/proc/self/task", str(os.getpid()), "children").read_text().split():
        arguments = Path("/proc", line, "cmdline").read_text().split("\0")
        if any(a.endswith("llama_child.py") for a in arguments):
            found[int(line)] = arguments[3:]
    return found


def test_answers_the_same_each_time(llm: EmbeddedLLM) -> None:
    first = list(llm.stream(PARIS, max_tokens=40))
    assert "".join(first) == "The capital of France is Paris."
    assert len(first) > 3
    assert list(llm.stream(PARIS, max_tokens=40)) == first


def test_max_tokens_and_stop(llm: EmbeddedLLM) -> None:
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"
    assert "".join(llm.stream(PARIS, max_tokens=40, stop=[" France"])) == "The capital of"


def test_a_schema_guides_the_reply(llm: EmbeddedLLM) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Rome", "Paris"]}, "sure": {"type": "boolean"}},
        "required": ["city", "sure"],
        "additionalProperties": False,
    }
    joke = [Message("user", "Tell me a joke about the capital of France.")]
    said = json.loads("".join(llm.stream(joke, max_tokens=60, schema=schema)))
    assert set(said) == {"city", "sure"}
    assert said["city"] in ("Rome", "Paris")


def test_the_deadline_stops_the_generation(llm: EmbeddedLLM) -> None:
    list(llm.stream(PARIS, max_tokens=1))  # it is loaded
    with pytest.raises(LLMTimeout, match="within 1 s"):
        list(llm.stream(STORY, max_tokens=4000, seconds=1.0))
    # Requests queue: this one is answered only when the story has been given up.
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"


def test_counts_by_the_models_tokenizer(llm: EmbeddedLLM) -> None:
    assert llm.count("") == 0
    assert llm.count("Hello, world!") == 4
    assert llm.count("2024") == 4
    assert llm.count("안녕") == 6


def test_what_it_says_of_itself_without_loading(gguf: Path) -> None:
    llm = EmbeddedLLM(gguf)
    before = children()
    llm.ready()
    assert (llm.name, llm.endpoint) == ("SmolLM2-135M-Instruct.Q4_1", str(gguf))
    assert llm.context_tokens == 8192
    assert children() == before


def test_settings_name_it(models_cache: Path, gguf: Path) -> None:
    for name in ("smollm2", str(gguf)):
        llm = load_llm(Settings(cache=models_cache, llm=name))
        assert isinstance(llm, EmbeddedLLM)
        assert llm.endpoint == str(gguf)


def test_closing_stops_at_once(llm: EmbeddedLLM) -> None:
    pieces = llm.stream(STORY, max_tokens=4000)
    next(pieces)
    started = time.monotonic()
    pieces.close()  # type: ignore[attr-defined]
    # Requests queue: this one is answered only when the story has been given up.
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"
    assert time.monotonic() - started < 10


def test_threads_get_their_own_answers(llm: EmbeddedLLM) -> None:
    asked = ["France", "Italy", "Japan"]

    def ask(country: str) -> str:
        messages = [SYSTEM, Message("user", f"What is the capital of {country}?")]
        return "".join(llm.stream(messages, max_tokens=30))

    alone = [ask(country) for country in asked]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, asked)) == alone
    assert ["Paris" in alone[0], "Rome" in alone[1], "Tokyo" in alone[2]] == [True] * 3


def test_prompt_beyond_the_window(llm: EmbeddedLLM) -> None:
    with pytest.raises(BadQuery, match="longer than the window"):
        list(llm.stream([Message("user", "fox " * 9000)], max_tokens=5))
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"


def test_no_port_and_a_socket_of_this_users_only(llm: EmbeddedLLM) -> None:
    llm.count("load it")
    ((pid, arguments),) = children().items()
    path = Path(arguments[1])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    inodes = {
        str(target)
        for fd in Path("/proc", str(pid), "fd").iterdir()
        if (target := fd.readlink()).name.startswith("socket:")
    }
    listening = [
        line
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
        if f"socket:[{line.split()[9]}]" in inodes
    ]
    assert inodes
    assert listening == []
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))


def test_close_ends_the_process_and_the_next_use_loads_again(gguf: Path) -> None:
    before = set(children())
    llm = EmbeddedLLM(gguf)
    assert llm.count("Hello, world!") == 4
    ((pid, arguments),) = ((k, v) for k, v in children().items() if k not in before)
    llm.close()
    llm.close()
    assert pid not in children()
    assert not Path(arguments[1]).parent.exists()
    assert llm.count("Hello, world! Again") == 5
    llm.close()
    assert set(children()) == before


def test_a_killed_process_is_an_error_and_then_started_again(gguf: Path) -> None:
    before = set(children())
    llm = EmbeddedLLM(gguf)
    pieces = llm.stream(STORY, max_tokens=4000)
    next(pieces)
    (pid,) = set(children()) - before
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(LLMUnavailable) as caught:
        list(pieces)
    assert caught.value.endpoint == str(gguf)
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"
    llm.close()


def test_the_process_ends_with_a_parent_that_is_killed(gguf: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from rag.answer.embedded import EmbeddedLLM
from rag.types import Message
llm = EmbeddedLLM(Path(sys.argv[1]))
next(llm.stream([Message("user", "Write a very long story.")], max_tokens=4000))
print(llm._child.llm._at._socket, flush=True)
time.sleep(60)
"""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", code, str(gguf)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        path = parent.stdout.readline().strip()
        assert Path(path).exists()
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(path).parent.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(path).parent.exists()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: b"", "no GGUF file"),
        (lambda data: b"<html>404</html>" * 100, "no GGUF file"),
        (lambda data: data[:4], "damaged"),
        (lambda data: data[:100], "damaged"),
        (lambda data: data[:24] + b"\xff" * 5000, "damaged"),
    ],
    ids=["empty", "html", "magic", "head", "garbage"],
)
def test_a_damaged_head_is_seen_before_native_code_sees_it(
    gguf: Path, tmp_path: Path, damage: object, why: str
) -> None:
    assert callable(damage)
    with gguf.open("rb") as f:
        data = f.read(10_000)
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(damage(data))
    with pytest.raises(LLMUnavailable, match=why) as caught:
        EmbeddedLLM(bad)
    assert caught.value.endpoint == str(bad)


def test_a_file_cut_short(gguf: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(gguf.read_bytes()[:50_000_000])
    llm = EmbeddedLLM(bad)
    before = children()
    for _ in range(2):
        with pytest.raises(LLMUnavailable, match="may be damaged"):
            llm.count("anything")
    assert children() == before


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        EmbeddedLLM(tmp_path / "absent.gguf")


def test_no_xllamacpp(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.answer.embedded.find_spec", lambda name: None)
    with pytest.raises(DependencyMissing, match=r"saem\[local\]"):
        EmbeddedLLM(gguf)
