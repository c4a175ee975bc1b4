"""What two wordings of one question have in common, beside their meaning.

An encoder hardly sees what turns an answer round: on SQuAD 2.0 "ranked above" and "ranked below"
have a cosine of 0.998, "which court argued" and "which court did not argue" too. So words are
compared as such, by their stems or morphemes, in any order; numbers likewise; names and words of
direction in theirs; and how often is denied. What may differ is how a question is put in English
and Korean: articles, auxiliaries, particles, endings. Knows no synonyms and no grammar: whoever
does what to whom is told apart by names and prepositions alone, not by Korean particles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.analysis import Analyser, detect, is_morpheme, shown
from rag.analysis.stopwords import STOP_WORDS
from rag.answer.quantities import quantities

_QUOTED = re.compile("[\"'“‘「『《〈]([^\"'”’」』》〉]{2,})[\"'”’」』》〉]")
_WORD = re.compile(r"[^\W_](?:[\w.+#-]*[\w+#])?")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_HANGUL = re.compile("[가-힣]")
_LATIN = re.compile(r"[A-Za-z0-9À-ɏ_.+#-]+")
_PUTTING = """
    a an are as be can could did do does has have had i is it its itself may me of please s should
    such tell that the their there these they this was we were what which will would you your
    무엇 무어 뭐 어느 어떤 무슨 것 이 그 저 하 되 있 대하
"""
"""Words, or morphemes, that a question is put with in any of its wordings."""
_TELLING = """
    about after against all also and any before between both by down during each every few for from
    further he her his how if in into less many more most much on once only or other out over own
    she some than then through to under until up when where while who whom whose why with
"""
"""Words that search passes over and that tell questions apart."""
_TURNING = "after against before between by for from into over than to under"
_PUT, _TOLD, _TURNED = (frozenset(words.split()) for words in (_PUTTING, _TELLING, _TURNING))
_DOING = frozenset({"do", "does", "did", "has", "have", "had"})
_DENYING = re.compile(
    r"\b(?:not|cannot|no|none|nor|neither|never|nobody|nothing|nowhere|without|except|excluding|"
    r"un\w{3,}|non-?\w{3,}|dis\w{3,})\b|n['’]t\b|"
    r"않|없|못|아니|아닌|말고|제외|빼고|불가|금지|(?<![가-힣])(?:안|비|미|불|무)(?=\s|[가-힣]{2})",
    re.IGNORECASE,
)
_NUMERAL = re.compile(
    r"(?<![가-힣])(?:하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|서른|마흔|쉰|예순|일흔|여든|아흔|"
    r"[영공일이삼사오육칠팔구십백천만억조]{2,}|[한두세네일이삼사오육칠팔구십](?=\s?(?:개|명|번|가지|년|월|"
    r"일|시|분|초|도|층|회|차|째|배|권|위|살|세|대|호|장|단계)))"
)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is equal in two wordings of one question; ``names`` and ``turns`` are in order."""

    language: str
    numbers: tuple[tuple[float, str], ...]
    numerals: tuple[str, ...]
    names: tuple[str, ...]
    turns: tuple[str, ...]
    denials: int
    words: frozenset[str]


def particulars(question: str, analyser: Analyser) -> Particulars:
    """Those of ``question``."""
    language = detect(question)
    question = _GROUPED.sub("", question)
    words = _WORD.findall(question)
    said = [word.casefold() for word in words]
    return Particulars(
        language=language,
        numbers=tuple(sorted((q.value, q.unit) for q in quantities(question))),
        numerals=tuple(_NUMERAL.findall(question)),
        names=(*_QUOTED.findall(question.casefold()), *_names(words, language)),
        turns=tuple(w for w in said if w in _TURNED or w.endswith(("er", "est"))),
        denials=len(_DENYING.findall(question)),
        words=_words(question, said, analyser) if language in ("en", "ko") else frozenset(said),
    )


def _words(question: str, said: list[str], analyser: Analyser) -> frozenset[str]:
    """Stems, and morphemes in place of Hangul; a verb at the end too: "What do auricles do?"."""
    terms = analyser.terms(question)
    morphemes = {shown(term) for term in terms if is_morpheme(term)}
    stems = {t for t in terms if not (morphemes and (is_morpheme(t) or _HANGUL.search(t)))}
    return frozenset(
        ((stems | morphemes) - _PUT) | _TOLD.intersection(said) | _DOING.intersection(said[-1:])
    )


def _names(words: list[str], language: str) -> list[str]:
    """In Korean all that is written in Latin; else what has a capital, a digit or a sign."""
    if language == "ko":
        return [part.casefold() for word in words for part in _LATIN.findall(word)]
    return [
        word.casefold()
        for at, word in enumerate(words)
        if any(c.isupper() or c.isdigit() or c in "_.+#" for c in word)
        and (at or word.casefold() not in _PUT | _TOLD | STOP_WORDS["en"])
    ]
