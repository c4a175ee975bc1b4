"""What a text is written in, as far as its letters tell."""

from __future__ import annotations

import re

from rag.analysis import detect

_LETTERS = re.compile(r"[^\W\d_]")
_SCRIPTS = {
    "ko": re.compile(r"[가-힣ㄱ-ㆎ]"),
    "ja": re.compile(r"[ぁ-ヿ]"),
    "zh": re.compile(r"[一-鿿]"),
    "en": re.compile(r"[A-Za-z]"),
}
_FEWEST = 12
_SHARE = {"ko": 0.12, "ja": 0.15, "zh": 0.4, "en": 0.5}
"""Names and terms of another language may stand in any answer."""


def is_in(text: str, language: str) -> bool:
    """Whether enough of the letters are those of ``language``.

    Too few letters, and languages whose letters are those of many, count as such.
    """
    script = _SCRIPTS.get(language)
    letters = _LETTERS.findall(text)
    if script is None or len(letters) < _FEWEST:
        return True
    return len(script.findall(text)) >= _SHARE[language] * len(letters)


def script(text: str) -> str:
    """The language of ``text`` where its letters are that one's own, else ``other``."""
    language = detect(text)
    return language if language in ("ko", "ja", "zh") else "other"
