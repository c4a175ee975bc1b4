"""The twelve bad days of a language model's server: each ends in time, with what had arrived."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.answer.endpoint import HttpLLM
from rag.errors import LLMTimeout, LLMUnavailable, RagError
from rag.types import Message
from tests.support.fake_llm import FakeLLM, Mode

QUESTION = [Message("user", "맛있는 차는?")]
REPLY = "녹차 is green tea 🍵, made at 80 degrees [1]."
HALF = "녹차 is green tea 🍵,"
FAR = 60.0  # the silence that is allowed: no day may last as long as that
SCHEMA = {"type": "object", "properties": {"tea": {"type": "string"}}}


def hear(pieces: Iterator[str]) -> tuple[str, RagError | None]:
    """What arrived, and the error that came after it."""
    text = ""
    try:
        for piece in pieces:
            text += piece
    except RagError as e:
        return text, e
    return text, None


DAYS: list[tuple[Mode, str, type[RagError] | None]] = [
    ("refused", "", LLMUnavailable),
    ("silent", "", LLMTimeout),
    ("stalled", HALF, LLMTimeout),
    ("died", HALF, LLMUnavailable),
    ("bad_json", HALF, LLMUnavailable),
    ("split_utf8", REPLY, None),
    ("only_done", REPLY, None),  # no finish_reason; without either, see the next
    ("no_done", HALF, LLMUnavailable),
    ("error_inside", HALF, LLMUnavailable),
    ("429", "", LLMUnavailable),
    ("503", "", LLMUnavailable),
    ("endless", "word " * 4 * 50, None),
    ("giant", REPLY, None),
    ("pings", "", LLMTimeout),
    ("no_end", "", LLMUnavailable),
]


@pytest.mark.parametrize(("mode", "text", "kind"), DAYS, ids=[day[0] for day in DAYS])
def test_each_day_ends_in_time_with_what_arrived(
    mode: Mode, text: str, kind: type[RagError] | None
) -> None:
    pause = 0.02 if mode == "pings" else 0.0
    seconds = 1.0 if kind is LLMTimeout else FAR / 2
    with FakeLLM(reply=REPLY, mode=mode, pause=pause) as fake:
        llm = HttpLLM(fake.url, "m", timeout=FAR)
        started = time.monotonic()
        heard, error = hear(llm.stream(QUESTION, max_tokens=50, seconds=seconds))
        took = time.monotonic() - started
        if mode == "endless":
            heard += "word "  # the first event is the role
        assert heard == text
        assert type(error) is (kind or type(None))
        assert took < FAR / 2
        if error:
            assert error.endpoint == fake.url  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["silent", "stalled", "pings"])
def test_the_whole_is_bounded_even_while_nothing_arrives(mode: Mode) -> None:
    with FakeLLM(reply=REPLY, mode=mode, pause=0.02) as fake:
        llm = HttpLLM(fake.url, "m", timeout=FAR)
        with pytest.raises(LLMTimeout, match=r"within 0\.3 s") as caught:
            list(llm.stream(QUESTION, max_tokens=50, seconds=0.3))
        assert caught.value.seconds == 0.3


def test_a_reply_that_goes_on_until_its_connection_ends_is_bounded_too() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    event = b'data: {"choices": [{"delta": {"content": "Green"}}]}\n\n'
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        llm = HttpLLM(url, "m", timeout=FAR)
        heard = pool.submit(hear, llm.stream(QUESTION, max_tokens=5, seconds=1.0))
        connection, _ = server.accept()
        with connection:
            connection.sendall(head + event)
            text, error = heard.result()
    assert text == "Green"
    assert isinstance(error, LLMTimeout)


def test_no_time_is_left() -> None:
    with FakeLLM() as fake:
        llm = HttpLLM(fake.url, "m", timeout=FAR)
        with pytest.raises(LLMTimeout, match="within 0 s"):
            list(llm.stream(QUESTION, max_tokens=5, seconds=0.0))
        assert fake.chats() == []


def test_the_deadline_stops_the_generation() -> None:
    with FakeLLM(reply="word " * 10_000, pause=0.01) as fake:
        llm = HttpLLM(fake.url, "m", timeout=FAR)
        text, error = hear(llm.stream(QUESTION, max_tokens=10_000, seconds=0.5))
        assert isinstance(error, LLMTimeout)
        assert text.startswith("word word")
        assert fake.disconnected.wait(5)


@pytest.mark.parametrize("mode", ["429", "503"])
def test_a_busy_server_is_asked_once_more_when_it_says_when(mode: Mode) -> None:
    with FakeLLM(reply=REPLY, mode=mode, retry_after="0", busy=1) as fake:
        assert hear(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=50)) == (REPLY, None)
        assert len(fake.chats()) == 2
    with FakeLLM(mode=mode, retry_after="0") as fake:
        _, error = hear(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=50))
        assert f"HTTP {mode}" in str(error)
        assert len(fake.chats()) == 2


@pytest.mark.parametrize("header", ["120", "Fri, 01 Jan 2100 00:00:00 GMT", "7"])
def test_a_server_that_stays_busy_beyond_the_deadline_is_not_waited_for(header: str) -> None:
    with FakeLLM(mode="429", retry_after=header) as fake:
        _, error = hear(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=50, seconds=5))
        assert isinstance(error, LLMUnavailable)
        assert "it is busy and asks to come back in" in error.message
        assert len(fake.chats()) == 1


@pytest.mark.parametrize("header", ["", "soon", "-1", "nan"])
def test_without_a_time_that_makes_sense_it_is_not_asked_again(header: str) -> None:
    with FakeLLM(mode="503", retry_after=header) as fake:
        _, error = hear(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=50))
        assert "HTTP 503" in str(error)
        assert len(fake.chats()) == 1


def test_what_hosted_models_refuse_is_left_out_and_remembered() -> None:
    refuses = ["max_tokens", "temperature", "stop"]
    with FakeLLM(reply="One two. Observation: three", refuses=refuses) as fake:
        llm = HttpLLM(fake.url, "m")
        for _ in range(2):
            asked = llm.stream(QUESTION, max_tokens=7, stop=["Observation:"])
            assert hear(asked) == ("One two. ", None)
        assert len(fake.chats()) == 3 + 2
        body = fake.chats()[-1].body
        assert body.keys() == {"model", "messages", "stream", "max_completion_tokens"}
        assert body["max_completion_tokens"] == 7


def test_a_schema_is_asked_for_and_done_without_where_it_is_refused() -> None:
    with FakeLLM(reply='{"tea": "녹차"}', refuses=["response_format"]) as fake:
        llm = HttpLLM(fake.url, "m")
        for n in (2, 4):
            assert hear(llm.stream(QUESTION, max_tokens=9, schema=SCHEMA))[0] == '{"tea": "녹차"}'
            assert len(fake.chats()) == n  # another schema might be taken, so each is tried
        guided, free = (request.body for request in fake.chats()[:2])
        assert guided.pop("response_format") == {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True},
        }
        assert guided == free


def test_thoughts_are_not_part_of_the_reply() -> None:
    with FakeLLM(reply="Green tea.", thought="The user asks about tea.") as fake:
        assert hear(HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=9)) == ("Green tea.", None)
    with FakeLLM(reply="<think>Which tea? stop</think>\n\nGreen tea. stop") as fake:
        asked = HttpLLM(fake.url, "m").stream(QUESTION, max_tokens=9, stop=["stop"])
        assert hear(asked) == ("Green tea. ", None)


def test_replies_in_order_then_the_usual_one() -> None:
    with FakeLLM(reply="usual", replies=["first", "second"]) as fake:
        llm = HttpLLM(fake.url, "m")
        said = ["".join(llm.stream(QUESTION, max_tokens=9)) for _ in range(3)]
        assert said == ["first", "second", "usual"]
