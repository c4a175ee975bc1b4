"""Functions that numba compiles, once the first of them is called.

Importing numba takes most of a second, and what compiles nothing (a sync that finds nothing new,
``rag status``) need not wait for it. So until then each is a stand-in; the first call puts the
functions in place of all stand-ins, which numba must find where one calls another.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

_lock = threading.RLock()
_waiting: list[_StandIn] = []


class _StandIn:
    """Called like the function that it stands for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.function: Any = None
        _waiting.append(self)

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401
        _wake()
        return self.function(*args)


def njit(**options: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """``numba.njit`` with ``options``, put off."""

    def decorated(function: Any) -> Any:  # noqa: ANN401
        def make() -> Any:  # noqa: ANN401
            from rag.jit import njit as real

            return real(**options)(function)

        return _StandIn(make)

    return decorated


def later(module: str, name: str) -> Any:  # noqa: ANN401
    """The function ``name`` of a module that imports numba itself."""
    return _StandIn(lambda: getattr(import_module(module), name))


def _wake() -> None:
    """Put functions in place of stand-ins, in all modules that have them."""
    with _lock:
        while _waiting:
            found = {id(stand_in): stand_in for stand_in in _waiting}
            for stand_in in found.values():
                stand_in.function = stand_in.make()
            for module in list(sys.modules.values()):
                for name, value in list(getattr(module, "__dict__", {}).items()):
                    if id(value) in found and isinstance(value, _StandIn):
                        setattr(module, name, value.function)
            del _waiting[: len(found)]
