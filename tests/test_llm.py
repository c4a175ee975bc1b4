"""The client of OpenAI-compatible endpoints against a real server that has bad days."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answer import events
from rag.answer.llm import HttpLLM, estimate_tokens, load_llm
from rag.errors import BadQuery, ConfigError, LLMTimeout, LLMUnavailable, ModelMissing, RagError
from rag.settings import Settings
from rag.types import Message
from tests.support.fake_llm import FakeLLM, Mode

QUESTION = [Message("system", "Be brief."), Message("user", "맛있는 차는?")]
REPLY = "녹차 is green tea 🍵, made at 80 degrees."


def collect(pieces: Iterator[str]) -> tuple[str, RagError | None]:
    """What arrived, and the error that came after it."""
    text = ""
    try:
        for piece in pieces:
            text += piece
    except RagError as e:
        return text, e
    return text, None


def ask(
    mode: Mode,
    *,
    reply: str = REPLY,
    timeout: float = 5.0,
    max_tokens: int = 100,
    pause: float = 0.0,
) -> tuple[str, RagError | None, str]:
    """The text, the error and the endpoint of one question on such a day."""
    with FakeLLM(reply=reply, mode=mode, pause=pause) as fake:
        llm = HttpLLM(fake.url, fake.model, timeout=timeout)
        text, error = collect(llm.stream(QUESTION, max_tokens=max_tokens))
        llm.close()
        return text, error, fake.url


def test_reply_arrives_piece_by_piece_and_the_request_says_everything() -> None:
    with FakeLLM(reply="One two three.") as fake:
        llm = HttpLLM(fake.url, key="sk-1", timeout=5)
        pieces = list(llm.stream(QUESTION, max_tokens=7, temperature=0.5, stop=["\n\n"]))
        assert pieces == ["One", " two", " three."]
        request = fake.chats()[0]
        assert request.body == {
            "model": "fake-model",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "맛있는 차는?"},
            ],
            "stream": True,
            "max_tokens": 7,
            "temperature": 0.5,
            "stop": ["\n\n"],
        }
        assert request.headers["authorization"] == "Bearer sk-1"
        assert llm.name == "fake-model"
        assert llm.endpoint == fake.url


def test_without_a_key_none_is_sent() -> None:
    with FakeLLM() as fake:
        list(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=5))
        assert "authorization" not in fake.chats()[0].headers


@pytest.mark.parametrize("mode", ["ok", "split_utf8", "giant", "only_done"])
def test_whole_reply_however_it_is_cut(mode: Mode) -> None:
    text, error, _ = ask(mode)
    assert (text, error) == (REPLY, None)


def test_a_reply_of_one_giant_event() -> None:
    reply = "가나다 " * 200_000
    text, error, _ = ask("giant", reply=reply)
    assert (text, error) == (reply, None)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("died", "peer closed connection"),
        ("bad_json", 'makes no sense: b\'{"choices": [{"del\''),
        ("no_done", "ended before the answer did"),
        ("error_inside", "CUDA out of memory"),
    ],
)
def test_what_arrived_before_a_break_is_delivered(mode: Mode, why: str) -> None:
    text, error, url = ask(mode)
    assert text == "녹차 is green tea"
    assert isinstance(error, LLMUnavailable)
    assert error.endpoint == url
    assert why in error.message


def test_stalled_in_the_middle() -> None:
    started = time.monotonic()
    text, error, url = ask("stalled", timeout=0.3)
    assert text == "녹차 is green tea"
    assert isinstance(error, LLMTimeout)
    assert (error.endpoint, error.seconds) == (url, 0.3)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("429", "HTTP 429: {\"error\": {\"message\": \"too many requests, slow down\""),
        ("503", "HTTP 503: {\"error\": {\"message\": \"the model is loading\""),
        ("html", "answered with text/html, not with a stream of events"),
    ],
)  # fmt: skip
def test_refusals(mode: Mode, why: str) -> None:
    text, error, url = ask(mode)
    assert text == ""
    assert isinstance(error, LLMUnavailable)
    assert error.endpoint == url
    assert why in error.message


def test_prompt_beyond_the_window() -> None:
    text, error, url = ask("too_long")
    assert text == ""
    assert isinstance(error, BadQuery)
    assert url in error.message


def test_endless_reply_is_cut() -> None:
    text, error, _ = ask("endless", max_tokens=3)
    assert error is None
    assert text == "word " * 11  # 4 events a token, the first of which is the role


def test_endless_comments_meet_the_limit_of_the_whole_answer() -> None:
    started = time.monotonic()
    text, error, _ = ask("pings", timeout=0.1, pause=0.02)
    assert text == ""
    assert isinstance(error, LLMTimeout)
    assert error.seconds == 1.0
    assert time.monotonic() - started < 4


def test_nobody_listens() -> None:
    with FakeLLM(mode="refused") as fake:
        llm = HttpLLM(fake.url, "m", timeout=5)
        for use in (
            lambda: list(llm.stream(QUESTION, max_tokens=5)),
            lambda: llm.count("a"),
            lambda: llm.context_tokens,
            llm.ready,
        ):
            with pytest.raises(LLMUnavailable, match="refused") as caught:
                use()
            assert caught.value.endpoint == fake.url


def test_no_such_host() -> None:
    llm = HttpLLM("http://nowhere.invalid/v1", "m", timeout=5)
    with pytest.raises(LLMUnavailable, match=r"http://nowhere\.invalid/v1"):
        list(llm.stream(QUESTION, max_tokens=5))


def test_silent() -> None:
    with FakeLLM(mode="silent") as fake:
        llm = HttpLLM(fake.url, "m", timeout=0.2)
        for use in (lambda: list(llm.stream(QUESTION, max_tokens=5)), llm.ready):
            started = time.monotonic()
            with pytest.raises(LLMTimeout, match=r"within 0\.2 s"):
                use()
            assert time.monotonic() - started < 2


def test_closing_early_is_seen_by_the_server() -> None:
    with FakeLLM(reply="word " * 10_000, pause=0.005) as fake:
        pieces = HttpLLM(fake.url, "m", timeout=5).stream(QUESTION, max_tokens=10_000)
        assert next(pieces) == "word"
        assert not fake.disconnected.is_set()
        pieces.close()  # type: ignore[attr-defined]
        assert fake.disconnected.wait(2)


def test_key_is_in_no_error() -> None:
    with FakeLLM(key="sk-right") as fake:
        llm = HttpLLM(fake.url, "m", "sk-wrong-secret", timeout=5)
        with pytest.raises(
            LLMUnavailable, match=r"HTTP 401.*Incorrect API key provided: \*\*\*"
        ) as e:
            list(llm.stream(QUESTION, max_tokens=5))
        assert "secret" not in str(e.value)
        with pytest.raises(LLMUnavailable, match="HTTP 401"):
            llm.ready()
    with pytest.raises(ConfigError) as bad:
        HttpLLM("http://localhost/v1", key="geheim\nX-Evil: 1")
    assert "geheim" not in str(bad.value)


def test_password_in_the_url_is_in_no_error() -> None:
    with FakeLLM(mode="503") as fake:
        llm = HttpLLM(fake.url.replace("://", "://me:hidden@"), "m", timeout=5)
        _, error = collect(llm.stream(QUESTION, max_tokens=5))
        assert isinstance(error, LLMUnavailable)
        assert error.endpoint == fake.url
        assert "hidden" not in str(error)


def test_password_in_a_url_that_is_none_is_in_no_error() -> None:
    with pytest.raises(ConfigError, match="llm_url = 'htp://") as bad:
        HttpLLM("htp://me:hid@den@host/v1")
    assert not re.search("hid|den", str(bad.value))


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://x/v1", "http://", "http://h:99999/v1"])
def test_malformed_url(url: str) -> None:
    with pytest.raises(ConfigError, match="llm_url"):
        HttpLLM(url)


def test_window_is_asked_once() -> None:
    with FakeLLM(window=32768) as fake, FakeLLM() as silent_about_it:
        llm = HttpLLM(fake.url)
        assert (llm.context_tokens, llm.context_tokens, llm.name) == (32768, 32768, "fake-model")
        assert [r.path for r in fake.requests] == ["/v1/models"]
        assert HttpLLM(silent_about_it.url).context_tokens == 4096


@pytest.mark.parametrize(
    ("tokenize", "expected"), [("vllm", 3), ("llama.cpp", 3), ("", estimate_tokens("a b, 차!"))]
)
def test_count(tokenize: str, expected: int) -> None:
    with FakeLLM(tokenize=tokenize) as fake:  # type: ignore[arg-type]
        llm = HttpLLM(fake.url, "m")
        assert llm.count("") == 0
        assert llm.count("a b, 차!") == expected
        asked = len(fake.requests)
        assert llm.count("a b, 차!") == expected
        assert len(fake.requests) == asked
        if not tokenize:
            assert llm.count("another text") == estimate_tokens("another text")
            assert len(fake.requests) == asked


def test_estimate() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("the tokenization, 2024") == 1 + 3 + 1 + 4
    assert estimate_tokens("안녕 世界") == 4
    assert estimate_tokens("a\n\n  b") == 4
    assert estimate_tokens("привет") == 3
    assert estimate_tokens("🍵") == 3


def test_ready() -> None:
    with FakeLLM() as fake:
        HttpLLM(fake.url, "m").ready()
        assert [r.path for r in fake.requests] == ["/v1/models"]


def test_settings_choose(tmp_path: Path) -> None:
    none = Settings(cache=tmp_path, llm="none")
    assert load_llm(none) is None
    llm = load_llm(replace(none, llm_url="http://localhost:1/v1/", llm_model="big", llm_key="k"))
    assert isinstance(llm, HttpLLM)
    assert (llm.name, llm.endpoint) == ("big", "http://localhost:1/v1")
    with pytest.raises(ModelMissing):
        load_llm(replace(none, llm="smollm2"))
    for wrong in ("gpt-9", str(tmp_path / "absent.gguf"), "multilingual-e5-small"):
        with pytest.raises(ConfigError, match="llm = "):
            load_llm(replace(none, llm=wrong))


def test_half_a_surrogate_pair_becomes_text_that_can_be_written() -> None:
    data = b'{"choices": [{"delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}'
    assert events.parse(data) == events.Event("a\ufffd", True, "")


def test_import_is_light() -> None:
    code = (
        "import sys, rag.answer.llm; print([m for m in ('httpx', 'xllamacpp') if m in sys.modules])"
    )
    root = Path(__file__).parent.parent
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (out.stdout, out.stderr) == ("[]\n", "")
