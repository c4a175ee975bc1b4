"""Whether a question needs facts that follow from other facts, by how it is put.

Rules for English and Korean; a question in another language counts as one that needs none. Knows
neither models nor indexes.
"""

from __future__ import annotations

import re
from typing import Literal

Hops = Literal["", "comparison", "bridge", "several"]

_REL = r"(?-i:(?:in |on |of |for )?(?:which|whom)|who|that|where|whose)\b"
_NOUN = r"(?:[\w'-]+ ){0,2}[\w'-]+"
_NAMING = (
    r"(?!(?:name|term|word|type|kind|title|number|purpose|role|meaning|percentage|date|year)s?\b)"
)
_COMPARISON = re.compile(
    r"\bdifferences? (?:between|from)\b|\bdiffers? from\b|\bcompared?\b|\bin common\b|\bboth\b"
    r"|\band\b.*\bsame\b|\bof the (?:two|three|four|five)\b"
    r"|\b(?:more|less|(?!other|rather)\w{2,}er)\b[^?]*\bthan "
    r"(?!\d|a |an |one|two|half|just|other|any)"
    r"|\b(?:who|which|what|is|are|was|were)\b[^?]*\b(?!over|under|after|other|number|order)"
    r"(?:more|less|first|\w{2,}er)\b[^?]*, [^?,]+ or \w",
    re.IGNORECASE,
)
_BRIDGE = re.compile(
    rf"\bthe {_NAMING}(?:\w+ )?\w+ of (?:the|an?) {_NOUN} {_REL}"
    rf"|\bthe {_NAMING}\w+ of the {_NAMING}\w+ of (?:the|an?|[A-Z])"
    rf"|^(?:(?:in|at|on|to|from) )?(?:who|where|which \w+|what (?!is|was|are|were)\w+) "
    rf"(?!(?:\w+ )?(?:is|was|are|were) (?:the|an?) {_NOUN} {_REL})"
    rf"[^?]*?\bthe {_NOUN} {_REL} \w+ \w+"
    r"|^(?:(?:in|at|on|to|from) )?(?:where|when|(?:which|what) \w+)\b[^?]* the (?:author|writer|"
    r"director|founder|inventor|composer|singer|creator|designer|wife|husband|mother|father) of "
    r"[^?]*\b(?:born|die|live|work|study|attend|graduate)\b"
    r"|\w[^?]* \w+ whose \w",
    re.IGNORECASE,
)
_ASKING = r"(?:who|what|when|where|why|how|which)"
_SEVERAL = re.compile(
    rf"^{_ASKING}\b[^?,]* and {_ASKING}\b|\?\s*(?:and )?{_ASKING}\b", re.IGNORECASE
)
_N = "".join(chr(c) for c in range(0xAC04, 0xD7A4, 28))
"""Every syllable that ends in ㄴ, as verbs before nouns do."""
_CLAUSE = rf"\S[을를이가에로서]\s+\S*[{_N}](?<!은)\s+"
"""An object, subject or place, then the verb that describes the noun after it."""
_K_NAMING = r"(?!이름|명칭|제목|종류|수[는가]|숫자|개수|의미|뜻|연도|날짜)"
_K_COMPARISON = re.compile(
    r"(?:\S[와과하]고?\s.*|(?:^|\s)[두세네]\s\S+\s|둘\s*|셋\s*)(?:중|가운데)(?:에서?)?\s"
    r"|[와과]\s(?!같은).*(?:차이|비교|공통|같은|같나)|차이점|공통점|[^\d개명]보다\s(?:얼마나\s)?[더덜]\s"
    r"|(?:^|\s)(?:둘\s?다|두\s\S+\s(?:모두|다)\s)"
)
_K_BRIDGE = re.compile(
    rf"{_CLAUSE}(?:\S+\s)?\S+의\s{_K_NAMING}\S+[은는이가](?:\s|\?|$)"
    rf"|{_CLAUSE}\S+[이가]\s+\S*[{_N}](?<!은)\s+\S+[은는]"
    rf"|{_CLAUSE}\S+[은는이가]\s(?:어느|어디\S+|언제|몇|어떤|무슨)\s(?:\S+\s)?\S"
    rf"|(?<!무엇)의\s\S+의\s{_K_NAMING}\S+[은는이가](?:\s|\?|$)"
)
_QUOTED = re.compile(
    r"(?<!\w)'[^']+'(?![A-Za-z])|[\"\u201c][^\"\u201d]+[\"\u201d]|\u2018[^\u2019]+\u2019|[《〈「『<][^》〉」』>]+[》〉」』>]"
)
_LONGEST = 500
"""Characters of a question that are looked at."""
_K_ASKING = ("누가|누구", r"언제|몇\s?년", "어디", "무엇|무슨|뭐", "왜", "어떻게", "얼마")


def hops(question: str, language: str) -> Hops:
    """How the question needs several facts; nothing if one will do, as far as its words tell.

    ``comparison`` of things, ``bridge`` over a thing that is only described, ``several`` questions
    in one.
    """
    question = _QUOTED.sub("X", question[:_LONGEST])
    if language == "ko":
        comparison, bridge = _K_COMPARISON, _K_BRIDGE
        several = sum(bool(re.search(words, question)) for words in _K_ASKING) > 1
    else:
        comparison, bridge = _COMPARISON, _BRIDGE
        several = bool(_SEVERAL.search(question))
    if comparison.search(question):
        return "comparison"
    if bridge.search(question):
        return "bridge"
    return "several" if several else ""
