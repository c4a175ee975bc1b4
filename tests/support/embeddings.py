"""An OpenAI-compatible embeddings server without a model, and texts to embed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from rag.encode.hashing import HashingEncoder

TEXTS = [
    "세종대왕은 1443년에 훈민정음을 창제하였다.",
    "The Great Barrier Reef is the world's largest coral reef system, off Queensland, Australia.",
    "광합성은 식물이 빛 에너지로 이산화탄소와 물에서 포도당을 만드는 과정이다.",
    "The Treaty of Westphalia ended the Thirty Years' War in 1648.",
    "한라산은 제주도에 있는 높이 1,947미터의 화산이다.",
]


class Endpoint(BaseHTTPRequestHandler):
    """OpenAI-compatible ``/embeddings``; vectors come from the hashing encoder, rows reversed.

    ``script`` holds the answers to give first: (status, headers, body).
    """

    script: list[tuple[int, dict[str, str], str]]
    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append({"path": self.path, "key": self.headers["authorization"], **body})
        status, headers, answer = self.script.pop(0) if self.script else (200, {}, self.ok(body))
        data = answer.encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    @staticmethod
    def ok(body: dict[str, Any]) -> str:
        rows = 3 * HashingEncoder(16).passages(body["input"])
        data = [{"index": i, "embedding": row.tolist()} for i, row in enumerate(rows)]
        return json.dumps({"data": data[::-1]})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class EmbeddingServer:
    """The server, its script and the requests that it has seen."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], str]] = []
        self.seen: list[dict[str, Any]] = []
        handler = type("Handler", (Endpoint,), {"script": self.script, "seen": self.seen})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
