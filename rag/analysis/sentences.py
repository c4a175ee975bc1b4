"""Where sentences of Korean and English text end."""

from __future__ import annotations

import re
from collections.abc import Iterator

END = re.compile(
    r"(?:(?<![.?!…])[.?!…]++[\"')\]”’»]*+(?=\s+(\S))"
    r"|[。！？]++[\"'」』）]*+"
    r"|(?<=[다요])\.(?=[가-힣]))"
)
"""What may end a sentence; ``is_end`` decides. Group 1 is the character after the blank."""
_ABBREVIATION = re.compile(
    r"(?:^|[^\w.])(?:e\.g|i\.e|cf|vs|Fig|Eq|Dr|Mr|Mrs|Ms|Prof|St|No|[A-Z])\.$"
)
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+•#|>]|\d+[.)]|```|:::|\.\. )[ \t]?)")
_HEADING = re.compile(r"^#{1,6}[ \t].*$", re.MULTILINE)
_MARKUP = re.compile(r"\s*(?:(?:[-*+•>]|\d+[.)])[ \t]+)*")


def is_end(found: re.Match[str]) -> bool:
    """Whether a sentence ends at a match of ``END``, not an abbreviation, number or version."""
    text, mark = found.string, found.start()
    if text[mark] not in ".…":
        return True
    if (found[1] and found[1].islower()) or text[mark - 1 : mark].isdigit():
        return False
    return not _ABBREVIATION.search(text[max(found.pos, mark - 6) : mark + 1])


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """``(start, end)`` of each sentence, item, row or heading of ``text``.

    Without blank ends, and without the bullet or number that begins an item.
    """
    cuts = {m.end() for m in END.finditer(text) if is_end(m)}
    cuts |= {m.start() for m in _BREAK.finditer(text)}
    cuts |= {m.end() for m in _HEADING.finditer(text)}
    start = 0
    for cut in sorted({*cuts, len(text)}):
        piece = text[start:cut]
        markup = _MARKUP.match(piece)
        left = markup.end() if markup else 0
        left = len(piece) - len(piece[left:].lstrip())
        if stop := len(piece[left:].rstrip()):
            yield start + left, start + left + stop
        start = cut
