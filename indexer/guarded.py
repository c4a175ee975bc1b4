"""Connections of the fetcher: to addresses that were checked, and never longer than the deadline.

Knows no HTTP.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import httpcore

from indexer.addresses import resolve

_CONNECT_SECONDS = 10.0


class Guarded(httpcore.NetworkBackend):
    """Connects to checked addresses only, and gives no operation more time than is left."""

    def __init__(self, shown: str, allow_private: bool, deadline: float) -> None:
        self._shown, self._allow_private, self._deadline = shown, allow_private, deadline
        self._network = httpcore.SyncBackend()

    def left(self) -> float:
        if (left := self._deadline - time.monotonic()) <= 0:
            raise httpcore.ReadTimeout
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        checked = resolve(host, port, allow_private=self._allow_private, shown=self._shown)
        for address in checked[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._connect(address, port)
        return self._connect(checked[-1], port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        wait = min(self.left(), _CONNECT_SECONDS)
        return _Timed(self._network.connect_tcp(address, port, wait), self.left)


class _Timed(httpcore.NetworkStream):
    """A stream whose operations end with the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Timed(
            self._stream.start_tls(ssl_context, server_hostname, self._left()), self._left
        )

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401
        return self._stream.get_extra_info(info)
