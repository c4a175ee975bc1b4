"""A client of OpenAI-compatible endpoints.

Turns messages into pieces of text, and everything that an endpoint can do wrong into a typed
error, in bounded time. Knows no prompt and no passage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answer import dialects, events, replies
from rag.answer.connection import Connection
from rag.answer.deadline import Deadline
from rag.answer.tokens import estimate_tokens
from rag.types import Message

if TYPE_CHECKING:
    import httpx

_CONTEXT_TOKENS = 4096  # assumed of an endpoint that does not say
_TOTAL = 10  # an answer may take this many times the silence that is allowed
_EVENTS_PER_TOKEN = 4  # proxies cut tokens into several events; past this a stream is a runaway


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
    at_once = 8

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
        self._at = Connection(url, key, timeout, socket=socket, endpoint=endpoint)
        self.endpoint = self._at.endpoint
        self._model = model
        self._entry: dict[str, Any] | None = None
        self._dialect: str | None = None
        self._counted = lru_cache(maxsize=4096)(self._count)

    @property
    def name(self) -> str:
        """The model's name; asks the endpoint once if the settings name none."""
        if not self._model:
            self._model = str(self._listed().get("id", ""))
        if not self._model:
            self._at.fail("it lists no model and llm_model names none")
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
        schema: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        deadline = Deadline(_TOTAL * self._at.timeout if seconds is None else seconds)
        body = dialects.chat(
            self.name,
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=stop,
            schema=schema,
        )
        with self._at.chat(body, deadline) as response:
            yield from replies.until(replies.said(self._pieces(response, max_tokens)), stop)

    def ready(self) -> None:
        self._models()

    def close(self) -> None:
        self._at.close()

    def _models(self) -> httpx.Response:
        """The endpoint's list of models; not every one has it, but one that answers 404 runs."""
        response = self._at.probe("GET", f"{self._at.url}/models")
        if response.status_code not in (200, 404):
            self._at.refuse(response)
        return response

    def _listed(self) -> dict[str, Any]:
        """The model's entry in ``/models``, empty where the endpoint has no such list."""
        if self._entry is None:
            response = self._models()
            entries: list[dict[str, Any]] = []
            if response.status_code == 200:
                try:
                    entries = [entry for entry in response.json()["data"] if entry["id"]]
                except (ValueError, TypeError, KeyError) as e:
                    self._at.fail("its list of models makes no sense", e)
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
        url = f"{self._at.url.removesuffix('/v1')}/tokenize"
        response = self._at.probe("POST", url, {"model": self.name, dialect: text, flag: False})
        if response.status_code != 200:
            return 0
        try:
            return len(response.json()["tokens"])
        except (ValueError, TypeError, KeyError):
            return 0

    def _pieces(self, response: httpx.Response, max_tokens: int) -> Iterator[str]:
        seen = 0
        try:
            for data in events.split(response.iter_bytes()):
                if data == b"[DONE]":
                    return
                event = events.parse(data)
                if event.error:
                    self._at.refuse_length(event.error)
                    self._at.fail(event.error)
                if event.piece:
                    yield event.piece
                seen += 1
                if event.last or seen >= max_tokens * _EVENTS_PER_TOKEN:
                    return
        except ValueError as e:
            self._at.fail(str(e), e)
        kind = response.headers.get("content-type", "nothing")
        if not seen and "event-stream" not in kind:
            self._at.fail(f"it answered with {kind}, not with a stream of events")
        self._at.fail("its stream ended before the answer did")
