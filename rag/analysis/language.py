"""The language of a text: Korean, Japanese and Chinese by script, all others by a small model.

py3langid (Lui and Baldwin 2012, as Barbaresi rebuilt it) comes with its model, 5 MB; it is loaded
when the first text needs it. Measured against others in ``eval/LOG.md``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_HANGUL = re.compile(r"[가-힣ᄀ-ᇿ㄰-㆏]+")
_KANA = re.compile(r"[぀-ヿㇰ-ㇿ\uff66-\uff9f]+")
_HAN = re.compile(r"[㐀-䶿一-鿿\uf900-\ufaff]+")
_EAST = re.compile("|".join(p.pattern for p in (_HANGUL, _KANA, _HAN)))
_WORD = re.compile(r"[^\W\d_]+")
_FOREIGN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uff00-\uff60]")
"""Letters of neither Latin nor, where it is asked, of the east."""
_SEEN = 600
"""Characters by which a language is judged."""
_GLANCE = 400
"""Characters in which common words tell English, before the model is asked: 10 times as fast."""
_ENGLISH = frozenset(
    ("the", "and", "of", "that", "with", "this", "are", "from", "which", "by", "to", "for", "you",
     "been", "but", "has", "its", "not", "than", "these", "they", "were")
)  # fmt: skip
"""A quarter of the words of English prose are such; in no other language are many."""
_SURE = 0.6
"""Below this probability Latin letters count as English: of short texts in 15 other languages 1 in
70 was taken for a wrong one then, of English ones 1 in 300 (Django's translations)."""
_FEW = 20
"""Latin letters that say too little anyway: names, above all."""
_MODEL = (
    "ar bg ca cs da de el en es eu fa fi fr ga he hi hu hy id it lt lv ne nl no pl pt ro ru sk sl "
    "sr sv ta th tr uk vi"
)
"""What the model may say; its other 60 languages are rare, and near to one of these."""


def detect(text: str) -> str:
    """ISO 639-1's code of the language of ``text``, ``und`` without letters.

    A syllable or ideograph carries about as much as three letters of an alphabet, and technical
    text mixes in Latin names, so ``ko``, ``ja`` and ``zh`` win with an eighth of the letters.
    With a quarter as much Hangul, ideographs are Korean; with a tenth of kana, Japanese. Latin
    letters that say too little are ``en``.
    """
    text = text[:_SEEN]
    if not text.isascii() and _EAST.search(text):
        hangul = _count(_HANGUL, text)
        if 2 * hangul > len(text):
            return "ko"
        kana, han, letters = (_count(p, text) for p in (_KANA, _HAN, _WORD))
        if letters and max(hangul, kana + han) * 8 >= letters:
            if hangul >= kana and hangul * 4 >= han:
                return "ko"
            return "ja" if kana * 10 >= han else "zh"
        text = _EAST.sub(" ", text)
    return _alphabetic(text)


def _alphabetic(text: str) -> str:
    words = text[:_GLANCE].lower().split()
    english = sum(map(_ENGLISH.__contains__, words))
    if english > 1 and english * 12 > len(words):
        return "en"
    if not (letters := " ".join(_WORD.findall(text.lower()))):
        return "und"
    foreign = _FOREIGN.search(text)
    if len(letters) < _FEW and not foreign:
        return "en"
    language, sure = _model().classify(letters)
    return str(language) if foreign or sure >= _SURE else "en"


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))


@cache
def _model() -> Any:  # noqa: ANN401 - the library has no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(_MODEL.split())
    return model
