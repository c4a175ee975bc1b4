"""A client of OpenAI-compatible endpoints.

Turns messages into pieces of text, and everything that an endpoint can do wrong into a typed
error, in bounded time. Knows no prompt and no passage.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from rag.answer import events
from rag.answer.tokens import estimate_tokens
from rag.errors import BadQuery, ConfigError, LLMTimeout, LLMUnavailable
from rag.types import Message

if TYPE_CHECKING:
    import httpx

_CONTEXT_TOKENS = 4096  # assumed of an endpoint that does not say
_PROBE_SECONDS = 5.0
_TOTAL = 10  # an answer may take this many times the silence that is allowed
_EVENTS_PER_TOKEN = 4  # proxies cut tokens into several events; past this a stream is a runaway
_TOO_LONG = re.compile(r"exceed_context|context_length_exceeded|maximum (context|model) len", re.I)


class HttpLLM:
    """A model behind an OpenAI-compatible endpoint: vLLM, llama.cpp, Ollama, a hosted one.

    Parameters
    ----------
    url
        The endpoint's base, ending in ``/v1`` as a rule.
    model
        Its model; empty for the first one that the endpoint lists.
    key
        Sent as a bearer token, if not empty; never part of an error.
    timeout
        Seconds that connecting may take and the endpoint may stay silent; an answer as a whole
        may take ten times as long.
    socket
        Unix socket to reach the endpoint through, instead of the host that ``url`` names.
    endpoint
        What errors name; by default the URL, without a password in it.

    Raises
    ------
    ConfigError
        The URL or the key is malformed.
    """

    languages: tuple[str, ...] = ()

    def __init__(
        self,
        url: str,
        model: str = "",
        key: str = "",
        timeout: float = 60.0,
        *,
        socket: Path | None = None,
        endpoint: str = "",
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key.strip()
        self._timeout = timeout
        self._model = model
        self._socket = socket
        self._client: httpx.Client | None = None
        self._entry: dict[str, Any] | None = None
        self._dialect: str | None = None
        self._lock = Lock()
        self.endpoint = endpoint or _shown(self._url)
        if not self._key.isprintable() or not self._key.isascii():
            raise ConfigError("llm_key holds characters that cannot be part of a key")
        self._counted = lru_cache(maxsize=4096)(self._count)

    @property
    def name(self) -> str:
        """The model's name; asks the endpoint once if the settings name none."""
        if not self._model:
            self._model = str(self._listed().get("id", ""))
        if not self._model:
            self._fail("it lists no model and llm_model names none")
        return self._model

    @property
    def context_tokens(self) -> int:
        """The window that the endpoint's model list tells; asks once; 4096 if it tells none."""
        listed = self._listed()
        meta = listed.get("meta")
        of_llama_cpp = meta.get("n_ctx") if isinstance(meta, dict) else None
        said = listed.get("max_model_len") or of_llama_cpp
        return said if isinstance(said, int) and said > 0 else _CONTEXT_TOKENS

    def count(self, text: str) -> int:
        """Tokens by the endpoint's own ``/tokenize`` where it has one, else `estimate_tokens`.

        Raises
        ------
        LLMUnavailable, LLMTimeout
        """
        return self._counted(text) if text else 0

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "stream": True,
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        if stop:
            body["stop"] = list(stop)
        with (
            self._failures(self._timeout),
            self._http().stream("POST", f"{self._url}/chat/completions", json=body) as response,
        ):
            if response.status_code != 200:
                self._refuse(response)
            yield from self._pieces(response, max_tokens)

    def ready(self) -> None:
        response = self._probe("GET", f"{self._url}/models")
        # Not every endpoint lists its models; one that answers 404 runs.
        if response.status_code not in (200, 404):
            self._refuse(response)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _http(self) -> httpx.Client:
        import httpx

        # Servers such as vLLM's close idle connections after 5 s; never meet one in that moment.
        limits = httpx.Limits(keepalive_expiry=2.0)
        uds = str(self._socket) if self._socket else None
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    timeout=self._timeout,
                    headers={"Authorization": f"Bearer {self._key}"} if self._key else None,
                    limits=limits,
                    transport=httpx.HTTPTransport(uds=uds, limits=limits) if uds else None,
                )
            return self._client

    @contextmanager
    def _failures(self, seconds: float) -> Iterator[None]:
        """Turn what httpx raises into our errors."""
        import httpx

        try:
            yield
        except httpx.TimeoutException as e:
            raise LLMTimeout(self.endpoint, seconds) from e
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as e:
            self._fail(str(e) or type(e).__name__, e)

    def _fail(self, why: str, cause: Exception | None = None) -> NoReturn:
        if self._key:
            why = why.replace(self._key, "***")
        why = " ".join(why.split())
        raise LLMUnavailable(self.endpoint, why[:300]) from cause

    def _refuse(self, response: httpx.Response) -> NoReturn:
        """Raise what a status other than 200 means."""
        body = b""
        for part in response.iter_bytes():
            body += part
            if len(body) > 4096:
                break
        text = body.decode(errors="replace")
        if response.status_code < 500:
            self._refuse_length(text)
        self._fail(f"HTTP {response.status_code}: {text or response.reason_phrase}")

    def _refuse_length(self, error: str) -> None:
        if _TOO_LONG.search(error):
            raise BadQuery(
                f"the prompt is longer than the window of the model at {self.endpoint}",
                remedy="Ask a shorter question, or lower context_tokens",
            )

    def _probe(self, method: str, url: str, body: object = None) -> httpx.Response:
        seconds = min(_PROBE_SECONDS, self._timeout)
        with self._failures(seconds):
            return self._http().request(method, url, json=body, timeout=seconds)

    def _listed(self) -> dict[str, Any]:
        """The model's entry in ``/models``, empty where the endpoint has no such list."""
        if self._entry is None:
            response = self._probe("GET", f"{self._url}/models")
            if response.status_code not in (200, 404):
                self._refuse(response)
            entries: list[dict[str, Any]] = []
            if response.status_code == 200:
                try:
                    entries = [entry for entry in response.json()["data"] if entry["id"]]
                except (ValueError, TypeError, KeyError) as e:
                    self._fail("its list of models makes no sense", e)
            named = [entry for entry in entries if entry["id"] == self._model]
            self._entry = (named or entries or [{}])[0]
        return self._entry

    def _count(self, text: str) -> int:
        if self._dialect is None:
            # llama.cpp must be tried first: given `prompt` it answers with no tokens, no error.
            offered = (d for d in ("content", "prompt") if self._tokenized(d, "a b"))
            self._dialect = next(offered, "")
        return (self._dialect and self._tokenized(self._dialect, text)) or estimate_tokens(text)

    def _tokenized(self, dialect: str, text: str) -> int:
        """Tokens of ``text`` as llama.cpp (``content``) or vLLM (``prompt``) counts; 0 if not."""
        flag = "add_special" if dialect == "content" else "add_special_tokens"
        url = f"{self._url.removesuffix('/v1')}/tokenize"
        response = self._probe("POST", url, {"model": self.name, dialect: text, flag: False})
        if response.status_code != 200:
            return 0
        try:
            return len(response.json()["tokens"])
        except (ValueError, TypeError, KeyError):
            return 0

    def _pieces(self, response: httpx.Response, max_tokens: int) -> Iterator[str]:
        seen = 0
        try:
            for data in events.split(self._parts(response)):
                if data == b"[DONE]":
                    return
                event = events.parse(data)
                if event.error:
                    self._refuse_length(event.error)
                    self._fail(event.error)
                if event.piece:
                    yield event.piece
                seen += 1
                if event.last or seen >= max_tokens * _EVENTS_PER_TOKEN:
                    return
        except ValueError as e:
            self._fail(str(e), e)
        kind = response.headers.get("content-type", "nothing")
        if not seen and "event-stream" not in kind:
            self._fail(f"it answered with {kind}, not with a stream of events")
        self._fail("its stream ended before the answer did")

    def _parts(self, response: httpx.Response) -> Iterator[bytes]:
        """The response's bytes, as long as the answer as a whole may take."""
        deadline = time.monotonic() + _TOTAL * self._timeout
        for part in response.iter_bytes():
            if time.monotonic() > deadline:
                raise LLMTimeout(self.endpoint, _TOTAL * self._timeout)
            yield part


def _shown(url: str) -> str:
    """``url`` without user and password.

    Raises
    ------
    ConfigError
        It is no HTTP URL.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"llm_url = '{url}' is no URL of an endpoint",
            remedy="Use one such as http://localhost:8000/v1",
        )
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
