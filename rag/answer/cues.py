"""Words that turn a question round: denials, opposites, superlatives, names. Knows no index.

A question that no passage answers often differs from one that a passage does by such a word alone
(Rajpurkar, Jia and Liang 2018, "Know What You Don't Know", table 1: negations, antonyms and
swapped names are half of SQuAD 2.0's unanswerable questions). English and Korean; words of other
languages give no cue.
"""

from __future__ import annotations

import re
from collections import defaultdict

_DENIAL = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|cannot|nobody|nothing|unable|fail\w*|except|"
    r"excluding)\b|n['’]t\b"
    r"|않|없|못|아니|아닌|제외|(?<![가-힣])안(?=\s)",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\b(?:most|least|first|last|only|best|worst|[a-z]{3,}est)\b"
    r"|가장|최초|최대|최고|최소|최다|마지막|유일",
    re.IGNORECASE,
)
_OTHER_ENDS = """
    arrest chest conquest contest digest forest guest harvest honest interest invest midwest modest
    northwest priest protest quest request southwest suggest test
"""
_NO_EXTREME = frozenset(_OTHER_ENDS.split())
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w’'-]*|\d[\d,.]*")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?|[가-힣]+")
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "non-")
_PAIRS = """
    most/least first/last more/less more/fewer before/after north/south east/west northern/southern
    eastern/western large/small larger/smaller largest/smallest big/little bigger/smaller
    biggest/smallest increase/decrease increased/decreased increase/reduce increased/reduced
    high/low higher/lower highest/lowest early/late earlier/later earliest/latest begin/end
    began/ended start/end started/ended start/stop win/lose won/lost success/failure succeed/fail
    accept/reject accepted/rejected support/oppose supported/opposed include/exclude inside/outside
    above/below maximum/minimum allow/forbid allow/prohibit allowed/banned allowed/prohibited
    agree/disagree rich/poor positive/negative public/private internal/external major/minor
    majority/minority old/new old/young older/newer older/younger oldest/newest oldest/youngest
    same/different always/never all/none upper/lower short/long shorter/longer shortest/longest
    slow/fast slower/faster slowest/fastest strong/weak stronger/weaker strongest/weakest
    strength/weakness good/bad better/worse best/worst male/female man/woman men/women
    father/mother son/daughter brother/sister king/queen rise/fall rose/fell up/down open/close
    opened/closed simple/complex direct/indirect even/odd prime/composite enter/leave
    arrive/depart arrived/departed arrived/left create/destroy created/destroyed built/destroyed
    built/demolished buy/sell bought/sold import/export gain/lose gained/lost give/take push/pull
    attack/defend attacked/defended ally/enemy friend/enemy victory/defeat expand/contract
    grow/shrink hot/cold warm/cool wet/dry dark/light heavy/light hard/soft easy/difficult
    common/rare many/few similar/different past/future past/present modern/ancient
    natural/artificial active/passive voluntary/involuntary temporary/permanent joined/left
    married/divorced born/died birth/death life/death alive/dead advantage/disadvantage
    benefit/harm cause/prevent caused/prevented encourage/discourage encouraged/discouraged
    raise/lower raised/lowered add/remove added/removed top/bottom front/back left/right love/hate
    praised/criticized praised/criticised urban/rural enable/disable enabled/disabled on/off
    많/적 높/낮 크/작 길/짧 빠르/느리 처음/마지막 최초/최후 최대/최소 최고/최저 이전/이후
    증가/감소 늘어/줄어 찬성/반대 승리/패배 성공/실패 시작/종료 포함/제외 허용/금지
    남쪽/북쪽 동쪽/서쪽 남부/북부 동부/서부 내부/외부 위/아래 상위/하위 남성/여성 아버지/어머니
    아들/딸 출생/사망 태어/사망 긍정/부정 공격/방어 수입/수출 오래된/새로운 장점/단점
"""
_OPPOSITES: dict[str, set[str]] = defaultdict(set)
for _one, _other in (pair.split("/") for pair in _PAIRS.split()):
    _OPPOSITES[_one].add(_other)
    _OPPOSITES[_other].add(_one)
_HANGUL = sorted((w for w in _OPPOSITES if w[0] >= "가"), key=len, reverse=True)


def denies(text: str) -> bool:
    """Whether something in ``text`` is denied."""
    return bool(_DENIAL.search(text))


def extremes(text: str) -> set[str]:
    """The superlatives of ``text``, in small letters."""
    return {found[0].lower() for found in _EXTREME.finditer(text)} - _NO_EXTREME


def names(text: str) -> list[tuple[int, int]]:
    """Where ``text`` has numbers and, by their capitals, names; not a sentence's first word."""
    return [found.span() for found in _NAME.finditer(text)]


def words(text: str) -> set[str]:
    """Its words in small letters; of Korean, those of which an opposite is known, as stems."""
    found = set(_WORD.findall(text.lower()))
    return found | {s for w in found if w[0] >= "가" for s in _HANGUL if w.startswith(s)}


def turned(asked: set[str], said: set[str]) -> int:
    """How many words of ``asked`` are not ``said`` while an opposite of theirs is."""
    return sum(bool(_OPPOSITES.get(word, set()) & said) for word in asked - said)


def undone(asked: set[str], said: set[str]) -> int:
    """As ``turned``, by prefixes such as un-, in- and dis-."""
    return sum(
        any(prefix + word in said or word.removeprefix(prefix) in said for prefix in _PREFIXES)
        for word in asked - said
        if len(word) > 4 and word.isascii()
    )
