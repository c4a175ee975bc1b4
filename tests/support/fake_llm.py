"""A scripted OpenAI-compatible server on 127.0.0.1, with good days and bad ones."""

from __future__ import annotations

import itertools
import json
import math
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Mode = Literal[
    "ok",
    "refused",  # nothing listens at the URL
    "silent",  # accepts, then never answers, whatever the path
    "stalled",  # half of the reply, then nothing
    "died",  # half of the reply, then the connection drops within a chunk
    "bad_json",  # half of the reply, then an event that is no JSON
    "split_utf8",  # every byte of the stream in a chunk of its own
    "no_done",  # half of the reply, then a clean end without finish_reason and [DONE]
    "only_done",  # the whole reply and [DONE], but no finish_reason
    "error_inside",  # half of the reply, then an error object, all under status 200
    "429",
    "503",
    "too_long",  # 400, as llama.cpp refuses a prompt beyond its window
    "endless",  # "word " forever, whatever max_tokens says
    "pings",  # comments forever, no event
    "no_end",  # an event without an end
    "giant",  # the whole reply in one event
    "html",  # a web page under status 200
]
_STATUS: dict[str, tuple[int, str]] = {
    "429": (429, "too many requests, slow down"),
    "503": (503, "the model is loading"),
    "too_long": (400, "request (9031 tokens) exceeds the available context size"),
}


