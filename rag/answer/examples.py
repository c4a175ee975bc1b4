"""Examples of questions with good answers, from a file, for prompts to show. Knows no prompt."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.analysis import terms
from rag.errors import SourceError

_K1, _B = 1.2, 0.75
_SHAPE = 'Write a line as {"question": "...", "passages": ["..."], "answer": "... [1]"}'


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the passages to answer it from, if any, and the answer."""

    question: str
    answer: str
    passages: tuple[str, ...] = ()


class Pool:
    """Examples, and which of them are like a question.

    Likeness is BM25 over the questions (Robertson and Zaragoza 2009, with Lucene's weight of a
    term), which finds examples about as well as encoders do (Rubin et al. 2022). Across languages
    it finds none.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = tuple(examples)
        self._counts = [Counter(terms(e.question)) for e in examples]
        having = Counter(term for counts in self._counts for term in counts)
        total = len(examples)
        self._weights = {t: math.log(1 + (total - n + 0.5) / (n + 0.5)) for t, n in having.items()}
        self._mean = sum(c.total() for c in self._counts) / total if total else 0.0

    def nearest(self, question: str) -> list[int]:
        """All examples' indices, the one most like ``question`` first; equal ones in order."""
        asked = set(terms(question))
        scores = [self._score(asked, counts) for counts in self._counts]
        return sorted(range(len(scores)), key=lambda i: -scores[i])

    def _score(self, asked: set[str], counts: Counter[str]) -> float:
        norm = _K1 * (1 - _B + _B * counts.total() / (self._mean or 1))
        shared = sorted(asked & counts.keys())
        return sum(self._weights[t] * counts[t] / (counts[t] + norm) for t in shared)


def load_pool(file: Path) -> Pool:
    """The examples of a JSONL file: ``question``, ``answer`` and perhaps ``passages`` a line.

    ``passages`` is a list of texts, which the answer's ``[n]`` number from 1; ``context``, one
    text, may stand for it. A file is read again only when it has changed.

    Raises
    ------
    SourceError
        It cannot be read, or a line is no example.
    """
    try:
        found = file.stat()
    except OSError as e:
        raise SourceError(str(file), f"cannot be read: {e.strerror}") from e
    return _pool(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _pool(file: Path, _changed: int, _size: int) -> Pool:
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as e:
        raise SourceError(str(file), f"cannot be read: {e}") from e
    examples = [_example(file, n, line) for n, line in enumerate(lines, 1) if line.strip()]
    if not examples:
        raise SourceError(str(file), "holds no example", remedy=_SHAPE)
    return Pool(examples)


def _example(file: Path, n: int, line: str) -> Example:
    try:
        found = json.loads(line)
    except ValueError as e:
        raise SourceError(str(file), f"is no JSON: {e}", n, remedy=_SHAPE) from e
    if not isinstance(found, dict):
        raise SourceError(str(file), "is no object", n, remedy=_SHAPE)
    for name in ("question", "answer"):
        if not _is_text(found.get(name)):
            raise SourceError(str(file), f"has no text '{name}'", n, remedy=_SHAPE)
    passages = found.get("passages", [found["context"]] if "context" in found else [])
    if not isinstance(passages, list) or not all(map(_is_text, passages)):
        raise SourceError(str(file), "'passages' is no list of texts", n, remedy=_SHAPE)
    return Example(found["question"].strip(), found["answer"].strip(), tuple(passages))


def _is_text(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and bool(value.strip())
