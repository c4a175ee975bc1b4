"""How many tokens a text has: by an encoder's tokenizer, or about, without. Knows no documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.compiled import njit

# One match is about one token of XLM-RoBERTa's vocabulary. It breaks long Hangul words into
# single syllables but for the last two, hence the two Hangul branches.
TOKEN = re.compile(
    r"[A-Za-zÀ-ɏ]{1,6}|[가-힣]{1,2}(?![가-힣]{2})|[가-힣]|[0-9]{1,3}"
    r"|[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W\d_]{1,3}|\w|([^\w\s])\1{0,2}"
)
_LATIN, _HANGUL, _DIGIT, _HAN, _LETTER, _WORD, _MARK = range(1, 8)
_IS_LETTER = 8


class Counter(Protocol):
    """Counts tokens: `Estimate`, or `rag.encode.tokenizer.Tokenizer`.

    Attributes
    ----------
    fingerprint
        Changes whenever the counts would.
    """

    @property
    def fingerprint(self) -> str: ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; 1 or more where it is not blank."""
        ...

    def spans(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Start, end and size of each token of ``text[start:end]``; blanks are no part of one."""
        ...


class Estimate:
    """`estimate_tokens` as a `Counter`."""

    fingerprint = "estimate:1"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [estimate_tokens(text) for text in texts]

    def spans(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        return ((*found.span(), 1) for found in TOKEN.finditer(text, start, end))


ESTIMATE: Counter = Estimate()


def estimate_tokens(text: str) -> int:
    """About how many tokens multilingual-e5's tokenizer makes of ``text``, without it.

    On Korean and English prose, documentation and Python code the mean ratio of real to estimated
    tokens lies between 0.97 and 1.09, and 95 of 100 passages stay below 1.2.
    """
    if text.isascii():
        return int(_count(np.frombuffer(text.encode(), np.uint8), _kinds()))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if codes.max() > 0xFFFF:
        return len(TOKEN.findall(text))
    return int(_count(codes, _kinds()))


@cache
def _kinds() -> NDArray[np.uint8]:
    """What ``TOKEN`` takes each character of the Basic Multilingual Plane for."""
    every = "".join(map(chr, range(0x10000)))
    kinds = np.zeros(0x10000, np.uint8)
    for kind, pattern in (
        (_MARK, r"[^\w\s]"),
        (_WORD, r"\w"),
        (_LETTER, r"[^\W\d_]"),
        (_HAN, r"[\u3040-\u30ff\u3400-\u9fff]"),
        (_DIGIT, r"[0-9]"),
        (_HANGUL, r"[가-힣]"),
        (_LATIN, r"[A-Za-zÀ-ɏ]"),
    ):
        kinds[[m.start() for m in re.finditer(pattern, every)]] = kind
    kinds[[m.start() for m in re.finditer(r"[^\W\d_]", every)]] |= _IS_LETTER
    return kinds


@njit(nogil=True, cache=True)
def _count(codes, kinds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Matches of ``TOKEN``."""
    found, i, n = 0, 0, len(codes)
    while i < n:
        kind = kinds[codes[i]] & 7
        start = i
        i += 1
        if kind == 0:
            continue
        found += 1
        if kind == _LETTER:
            while i < n and i < start + 3 and kinds[codes[i]] & _IS_LETTER:
                i += 1
        elif kind == _MARK:
            while i < n and i < start + 3 and codes[i] == codes[start]:
                i += 1
        elif kind == _HANGUL:
            while i < n and kinds[codes[i]] & 7 == _HANGUL:
                i += 1
            found += max(i - start - 2, 0)
        elif kind != _WORD:
            most = 6 if kind == _LATIN else 3 if kind == _DIGIT else 2
            while i < n and i < start + most and kinds[codes[i]] & 7 == kind:
                i += 1
    return found