@dataclass(frozen=True)
class Request:
    """One request as it arrived; ``headers`` have lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class FakeLLM:
    """The server, running inside a ``with`` block.

    Parameters
    ----------
    reply
        What the model says, or a function of the request's messages.
    replies
        What it says to the first chats, in order; ``reply`` to those after.
    mode
        How the day goes.
    model, window
        Its model's id, and ``max_model_len`` (0 leaves it out).
    tokenize
        How ``/tokenize`` speaks, if at all; a token is then a word.
    key, port
        The bearer token that it demands, if any, and its port; any that is free by default.
    pause
        Seconds between two pieces of a streamed reply.
    retry_after, busy
        The header of a 429 or 503, if any, and how many chats they are the answer to.
    refuses
        Fields of a chat that it answers 400 for, naming them as hosted models do.
    thought
        What it thinks aloud before it replies, in deltas of their own.

    Attributes
    ----------
    requests
        What it was asked, in order.
    disconnected
        Set when a client left before its reply was complete.
    """

    reply: str | Callable[[list[dict[str, str]]], str] = "The answer is 42."
    replies: Sequence[str] = ()
    mode: Mode = "ok"
    model: str = "fake-model"
    window: int = 0
    tokenize: Literal["", "vllm", "llama.cpp"] = ""
    key: str = ""
    port: int = 0
    pause: float = 0.0
    retry_after: str = ""
    busy: float = math.inf
    refuses: Sequence[str] = ()
    thought: str = ""
    requests: list[Request] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        if self.mode == "refused":
            self._server.server_close()
        else:
            self._thread = threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
            )
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        if self.mode != "refused":
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def chats(self) -> list[Request]:
        """The chat completions it was asked for."""
        return [r for r in self.requests if r.path == "/v1/chat/completions"]

    def says(self, messages: list[dict[str, str]]) -> str:
        """The reply to the latest chat."""
        nth = len(self.chats()) - 1
        if nth < len(self.replies):
            return self.replies[nth]
        return self.reply if isinstance(self.reply, str) else self.reply(messages)


class _Server(ThreadingHTTPServer):
    fake: FakeLLM
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: dict[str, Any]) -> None:
        fake = self.server.fake
        headers = {name.lower(): value for name, value in self.headers.items()}
        fake.requests.append(Request(self.command, self.path, headers, body))
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if fake.mode == "silent":
            fake.stopping.wait()
            self.close_connection = True
        elif fake.key and given != fake.key:
            self._json(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
        elif self.path == "/v1/models":
            window = {"max_model_len": fake.window} if fake.window else {}
            self._json(200, {"object": "list", "data": [{"id": fake.model, **window}]})
        elif self.path == "/tokenize" and fake.tokenize:
            self._tokenize(body)
        elif self.path == "/v1/chat/completions":
            self._chat(body)
        else:
            self._json(404, {"error": {"message": "not found"}})

    def _tokenize(self, body: dict[str, Any]) -> None:
        if self.server.fake.tokenize == "llama.cpp":
            self._json(200, {"tokens": [7 for _ in body.get("content", "").split()]})
        elif "prompt" in body:
            ids = [7 for _ in body["prompt"].split()]
            self._json(200, {"count": len(ids), "max_model_len": 4096, "tokens": ids})
        else:
            self._json(400, {"error": {"message": "Field required: prompt"}})

    def _chat(self, body: dict[str, Any]) -> None:
        fake = self.server.fake
        reply = fake.says(body["messages"])
        refused = next((field for field in fake.refuses if field in body), "")
        if refused:
            self._json(400, {"error": {"message": _refusal(refused), "param": refused}})
        elif fake.mode in _STATUS and len(fake.chats()) <= fake.busy:
            status, message = _STATUS[fake.mode]
            kind = "exceed_context_size_error" if fake.mode == "too_long" else "error"
            headers = {"Retry-After": fake.retry_after} if fake.retry_after else {}
            self._json(status, {"error": {"message": message, "type": kind}}, headers)
        elif fake.mode == "html":
            self._send(200, "text/html", b"<html>Welcome</html>")
        elif body.get("stream"):
            self._stream(reply)
        else:
            said = {"role": "assistant", "content": reply}
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            self._json(200, {"object": "chat.completion", "model": fake.model, "choices": [choice]})

    def _stream(self, reply: str) -> None:
        fake = self.server.fake
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            thoughts = map(_thought, pieces(fake.thought))
            for data in itertools.chain(thoughts, _script(fake.mode, reply)):
                self._chunks(data)
                if fake.pause:
                    fake.stopping.wait(fake.pause)
                if fake.stopping.is_set():
                    break
            if fake.mode == "stalled":
                fake.stopping.wait()
            elif fake.mode == "died":
                self.wfile.write(b"ff\r\ndata: {")
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            fake.disconnected.set()
            self.close_connection = True

    def _chunks(self, data: bytes) -> None:
        size = 1 if self.server.fake.mode == "split_utf8" else len(data)
        for i in range(0, len(data), size):
            part = data[i : i + size]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))

    def _json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value).encode(), headers or {})

    def _send(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def pieces(text: str) -> list[str]:
    """``text`` cut where the server cuts it: before every run of blanks."""
    return re.findall(r"\s*\S+|\s+$", text)


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = json.dumps({"object": "chat.completion.chunk", "choices": [choice]}, ensure_ascii=False)
    return f"data: {data}\n\n".encode()


def _thought(piece: str) -> bytes:
    """An event as reasoning models send them before the reply."""
    return _event({"reasoning_content": piece, "reasoning": piece})


def _refusal(field: str) -> str:
    """What hosted models say of a field that they do not take."""
    if field == "max_tokens":
        return "'max_tokens' is not supported here. Use 'max_completion_tokens' instead."
    if field == "response_format":
        return "guided decoding is not enabled"
    return f"Unsupported value: '{field}' does not support this with this model."


def _script(mode: Mode, reply: str) -> Iterator[bytes]:
    """The events of a reply, as this kind of day has them."""
    while mode == "pings":
        yield b": still here\n\n"
    while mode == "no_end":
        yield b'data: {"choices": ' + b" " * 2**20
    yield _event({"role": "assistant", "content": ""})
    while mode == "endless":
        yield _event({"content": "word "})
    words = [reply] if mode == "giant" else pieces(reply)
    broken = mode in ("stalled", "died", "bad_json", "no_done", "error_inside")
    for word in words[: len(words) // 2] if broken else words:
        yield _event({"content": word})
    if mode == "bad_json":
        yield b'data: {"choices": [{"del\n\n'
    elif mode == "error_inside":
        yield b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n'
    elif not broken:
        if mode != "only_done":
            yield _event({}, "stop")
        yield b"data: [DONE]\n\n"
