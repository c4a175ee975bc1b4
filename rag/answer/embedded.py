"""A GGUF model on this machine: llama.cpp in a child process, reached through a Unix socket.

llama.cpp's server opens a loopback port that any local user may ask; here it listens on a socket
in a folder that only this user may enter, and on no port. Knows no prompt and no passage.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

from rag.answer.endpoint import HttpLLM
from rag.errors import DependencyMissing, LLMUnavailable, ModelMissing
from rag.types import Message

_CHILD = Path(__file__).with_name("llama_child.py")
_LARGEST_CONTEXT = 8192  # tokens; memory for them is taken at once
_LOAD_SECONDS = 300.0
_UNPACK = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
           10: "<Q", 11: "<q", 12: "<d"}  # fmt: skip
_STRING, _ARRAY = 8, 9


class EmbeddedLLM:
    """A model that this machine runs itself, loaded on first use.

    Requests of several threads are answered one after the other, so that the same prompt at
    temperature 0 gives the same text whatever else is asked. Needs Unix sockets.

    Parameters
    ----------
    path
        A GGUF file.
    timeout
        Seconds that the model may stay silent.
    languages
        The languages that it writes; empty for any.

    Raises
    ------
    ModelMissing
        There is no such file.
    LLMUnavailable
        The file is not a GGUF file, or its head is damaged.
    DependencyMissing
        xllamacpp is not installed.
    """

    at_once = 1

    def __init__(
        self, path: Path, *, timeout: float = 60.0, languages: tuple[str, ...] = ()
    ) -> None:
        if find_spec("xllamacpp") is None:
            raise DependencyMissing("xllamacpp", "local")
        if not path.is_file():
            raise ModelMissing(str(path), "Check the setting llm")
        self.name = path.stem
        self.endpoint = str(path)
        self.languages = languages
        self.context_tokens = min(_trained_context(path), _LARGEST_CONTEXT)
        self._path = path
        self._timeout = timeout
        self._lock = Lock()
        self._child: _Child | None = None

    def count(self, text: str) -> int:
        """Tokens of ``text`` by the model's tokenizer.

        Raises
        ------
        LLMUnavailable, LLMTimeout, DependencyMissing
        """
        return self._loaded().llm.count(text)

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
        child = self._loaded()
        try:
            yield from child.llm.stream(
                messages, max_tokens=max_tokens, temperature=temperature, stop=stop,
                schema=schema, seconds=seconds,
            )  # fmt: skip
        except LLMUnavailable:
            child.settle()
            raise

    def ready(self) -> None:
        if not self._path.is_file():
            raise LLMUnavailable(self.endpoint, "the file is gone")

    def close(self) -> None:
        """Stop whatever is being generated and free the memory; the next use loads again."""
        with self._lock:
            if self._child is not None:
                self._child.stop()
                self._child = None

    def _loaded(self) -> _Child:
        with self._lock:
            if self._child is None or not self._child.alive:
                if self._child is not None:
                    self._child.stop()
                    self._child = None
                self._child = _Child(self._path, self.context_tokens, self._timeout)
            return self._child


class _Child:
    """The process that serves the model, and its end of the socket."""

    def __init__(self, path: Path, context_tokens: int, timeout: float) -> None:
        folder = tempfile.TemporaryDirectory(prefix="saem-llm-")
        socket = Path(folder.name, "llama.sock")  # the ending says that it is no host
        self._process = subprocess.Popen(  # noqa: S603
            [
                sys.executable,
                "-P",
                str(_CHILD),
                str(path.resolve()),
                str(socket),
                str(context_tokens),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the service, which then stops this
        )
        self.llm = HttpLLM(
            "http://localhost/v1", path.stem, timeout=timeout, socket=socket, endpoint=str(path)
        )
        self.stop = weakref.finalize(self, _stop, self._process, self.llm, folder)
        self._await(path)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def settle(self) -> None:
        """Let a process that is crashing finish, so that the next use sees that it has gone."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)

    def _await(self, path: Path) -> None:
        """Return once the model is loaded."""
        report = cast(IO[bytes], self._process.stdout)
        seen, _, _ = select.select([report], [], [], _LOAD_SECONDS)
        line = report.readline() if seen else b""
        if line.startswith(b'{"ok"'):
            return
        self.stop()
        if line:
            failure = json.loads(line)
            if failure["stage"] == "import":
                why = f"cannot be loaded ({failure['why']})"
                raise DependencyMissing("xllamacpp", "local", why=why)
            raise LLMUnavailable(
                str(path), "llama.cpp cannot load the file; it may be damaged, or memory short"
            )
        took = f"took more than {_LOAD_SECONDS:g} s" if not seen else "crashed"
        raise LLMUnavailable(str(path), f"loading the file {took}")


def _stop(
    process: subprocess.Popen[bytes], llm: HttpLLM, folder: tempfile.TemporaryDirectory[str]
) -> None:
    process.kill()
    process.wait()
    llm.close()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    folder.cleanup()


def _trained_context(path: Path) -> int:
    """Tokens of the window that the GGUF file's model was trained with.

    Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.

    Raises
    ------
    LLMUnavailable
        It is no such file, is cut short before that, or does not say.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(4) != b"GGUF" or _number(file, "<I") not in (2, 3):
                raise LLMUnavailable(str(path), "it is no GGUF file of version 2 or 3")
            _number(file, "<Q")
            for _ in range(min(int(_number(file, "<Q")), size)):
                name = _string(file, size)
                value = _value(file, int(_number(file, "<I")), size)
                if name.endswith(b".context_length") and value > 0:
                    return int(value)
    except (struct.error, ValueError, OSError) as e:
        raise LLMUnavailable(str(path), f"the file is damaged ({e})") from e
    raise LLMUnavailable(str(path), "the file does not say how long the model's window is")


def _number(file: IO[bytes], code: str) -> float:
    return cast(float, struct.unpack(code, file.read(struct.calcsize(code)))[0])


def _string(file: IO[bytes], size: int) -> bytes:
    length = int(_number(file, "<Q"))
    if length > size:
        raise ValueError("a text is longer than the file")
    return file.read(length)


def _value(file: IO[bytes], kind: int, size: int) -> float:
    """The number that comes next; texts and arrays are passed over and are 0."""
    if kind == _STRING:
        _string(file, size)
    elif kind == _ARRAY:
        of, length = int(_number(file, "<I")), int(_number(file, "<Q"))
        if of == _ARRAY:
            raise ValueError("an array holds arrays")
        for _ in range(length):
            _value(file, of, size)
    elif kind in _UNPACK:
        return _number(file, _UNPACK[kind])
    else:
        raise ValueError(f"there is no type {kind}")
    return 0
