"""Work in a fresh process, so that memory and caches of contenders do not mix.

Results come back as JSON. Knows nothing of what is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_STATUS = Path("/proc/self/status")


def rss_mb() -> float:
    """Memory that this process has now, in MB (2**20 bytes); its peak where Linux is not."""
    return _memory("VmRSS")


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    return _memory("VmHWM")


def in_child(function: Callable[..., Any], *args: Any) -> tuple[Any, float]:  # noqa: ANN401
    """``function(*args)`` in a fresh process: its result and the process's peak memory in MB.

    ``function`` is a module's own, its arguments small, its result fit for JSON.

    Raises
    ------
    RuntimeError
        The function failed, or its process died.
    """
    with Worker(_Holder, function) as worker:
        return worker.call("call", *args), worker.peak_mb()


class Worker:
    """A fresh process that makes ``factory(*args)`` and calls its methods.

    Raises
    ------
    RuntimeError
        Making it or a call failed, with the error's type and text, or the process died.
    """

    def __init__(self, factory: Callable[..., Any], *args: Any) -> None:  # noqa: ANN401
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, factory, args))
        self._process.start()
        theirs.close()
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        """What the object's ``method`` returns for ``args``."""
        try:
            self._pipe.send_bytes(json.dumps([method, args]).encode())
        except OSError:
            raise self._died() from None
        return self._answer()

    def peak_mb(self) -> float:
        return float(self.call("peak_mb"))

    def rss_mb(self) -> float:
        return float(self.call("rss_mb"))

    def close(self) -> None:
        """End the process; what it holds is closed first where it has a ``close``."""
        self._pipe.close()
        self._process.join(10)
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> Any:  # noqa: ANN401
        try:
            answer = json.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            raise self._died() from None
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def _died(self) -> RuntimeError:
        self._process.join(10)
        return RuntimeError(f"its process died (exit code {self._process.exitcode})")


class _Holder:
    """Makes a function callable as a method."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.call = function


def _serve(pipe: Connection, factory: Callable[..., Any], args: tuple[Any, ...]) -> None:
    held: Any = None

    def make() -> None:
        nonlocal held
        held = factory(*args)

    own = {"peak_mb": peak_mb, "rss_mb": rss_mb}
    if not _reply(pipe, make):
        return
    while True:
        try:
            method, values = json.loads(pipe.recv_bytes())
        except EOFError:
            break
        function = own[method] if method in own else getattr(held, method)
        _reply(pipe, function, *values)
    if hasattr(held, "close"):
        held.close()


def _reply(pipe: Connection, function: Callable[..., Any], *args: Any) -> bool:  # noqa: ANN401
    """Send what the function returns, or its error; whether it went well."""
    try:
        data = json.dumps({"result": function(*args)}).encode()
    except Exception as e:
        pipe.send_bytes(json.dumps({"error": f"{type(e).__name__}: {e}"}).encode())
        return False
    pipe.send_bytes(data)
    return True


def _memory(field: str) -> float:
    # Not `ru_maxrss`: Linux hands the parent's on to a child through fork and exec.
    if _STATUS.exists():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(lines[field].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
