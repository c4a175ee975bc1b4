"""vLLM in this process, with an engine in its place: what is asked together goes together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from threading import Event
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rag.answer.vllm_batch import BatchVLLM
from rag.errors import BadQuery, DependencyMissing, LLMUnavailable
from rag.types import Message


class Engine:
    """As much of ``vllm.LLM`` as is used; a token is a word."""

    made: SimpleNamespace

    def __init__(self) -> None:
        self.model_config = SimpleNamespace(max_model_len=20)
        self.batches: list[list[str]] = []
        self.params: list[Any] = []
        self.go = Event()
        self.go.set()
        self.closed = False
        core = SimpleNamespace(shutdown=lambda: setattr(self, "closed", True))
        self.llm_engine = SimpleNamespace(engine_core=core)

    def get_tokenizer(self) -> Any:
        return SimpleNamespace(
            encode=lambda text, add_special_tokens: text.split(),
            apply_chat_template=lambda chat, **_: " ".join(m["content"] for m in chat).split(),
        )

    def chat(self, chats: list[Any], params: list[Any], use_tqdm: bool) -> list[Any]:
        assert not use_tqdm
        asked = [chat[-1]["content"] for chat in chats]
        self.batches.append(asked)
        self.params += params
        self.go.wait(60)
        if "crash" in asked:
            raise RuntimeError("the engine died")
        if any(p.structured_outputs for p in params):
            raise ValueError("this schema is not supported")
        return [SimpleNamespace(outputs=[SimpleNamespace(text=f"re: {a}")]) for a in asked]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that a module ``vllm`` makes, whatever its arguments."""
    engine = Engine()
    parser = SimpleNamespace(parse_args=lambda given: SimpleNamespace(given=given))
    fake = ModuleType("vllm")
    fake.__spec__ = ModuleSpec("vllm", None)
    fake.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    fake.EngineArgs = SimpleNamespace(  # type: ignore[attr-defined]
        add_cli_args=lambda parser: parser, from_cli_args=lambda args: args
    )
    fake.LLM = SimpleNamespace(  # type: ignore[attr-defined]
        from_engine_args=lambda args: setattr(engine, "made", args) or engine
    )
    utils = ModuleType("vllm.utils.argparse_utils")
    utils.FlexibleArgumentParser = lambda exit_on_error: parser  # type: ignore[attr-defined]
    sampling = ModuleType("vllm.sampling_params")
    sampling.StructuredOutputsParams = SimpleNamespace  # type: ignore[attr-defined]
    for module in (fake, ModuleType("vllm.utils"), utils, sampling):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    yield engine
    engine.go.set()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def ask(llm: BatchVLLM, text: str, **how: Any) -> str:
    return "".join(llm.stream([Message("user", text)], max_tokens=9, **how))


def test_one_question(engine: Engine) -> None:
    llm = BatchVLLM("org/m", "--quantization awq")
    assert engine.made.given == [
        *("--model", "org/m", "--enable-prefix-caching", "--quantization", "awq")
    ]
    assert (llm.name, llm.endpoint, llm.context_tokens) == ("org/m", "vllm-inprocess:org/m", 20)
    assert ask(llm, "차?", temperature=0.5, stop=["\n"]) == "re: 차?"
    (params,) = engine.params
    assert vars(params) == {
        "max_tokens": 9, "temperature": 0.5, "stop": ["\n"], "structured_outputs": None,
    }  # fmt: skip
    assert (llm.count(""), llm.count("a b")) == (0, 2)
    llm.ready()
    llm.close()
    assert engine.closed


def test_what_comes_during_a_batch_is_the_next_one(engine: Engine) -> None:
    llm = BatchVLLM("m")
    engine.go.clear()
    names = [f"q{n}" for n in range(5)]
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(ask, llm, "first")
        until(lambda: engine.batches)
        others = [pool.submit(ask, llm, name) for name in names]
        until(lambda: len(llm._waiting) == 5)
        engine.go.set()
        assert first.result() == "re: first"
        assert [other.result() for other in others] == [f"re: {name}" for name in names]
    assert [engine.batches[0], sorted(engine.batches[1])] == [["first"], names]
    assert len(engine.batches) == 2


def test_one_that_fails_takes_no_other_along(engine: Engine) -> None:
    llm = BatchVLLM("m")
    engine.go.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, llm, "first")
        until(lambda: engine.batches)
        bad, good = pool.submit(ask, llm, "crash"), pool.submit(ask, llm, "good")
        until(lambda: len(llm._waiting) == 2)
        engine.go.set()
        assert [first.result(), good.result()] == ["re: first", "re: good"]
        with pytest.raises(LLMUnavailable, match="RuntimeError: the engine died"):
            bad.result()


def test_a_schema_that_it_cannot_guide_by_is_left_out(engine: Engine) -> None:
    llm = BatchVLLM("m")
    assert ask(llm, "a", schema={"type": "odd"}) == "re: a"
    assert len(engine.batches) == 2


def test_a_prompt_beyond_the_window_is_not_sent(engine: Engine) -> None:
    llm = BatchVLLM("m")
    assert ask(llm, "a " * 11)
    with pytest.raises(BadQuery, match="longer than the window"):
        ask(llm, "a " * 12)
    assert len(engine.batches) == 1


def test_without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(DependencyMissing, match="vllm is not installed"):
        BatchVLLM("m")
