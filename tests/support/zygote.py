"""A process that has imported and compiled everything, and forks others that need not.

Each runs one function of the tests and can be killed at any moment; what it says is read line by
line.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.collections import ROOT


@dataclass
class Child:
    """A forked process; ``status`` is that of its end, minus the signal if it was killed by one."""

    pid: int
    status: int | None = None


class Zygote:
    """The process that forks."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        assert json.loads(self._line()) == "ready"

    def start(self, call: str, *args: Any) -> Child:
        """A child that runs ``call``, as ``module:function``, with what JSON makes of ``args``."""
        assert self._process.stdin is not None
        print(json.dumps([call, args]), file=self._process.stdin, flush=True)
        return Child(int(self._line()))

    def run(self, call: str, *args: Any) -> list[Any]:
        """What ``call`` said, which has come to its end by itself."""
        child = self.start(call, *args)
        said = list(self.lines(child))
        assert child.status == 0, f"{call} ended with {child.status} after {said[-3:]}"
        return said

    def lines(self, child: Child) -> Iterator[Any]:
        """What the child says, until it ends."""
        while said := self._line():
            heard = json.loads(said)
            if isinstance(heard, dict) and "over" in heard:
                child.status = heard["over"]
                return
            yield heard

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


@functools.cache
def zygote() -> Zygote:
    """The one of this test run."""
    made = Zygote()
    atexit.register(made.close)
    return made


def say(what: Any) -> None:
    """Tell the tests; in one write, so that a kill leaves no half line."""
    os.write(1, json.dumps(what).encode() + b"\n")


def _warm() -> None:
    """Compile or load what searching, merging and encoding need."""
    from rag.index import Collection
    from tests.support.corpus import encode, row, vector

    place = Path(tempfile.mkdtemp())
    collection = Collection(place / "warm", create=True)
    for i in range(3):
        collection.upsert([row(f"d{i}", "alpha beta\n\ngamma 샘물은 맑다"), row("r", f"v{i}")])
        encode(collection)
    collection.delete([row("d0", "").document.id])
    for _ in range(2):
        assert collection.sparse(["alpha", "beta"], 2)
        assert collection.dense(vector("q"), 2)
        collection.compact()
    collection.close()
    shutil.rmtree(place)


def _child(function: Callable[..., None], args: list[Any]) -> None:
    status = 1
    try:
        say(os.getpid())
        function(*args)
        status = 0
    except BaseException:
        say({"failed": traceback.format_exc()})
    finally:
        os._exit(status)


def _serve() -> None:
    _warm()
    say("ready")
    for line in sys.stdin:
        call, args = json.loads(line)
        module, _, name = call.partition(":")
        function = getattr(importlib.import_module(module), name)
        gc.freeze()  # children need not look through all that
        if pid := os.fork():
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            say({"over": status})
        else:
            _child(function, args)


if __name__ == "__main__":
    _serve()
