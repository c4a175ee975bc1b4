"""Words of Japanese by SudachiPy, an extra: normalised, without particles and auxiliaries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from rag.errors import DependencyMissing

Backend = Literal["bigrams", "sudachi"]
_KEPT = frozenset(("名詞", "動詞", "形容詞", "形状詞", "副詞", "連体詞"))


def words(run: str) -> Iterator[tuple[str, int, int]]:
    """``(word, start, end)`` of the words of ``run`` that mean something.

    Raises
    ------
    DependencyMissing
        SudachiPy or its dictionary is not installed.
    """
    for found in _here.sudachi.tokenize(run):
        if found.part_of_speech()[0] in _KEPT:
            yield found.normalized_form(), found.begin(), found.end()


def installed(backend: Backend) -> str:
    """The backend with its packages' versions."""
    names = ("SudachiPy", "SudachiDict-core") if backend == "sudachi" else ()
    try:
        return " ".join([backend, *map(version, names)])
    except PackageNotFoundError as e:
        raise DependencyMissing("sudachipy", "ja") from e


class _Here(threading.local):  # a tokenizer is not safe across threads
    @property
    def sudachi(self) -> Any:  # noqa: ANN401 - an extra, without types where it is missing
        if (known := self.__dict__.get("_sudachi")) is None:
            try:
                from sudachipy import Dictionary, SplitMode

                known = Dictionary().create(mode=SplitMode.A)
            except ImportError as e:
                raise DependencyMissing("sudachipy", "ja") from e
            self.__dict__["_sudachi"] = known
        return known


_here = _Here()
