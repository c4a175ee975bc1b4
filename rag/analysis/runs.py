"""Runs of text by script: what is analysed as one, and what a run is made into."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from rag.analysis import cjk, latin

MARKS = "".join(c for c in map(chr, range(0x300, 0xE00)) if unicodedata.category(c)[0] == "M")
"""Accents and vowels of alphabets, to U+0DFF: no word characters to `re`, but within words."""
_ASCII_WORD = "[A-Za-z0-9_]++"
_ANY_WORD = rf"(?:{_ASCII_WORD}[{MARKS}]*+|[^\W{cjk.CHARACTERS}][{MARKS}]*+)+"
_RUN = re.compile(
    rf"(?P<latin>{_ANY_WORD}(?:{latin.JOINTS}{_ANY_WORD})*)|(?P<cjk>[{cjk.CHARACTERS}]++)"
)
_ASCII = re.compile(f"(?P<latin>{_ASCII_WORD}(?:{latin.JOINTS}{_ASCII_WORD})*)")


class Piece(NamedTuple):
    """A term of a run: the characters that it stands for, its place among the run's places."""

    term: str
    start: int
    end: int
    at: int


class Manner(NamedTuple):
    """What a text's language means for its terms: whose stems, and whose words of the east."""

    stems: str
    east: str


def runs(text: str) -> Iterator[re.Match[str]]:
    """Words, names, numbers and codes, whose ``lastgroup`` is ``latin``; and runs of ``cjk``."""
    return (_ASCII if text.isascii() else _RUN).finditer(text)
