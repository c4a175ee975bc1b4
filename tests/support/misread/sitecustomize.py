"""On a child's import path, makes its reader do what the first line of a text says."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import indexer.readers

_read = indexer.readers.read


def _hoard(_: str) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 20))


def _nest(word: str) -> None:
    _nest(word)


def _shout(_: str) -> None:
    for _ in range(1000):
        os.write(1, b"out" * 100)
        sys.stderr.write("err" * 100 + "\n")


def _abort(word: str) -> None:
    if word:
        os.write(2, f"first line\n{word}\n\n".encode())
    os.abort()


def _bear(word: str) -> None:
    child = subprocess.Popen(["sleep", "1000"])
    Path(word).write_text(str(child.pid))
    time.sleep(1000)


def _rave(_: str) -> None:
    for number in range(3, 30):
        with contextlib.suppress(OSError):
            os.write(number, b"\xff" * 64)
    time.sleep(1000)


_DEEDS = {
    "sleep": lambda word: time.sleep(float(word)),
    "spin": lambda _: re.match(r"(a+)+$", "a" * 64 + "b"),  # never lets go of the interpreter
    "hoard": _hoard,
    "nest": _nest,
    "segv": lambda _: ctypes.string_at(0),
    "abort": _abort,
    "exit": lambda word: os._exit(int(word)),
    "leave": lambda word: sys.exit(int(word)),
    "raise": lambda word: int(word),
    "shout": _shout,
    "bear": _bear,
    "rave": _rave,
    "fill": lambda word: Path(word).write_bytes(bytes(100 << 20)),
}


def read(data: bytes, *, uri: str, path: str) -> Any:
    if data.startswith(b"!"):
        deed, _, word = data.split(b"\n")[0].decode()[1:].partition(" ")
        _DEEDS[deed](word)
    return _read(data, uri=uri, path=path)


indexer.readers.read = read
