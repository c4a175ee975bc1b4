"""Words of Chinese by jieba, an extra."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryDirectory
from typing import Any, Literal

from rag.errors import DependencyMissing

Backend = Literal["bigrams", "jieba"]


def words(run: str) -> Iterator[tuple[str, int, int]]:
    """``(word, start, end)`` of the words of ``run``, those within longer ones, too.

    Raises
    ------
    DependencyMissing
        jieba is not installed.
    """
    yield from _jieba().tokenize(run, mode="search")


def installed(backend: Backend) -> str:
    """The backend with its package's version."""
    names = ("jieba",) if backend == "jieba" else ()
    try:
        return " ".join([backend, *map(version, names)])
    except PackageNotFoundError as e:
        raise DependencyMissing("jieba", "zh") from e


@cache
def _jieba() -> Any:  # noqa: ANN401 - an extra, without types
    try:
        from jieba import Tokenizer, setLogLevel
    except ImportError as e:
        raise DependencyMissing("jieba", "zh") from e
    setLogLevel("WARNING")
    tokenizer = Tokenizer()
    with TemporaryDirectory() as folder:  # else it would trust a file of anyone's in /tmp
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return tokenizer
