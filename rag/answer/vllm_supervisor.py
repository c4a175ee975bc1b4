"""Keeps a server of a language model running on a loopback port until it is told to stop.

Knows neither vLLM's arguments nor what the model is asked.
"""

from __future__ import annotations

import logging
import re
import secrets
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Event, Thread
from typing import IO

from rag.answer.endpoint import HttpLLM
from rag.errors import LLMUnavailable, RagError

_log = logging.getLogger("saem")
_CHILD = Path(__file__).with_name("vllm_child.py")
_GRACE = 10.0  # seconds between asking the server to end and killing it
_TICK = 0.2  # seconds between two looks at it
_PROGRESS = 15.0  # seconds between two lines in the log while it loads
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds before a restart; they double with each
_SOUND = 60.0  # seconds of service after which a crash counts as the first again


class Supervisor:
    """Runs ``command`` with ``--port N`` appended, again after each crash, in the background.

    Parameters
    ----------
    model
        The name that requests ask the server for.
    endpoint
        What errors name.
    timeout
        Seconds that the server may stay silent.
    """

    def __init__(self, command: Sequence[str], model: str, endpoint: str, timeout: float) -> None:
        self._command = list(command)
        self._model = model
        self._endpoint = endpoint
        self._timeout = timeout
        self._key = secrets.token_urlsafe(32)
        self._stopping = Event()
        self._changed = Condition()
        self._llm: HttpLLM | None = None
        self._down = ""  # why nothing runs and nothing is being loaded
        self._began = time.monotonic()
        self._thread = Thread(target=self._supervise, name="saem-vllm", daemon=True)
        self._thread.start()

    def running(self, seconds: float) -> HttpLLM:
        """The server, once it answers; waits for it to load, but not for a restart.

        Raises
        ------
        LLMUnavailable
            It crashed, was stopped, or still loads after ``seconds``.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._llm or self._down, seconds)
            if self._llm:
                return self._llm
            loading = f"it is still loading, {time.monotonic() - self._began:.0f} s so far"
            raise LLMUnavailable(self._endpoint, self._down or loading)

    def stop(self) -> None:
        """End the server and all its processes; returns when they are gone."""
        self._stopping.set()
        self._say(None, "")
        self._thread.join(2 * _GRACE)

    def _supervise(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            self._say(None, "")
            served, why = self._run()
            if self._stopping.is_set():
                return
            pause = _FIRST_PAUSE if served > _SOUND else pause
            self._say(None, f"{why}; it is started again in {pause:g} s")
            _log.warning("%s: %s; starting it again in %g s", self._endpoint, why, pause)
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _say(self, llm: HttpLLM | None, down: str) -> None:
        with self._changed:
            if self._stopping.is_set():
                llm, down = None, "it was stopped"
            if self._llm and not llm:
                self._llm.close()
            self._llm, self._down = llm, down
            self._changed.notify_all()

    def _run(self) -> tuple[float, str]:
        """Run the server until it ends; the seconds that it served, and how it ended."""
        port = _free_port()
        self._began = time.monotonic()
        url = f"http://127.0.0.1:{port}/v1"
        llm = HttpLLM(url, self._model, self._key, self._timeout, endpoint=self._endpoint)
        try:
            process = _start([*self._command, "--port", str(port)])
        except OSError as e:
            return 0.0, f"it cannot be started ({e})"
        lines: deque[str] = deque(maxlen=200)
        reader = Thread(target=_read, args=(process.stdout, lines), daemon=True)
        reader.start()
        with suppress(OSError):
            _write(process.stdin, self._key)
        served = self._watch(process, llm, lines)
        status = _end(process)
        reader.join(_TICK)
        return served, f"it ended with status {status} ({_telling(lines)})"

    def _watch(self, process: subprocess.Popen[str], llm: HttpLLM, lines: Sequence[str]) -> float:
        """Wait until the server ends or is to end; the seconds that it served."""
        ready = 0.0
        told = self._began
        while process.poll() is None and not self._stopping.wait(_TICK):
            now = time.monotonic()
            if not ready and _answers(llm):
                ready = now
                self._say(llm, "")
                _log.info("%s is ready after %.0f s", self._endpoint, now - self._began)
            elif not ready and now - told > _PROGRESS:
                told = now
                last = lines[-1] if lines else "no word yet"
                _log.info("%s is loading, %.0f s: %s", self._endpoint, now - self._began, last)
        return time.monotonic() - ready if ready else 0.0


def _answers(llm: HttpLLM) -> bool:
    try:
        llm.ready()
    except RagError:
        return False
    return True


def _free_port() -> int:
    """A port that nothing listens on; whatever takes it first has it."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        return int(s.getsockname()[1])


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (the command is the administrator's)
        [sys.executable, "-P", str(_CHILD), str(_GRACE), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for the service, which then stops this
    )


def _read(pipe: IO[str] | None, lines: deque[str]) -> None:
    if pipe is None:
        return
    with pipe:
        for line in pipe:
            if text := line.strip():
                lines.append(text[:300])
                _log.debug("vLLM: %s", text)


def _write(pipe: IO[str] | None, line: str) -> None:
    if pipe:
        pipe.write(f"{line}\n")
        pipe.flush()


def _end(process: subprocess.Popen[str]) -> int:
    """Close the process's stdin, at which it ends, and wait for that."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    try:
        return process.wait(2 * _GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _telling(lines: Sequence[str]) -> str:
    """The line of a server's last ones that says best why it ended."""
    # The first error is the cause of those after it, some of which only say that there was one.
    errors = [line for line in lines if re.search(r"\w(Error|Exception)\b|\berror:", line)]
    return (errors or [*lines][-1:] or ["it said nothing"])[0]
