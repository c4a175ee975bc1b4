"""Tells what a model thinks from what it answers, while its reply streams. Knows no prompt."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain

from rag.types import Step

_COLON = r"(?:\*\*)?[ \t]*[:\uff1a]"
_ANSWER = re.compile(
    r"(?:\[\d+\][ \t]*)*(?:\*\*|#+ )?(?:"
    rf"(?:(?:therefore|so|thus),? )?the (?:final )?answer is(?:{_COLON}|\s)"
    rf"|(?:final )?answer{_COLON}"
    rf"|(?:(?:따라서|그러므로),? )?(?:최종 )?(?:정답|답변|답)(?:은\s|{_COLON})"
    r")",
    re.IGNORECASE,
)
"""What stands before the answer, at the beginning of a sentence."""
_END = re.compile(r"(?<!^\d[.])(?<!^\d\d[.])(?<=[.!?\u3002\uff01\uff1f])\s+|\n\s*")
"""Where a sentence has ended; the number of an item is no end."""
_MARGIN = re.compile(r"\s*(?:\*\*\s+)?")
"""Before the answer; asterisks that a blank follows end what is bold."""


def told_apart(pieces: Iterable[str], *, answers: bool = True) -> Generator[Step | str, None, str]:
    """Thoughts as steps, a sentence each, then the answer as text, piece by piece.

    Parameters
    ----------
    answers
        Whether an answer is to come; without, all is thought.

    Returns
    -------
    All that was thought if no answer came, else nothing.
    """
    held, thought, mark = "", [], None
    pieces = iter(pieces)
    for piece in pieces:
        held = (held + piece).lstrip()
        while not (mark := _ANSWER.match(held) if answers else None) and (end := _END.search(held)):
            thought.append(held[: end.start()].rstrip())
            yield Step("thought", thought[-1])
            held = held[end.end() :]
        if mark:
            break
    if mark:
        yield from _without_margin(chain([held[mark.end() :]], pieces))
        return ""
    if held.strip():
        thought.append(held.strip())
        yield Step("thought", thought[-1])
    return " ".join(thought)


def _without_margin(pieces: Iterator[str]) -> Generator[str, None, None]:
    """``pieces`` without the blanks before the first word."""
    held = ""
    for piece in pieces:
        held += piece
        if held.strip(" \t\n*"):
            yield _MARGIN.sub("", held, count=1)
            break
    yield from pieces
