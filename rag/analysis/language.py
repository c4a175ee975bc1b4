"""The language of a text, by its script."""

from __future__ import annotations

import re

_HANGUL = re.compile(r"[가-힣ᄀ-ᇿ㄰-㆏]")
_KANA = re.compile(r"[぀-ヿㇰ-ㇿ]")
_HAN = re.compile(r"[㐀-䶿一-鿿\uf900-\ufaff]")
_EAST = re.compile("|".join(p.pattern for p in (_HANGUL, _KANA, _HAN)))
_LETTER = re.compile(r"[^\W\d_]")


def detect(text: str) -> str:
    """``ko``, ``ja``, ``zh`` or ``en`` (any alphabetic script), or ``und`` without letters.

    A syllable or ideograph carries about as much as three letters of an alphabet, and technical
    text mixes in Latin names, so a script wins with an eighth of the letters.
    """
    if text.isascii() or not _EAST.search(text):
        return "en" if _LETTER.search(text) else "und"
    letters = len(_LETTER.findall(text))
    if not letters:
        return "und"
    hangul, kana, han = (len(p.findall(text)) for p in (_HANGUL, _KANA, _HAN))
    if max(hangul, kana + han) * 8 < letters:
        return "en"
    if hangul >= kana + han:
        return "ko"
    return "ja" if kana * 10 >= han else "zh"
