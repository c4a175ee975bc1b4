"""An encoder behind an OpenAI-compatible ``/embeddings`` endpoint. Knows no model itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import httpx
import numpy as np
from numpy.typing import NDArray

from rag.encode.base import unit
from rag.errors import ConfigError, LLMTimeout, LLMUnavailable, Overloaded
from rag.types import encodable

_BATCH = 64
_ATTEMPTS = 4
_LONGEST_WAIT = 20.0


class EndpointEncoder:
    """Asks an endpoint for vectors, in batches.

    A refusal for load (429) or a server's failure (5xx) is tried again, four times in all, after
    the wait that the server asks for, else 0.5, 1 and 2 s. Questions and passages are sent as they
    are, without any prompt.

    Parameters
    ----------
    url
        The API's root (``http://localhost:8000/v1``) or the endpoint itself.
    timeout
        Seconds that the endpoint may stay silent.
    pause
        Seconds before the second attempt.

    Raises
    ------
    ConfigError
        No model is named, or the URL makes no sense.
    """

    def __init__(
        self, url: str, model: str, key: str = "", *, timeout: float = 60.0, pause: float = 0.5
    ) -> None:
        if not model:
            raise ConfigError(
                "the encoder is an endpoint but no model is named",
                remedy="Set encoder_model to the name that the endpoint knows it by",
            )
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as e:
            raise ConfigError(f"the encoder's URL cannot be used: {e}") from e
        root = parsed.path.rstrip("/")
        self._url = parsed.copy_with(
            path=root if root.endswith("/embeddings") else f"{root}/embeddings"
        )
        self._shown = str(self._url.copy_with(userinfo=b"", query=None))
        self._model = model
        self._pause = pause
        self._timeout = timeout
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )
        self.name = f"{model} at {self._shown}"
        self.fingerprint = f"endpoint:{model}"

    @cached_property
    def dim(self) -> int:
        """Length of a vector; the endpoint is asked once."""
        return len(self.query("dimension"))

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (n, dim) float32, unit norm; (0, dim) for no texts.

        Raises
        ------
        LLMUnavailable
            The endpoint cannot be reached, refuses, or answers nonsense.
        LLMTimeout
            The endpoint stayed silent.
        Overloaded
            The endpoint has too much to do, after every attempt.
        """
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        batches = [list(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
        vectors = [self._vectors(batch) for batch in batches]
        if len({part.shape[1] for part in vectors}) != 1:
            raise self._unusable("its vectors are not all of one length")
        return unit(np.concatenate(vectors), self.name)

    def query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32, unit norm; raises as `passages` does."""
        vector: NDArray[np.float32] = self.passages([text])[0]
        return vector

    def _vectors(self, batch: list[str]) -> NDArray[np.float32]:
        inputs = [encodable(text) for text in batch]
        response = self._post({"model": self._model, "input": inputs, "encoding_format": "float"})
        try:
            rows = sorted(response.json()["data"], key=lambda row: row["index"])
            vectors = np.asarray([row["embedding"] for row in rows], np.float32)
        except (ValueError, KeyError, TypeError) as e:
            raise self._unusable(f"its answer is no list of embeddings ({e!r})") from e
        if vectors.ndim != 2 or len(vectors) != len(batch):
            raise self._unusable(f"it answered {len(batch)} texts with shape {vectors.shape}")
        return vectors

    def _post(self, body: dict[str, object]) -> httpx.Response:
        for attempt in range(_ATTEMPTS):
            try:
                response = self._client.post(self._url, json=body)
            except httpx.TimeoutException as e:
                raise LLMTimeout(self._shown, self._timeout, "encoder") from e
            except httpx.HTTPError as e:
                raise self._unusable(str(e) or type(e).__name__) from e
            if response.status_code == 429 or response.status_code >= 500:
                wait = _wait(response, self._pause * 2**attempt)
                if attempt < _ATTEMPTS - 1:
                    time.sleep(wait)
                    continue
                if response.status_code == 429:
                    raise Overloaded(f"the encoder at {self._shown} has too much to do", wait)
            break
        if not response.is_success:
            raise self._unusable(f"HTTP {response.status_code}: {response.text[:200]}")
        return response

    def _unusable(self, why: str) -> LLMUnavailable:
        return LLMUnavailable(self._shown, why, "encoder")


def _wait(response: httpx.Response, default: float) -> float:
    """Seconds to wait before another attempt: the server's wish, within reason."""
    try:
        return min(max(float(response.headers["retry-after"]), 0.0), _LONGEST_WAIT)
    except (KeyError, ValueError):
        return default
