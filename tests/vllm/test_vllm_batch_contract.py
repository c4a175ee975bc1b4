"""The same promises, as far as they can be kept, by a real vLLM in this process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.answer.vllm_batch import BatchVLLM
from rag.errors import BadQuery, ConfigError
from rag.types import Message

MODEL = os.environ.get("SAEM_VLLM_MODEL", "")
pytestmark = pytest.mark.skipif(not MODEL, reason="needs vLLM: run `make test-vllm`")
SYSTEM = Message("system", "Answer in one short sentence.")
PARIS = [SYSTEM, Message("user", "What is the capital of France?")]
CITIES = {"France": "Paris", "Italy": "Rome", "Japan": "Tokyo", "Spain": "Madrid"}


@pytest.fixture(scope="module")
def llm() -> Iterator[BatchVLLM]:
    llm = BatchVLLM(MODEL, "--enforce-eager --dtype bfloat16")
    yield llm
    llm.close()


def say(llm: BatchVLLM, question: str, max_tokens: int = 30) -> str:
    return "".join(llm.stream([SYSTEM, Message("user", question)], max_tokens=max_tokens))


def test_answers_within_its_limits(llm: BatchVLLM) -> None:
    assert (llm.name, llm.context_tokens) == (MODEL, 8192)
    assert "".join(llm.stream(PARIS, max_tokens=40)) == "The capital of France is Paris."
    assert "".join(llm.stream(PARIS, max_tokens=3)) == "The capital of"
    assert "".join(llm.stream(PARIS, max_tokens=40, stop=[" France"])) == "The capital of"


def test_counts_by_the_models_tokenizer(llm: BatchVLLM) -> None:
    assert [llm.count(text) for text in ("", "Hello, world!", "2024", "안녕")] == [0, 4, 4, 6]


def test_a_schema_guides_the_reply(llm: BatchVLLM) -> None:
    schema = {"type": "object", "properties": {"city": {"enum": ["Rome", "Paris"]}},
              "required": ["city"], "additionalProperties": False}  # fmt: skip
    said = json.loads("".join(llm.stream(PARIS, max_tokens=60, schema=schema)))
    assert said["city"] in ("Rome", "Paris")


def test_a_schema_that_it_cannot_guide_by_is_left_out(llm: BatchVLLM) -> None:
    odd = {"type": "no such type"}
    assert (
        "".join(llm.stream(PARIS, max_tokens=40, schema=odd)) == "The capital of France is Paris."
    )


def test_prompt_beyond_the_window(llm: BatchVLLM) -> None:
    with pytest.raises(BadQuery, match="longer than the window"):
        say(llm, "fox " * 9000)


def test_arguments_that_vllm_does_not_know() -> None:
    with pytest.raises(ConfigError, match="not understood"):
        BatchVLLM(MODEL, "--no-such-argument 1")


def test_threads_are_answered_together(llm: BatchVLLM, capsys: pytest.CaptureFixture[str]) -> None:
    questions = [f"What is the capital of {country}?" for country in CITIES]
    with ThreadPoolExecutor(llm.at_once) as pool:
        for reply, city in zip(pool.map(lambda q: say(llm, q), questions), CITIES.values(),
                               strict=True):  # fmt: skip
            assert city in reply
        started = time.perf_counter()
        stories = [f"Write a long story about {n} foxes." for n in range(32)]
        said = list(pool.map(lambda q: say(llm, q, 100), stories))
        speed = sum(map(llm.count, said)) / (time.perf_counter() - started)
    with capsys.disabled():
        print(f"\nin process: {speed:.1f} tokens/s with 32 at once")  # noqa: T201
