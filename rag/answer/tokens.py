"""How many tokens a text is, where no tokenizer is at hand. Knows no model."""

from __future__ import annotations

import math
import re

_PIECE = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)
# Alphabets that tokenizers know less well than English's: accented Latin to Arabic.
_ALPHABETIC = ("\u00aa", "\u07ff")


def estimate_tokens(text: str) -> int:
    """About how many tokens ``text`` is, rather above the truth than below.

    A quarter of an English word's letters and half of another alphabet's, rounded up a word; one
    for a digit, a punctuation mark, a line break, a Hangul syllable or a Chinese character; three
    for what lies beyond the basic plane, such as emoji.
    """
    tokens = 0.0
    for piece in _PIECE.findall(text):
        if piece.isspace():
            tokens += piece.count("\n") or len(piece) > 1
        elif piece.isascii():
            tokens += math.ceil(len(piece) / 4)
        elif _ALPHABETIC[0] <= piece <= _ALPHABETIC[1]:
            tokens += 0.5
        else:
            tokens += 3 if ord(piece) > 0xFFFF else 1
    return math.ceil(tokens)
