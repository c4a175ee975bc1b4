"""Runs the application under uvicorn."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn

from api.app import create_app
from rag.errors import ConfigError
from rag.settings import Settings


def run(settings: Settings, announce: Callable[[str], None] = lambda url: None) -> None:
    """Serve until interrupted; ``announce`` is called with the URL once the socket listens.

    Raises
    ------
    ConfigError
        The address cannot be listened on.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("saem").setLevel(logging.INFO)
    listening = _listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    config = uvicorn.Config(create_app(settings), log_level="warning", timeout_graceful_shutdown=5)
    announce(f"http://{host}:{listening.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not set TCP_NODELAY, and every answer takes 40 ms more.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as e:
        listening.close()
        raise ConfigError(
            f"cannot listen on {host}:{port}: {e.strerror}", remedy="Choose another --port"
        ) from e
    return listening
