"""Takes personal data out of what is said: each character of it becomes ``*``.

Lengths stay, so every offset holds. Knows neither answers nor where a text is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

from rag.errors import ConfigError

KINDS = ("resident", "phone", "email", "card")
MASK = "*"
_RESIDENT = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})\s?[-–]?\s?([1-8])\d{6}(?!\d)")
_PHONE = re.compile(
    r"(?<![\d-])(?:\+?82[\s.-]?\(?0?\)?|\(?0)"
    r"(?:1[016789]|2|[3-6]\d|70|50\d|80)\)?[\s.-]?\d{3,4}[\s.-]?\d{4}(?![\d-])"
    r"|(?<![\d-])1[568]\d{2}[\s.-]\d{4}(?![\d-])"
    r"|(?<!\w)\+[1-9]\d{0,2}(?:[\s.-]?\(?\d{2,4}\)?){2,4}(?!\d)"
)
"""Korean numbers, with country code or without, and others with theirs (ITU-T E.164)."""
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){13,18}(?!\d)")
_TAIL = re.compile(r"\S*(?:\s[\d(+–-]\S*)*\s?$")
"""A last word, and numbers after it: what may go on in the next piece."""
_LONGEST = 160


class Redactor:
    """Masks personal data of ``kinds``, in whole texts and in streams.

    Raises
    ------
    ConfigError
        A kind is unknown.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            raise ConfigError(
                f"redact: nothing is known of '{unknown[0]}'",
                remedy=f"Known are {', '.join(KINDS)}",
            )
        self._kinds = [kind for kind in KINDS if kind in kinds]
        self._held = ""

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def __call__(self, text: str) -> str:
        """``text`` with the personal data in it masked."""
        for kind in self._kinds:
            pattern, is_one = _PATTERNS[kind]
            text = pattern.sub(lambda m: _mask(m[0]) if is_one(m) else m[0], text)  # noqa: B023
        return text

    def feed(self, piece: str) -> str:
        """What can be shown after ``piece``; never a part of personal data."""
        text = self._held + piece
        if not self._kinds:
            return text
        tail = _TAIL.search(text, max(0, len(text) - _LONGEST))
        cut = self._before(text, tail.start() if tail else len(text))
        self._held = text[cut:]
        return self(text[:cut])

    def _before(self, text: str, cut: int) -> int:
        """``cut``, or where the personal data begins that it would part."""
        patterns = [_PATTERNS[kind][0] for kind in self._kinds]
        while inside := [
            found.start()
            for pattern in patterns
            for found in pattern.finditer(text)
            if found.start() < cut < found.end()
        ]:
            cut = min(inside)
        return cut

    def end(self) -> str:
        """The rest, once nothing more comes."""
        rest, self._held = self(self._held), ""
        return rest


def _mask(text: str) -> str:
    return "".join(c if c.isspace() else MASK for c in text)


def _is_resident(found: re.Match[str]) -> bool:
    """Whether it begins with a date of birth; numbers given since 2020 have no check digit."""
    year, month, day, kind = (int(found[i]) for i in range(1, 5))
    try:
        date((1900 if kind in (1, 2, 5, 6) else 2000) + year, month, day)
    except ValueError:
        return False
    return True


def _is_card(found: re.Match[str]) -> bool:
    """Whether its check digit is right (Luhn's formula, ISO/IEC 7812-1, annex B)."""
    digits = [int(c) for c in found[0] if c.isdigit()]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _always(found: re.Match[str]) -> bool:
    return True


_PATTERNS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], bool]]] = {
    "resident": (_RESIDENT, _is_resident),
    "phone": (_PHONE, _always),
    "email": (_EMAIL, _always),
    "card": (_CARD, _is_card),
}
