"""The connection to an OpenAI-compatible endpoint: requests out, responses or typed errors back.

Knows bodies only as far as an endpoint refuses parts of them, and nothing of what a response says.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from rag.answer import dialects
from rag.answer.deadline import Deadline
from rag.errors import BadQuery, ConfigError, LLMTimeout, LLMUnavailable

if TYPE_CHECKING:
    import httpx

_PROBE_SECONDS = 5.0
_LONGEST_PAUSE = 10.0  # seconds that a busy endpoint is waited for, once
_BUSY = (429, 503)
_REFUSED = (400, 422)
_PASSWORD = re.compile(r"//[^/]*@")


class Connection:
    """Parameters as of ``rag.answer.endpoint.HttpLLM``.

    Raises
    ------
    ConfigError
        The URL or the key is malformed.
    """

    def __init__(
        self, url: str, key: str, timeout: float, *, socket: Path | None = None, endpoint: str = ""
    ) -> None:
        self.url = url.rstrip("/")
        self.endpoint = endpoint or _shown(self.url)
        self.timeout = timeout
        self._key = key.strip()
        self._socket = socket
        self._client: httpx.Client | None = None
        self._lock = Lock()
        self._refused: frozenset[str] = frozenset()  # fields that it takes no request with
        if not self._key.isprintable() or not self._key.isascii():
            raise ConfigError("llm_key holds characters that cannot be part of a key")

    @contextmanager
    def chat(self, body: Mapping[str, Any], deadline: Deadline) -> Iterator[httpx.Response]:
        """The response to a streamed chat completion, whose connection ends with the block.

        Raises
        ------
        LLMUnavailable, LLMTimeout
            Also when the deadline passes, or the connection breaks, within the block.
        BadQuery
            The messages do not fit the model's window.
        """
        with (
            self._failures(self.timeout, deadline),
            closing(self._open(body, deadline)) as response,
            deadline.cuts(_socket_of(response)),
        ):
            yield response

    def probe(self, method: str, url: str, body: object = None) -> httpx.Response:
        """The response to a request that takes no time, whatever its status.

        Raises
        ------
        LLMUnavailable, LLMTimeout
        """
        seconds = min(_PROBE_SECONDS, self.timeout)
        with self._failures(seconds):
            return self._http().request(method, url, json=body, timeout=seconds)

    def fail(self, why: str, cause: Exception | None = None) -> NoReturn:
        """Raise that the endpoint is not usable, without the key that ``why`` may hold."""
        if self._key:
            why = why.replace(self._key, "***")
        why = " ".join(why.split())
        raise LLMUnavailable(self.endpoint, why[:300]) from cause

    def refuse(self, response: httpx.Response, error: str = "") -> NoReturn:
        """Raise what a status other than 200 means."""
        text = error or _text(response)
        if response.status_code < 500:
            self.refuse_length(text)
        self.fail(f"HTTP {response.status_code}: {text or response.reason_phrase}")

    def refuse_length(self, error: str) -> None:
        """Raise if ``error`` says that the messages are too long."""
        if dialects.too_long(error):
            raise BadQuery(
                f"the prompt is longer than the window of the model at {self.endpoint}",
                remedy="Ask a shorter question, or lower context_tokens",
            )

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _open(self, body: Mapping[str, Any], deadline: Deadline) -> httpx.Response:
        """The response to a chat, asked again where the endpoint says how it wants to be asked."""
        client, url = self._http(), f"{self.url}/chat/completions"
        waited, unguided = False, frozenset[str]()
        while not deadline.passed:
            sent = dialects.without(body, self._refused | unguided)
            seconds = min(self.timeout, deadline.left)
            request = client.build_request("POST", url, json=sent, timeout=seconds)
            response = client.send(request, stream=True)
            if response.status_code == 200:
                return response
            with closing(response), deadline.cuts(_socket_of(response)):
                error = _text(response)
            pause = dialects.retry_after(response.headers.get("retry-after"))
            field = dialects.refused(sent, error) if response.status_code in _REFUSED else ""
            if response.status_code in _BUSY and pause is not None and not waited:
                if pause >= min(_LONGEST_PAUSE, deadline.left):
                    self.fail(f"it is busy and asks to come back in {pause:.0f} s: {error}")
                waited = True
                time.sleep(pause)
            elif not field or dialects.too_long(error):
                self.refuse(response, error)
            elif field == "response_format":
                unguided = frozenset({field})  # for this call alone: it may take another schema
            else:
                self._refused |= {field}
        raise LLMTimeout(self.endpoint, deadline.seconds)

    def _http(self) -> httpx.Client:
        import httpx

        # Servers such as vLLM's close idle connections after 5 s; never meet one in that moment.
        limits = httpx.Limits(keepalive_expiry=2.0)
        uds = str(self._socket) if self._socket else None
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    timeout=self.timeout,
                    headers={"Authorization": f"Bearer {self._key}"} if self._key else None,
                    limits=limits,
                    transport=httpx.HTTPTransport(uds=uds, limits=limits) if uds else None,
                )
            return self._client

    @contextmanager
    def _failures(self, silence: float, deadline: Deadline | None = None) -> Iterator[None]:
        """Turn what httpx raises into our errors."""
        import httpx

        try:
            yield
        except LLMUnavailable as e:
            # A reply that goes on until its connection ends looks finished where it was cut.
            if deadline and deadline.passed:
                raise LLMTimeout(self.endpoint, deadline.seconds) from e
            raise
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as e:
            if deadline and deadline.passed:
                raise LLMTimeout(self.endpoint, deadline.seconds) from e
            if isinstance(e, httpx.TimeoutException):
                raise LLMTimeout(self.endpoint, silence) from e
            self.fail(str(e) or type(e).__name__, e)


def _socket_of(response: httpx.Response) -> Any:  # noqa: ANN401
    network = response.extensions.get("network_stream")
    return network and network.get_extra_info("socket")


def _text(response: httpx.Response) -> str:
    """The beginning of a response's body."""
    body = b""
    for part in response.iter_bytes():
        body += part
        if len(body) > 4096:
            break
    return body.decode(errors="replace")


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
            f"llm_url = '{_PASSWORD.sub('//***@', url)}' is no URL of an endpoint",
            remedy="Use one such as http://localhost:8000/v1",
        )
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
