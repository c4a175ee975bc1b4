"""Which processor a model runs on. Knows no model; imports torch only beside an NVIDIA driver."""

from __future__ import annotations

import ctypes
import logging
from importlib.util import find_spec
from typing import Literal

from rag.types import Device

_DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_log = logging.getLogger("saem")


def pick(device: Device) -> Literal["cuda", "cpu"]:
    """The processor that ``device`` comes to on this machine.

    ``auto`` is the GPU where torch and sentence-transformers can use one. ``cuda`` without one is
    the CPU, and one line in the log.
    """
    if device == "cpu":
        return "cpu"
    if _driver() and find_spec("torch") and find_spec("sentence_transformers"):
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if device == "cuda":
        _log.warning("encoding on the CPU: torch finds no CUDA GPU on this machine")
    return "cpu"


def _driver() -> bool:
    for name in _DRIVERS:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
