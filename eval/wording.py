"""Questions that a heading makes, in Korean and English. Knows no collection."""

from __future__ import annotations

import re

_VERBS = re.compile(
    r"(?:Add|Ask|Avoid|Build|Change|Check|Choose|Combine|Configure|Connect|Create|Customize|Debug"
    r"|Declare|Define|Delete|Deploy|Disable|Download|Enable|Export|Extend|Fetch|Find|Follow"
    r"|Generate|Get|Handle|Help|Import|Include|Inspect|Install|Join|Load|Make|Manage|Measure"
    r"|Migrate|Modify|Mount|Override|Pass|Prepare|Prevent|Query|Raise|Read|Receive|Register|Remove"
    r"|Rename|Replace|Reset|Restart|Return|Run|Save|Send|Serve|Set|Set up|Solve|Start|Stop|Store"
    r"|Switch|Test|Try|Tune|Update|Upgrade|Upload|Use|Validate|Verify|Write)(?= [^\W\d])"
    r"|(?!(?:[A-Z][a-z]+ing|All|Both) )[A-Z][a-z]+(?= (?:an?|the|your) )"
)
_CLAUSE = re.compile(
    r"^(?:about|after|as|at|before|by|for|from|in|on|to|with|without)\b"
    r"|\b(?:am|is|are|was|were|be|been|has|have|had|can|could|will|would|should|must|do|does|did"
    r"|not|I|you|your|we|our|us|let's|it|its|this|that|these|those|what|why|when|where|who|which"
    r"|how|if|because|below|above|first|next|then|also|more|other|another|some|please)\b"
    r"|n't|'re|'s\b",
    re.IGNORECASE,
)
_NO_GERUND = re.compile(
    r"(?:(?:Some|Any|Every|No)?thing|String|King|Ring|Spring|During|Warning|Working)\b"
)
_KOREAN_CLAUSE = re.compile(
    r"[다요까죠지나게히면서며고때에]$|[은는을를이가]$|(?:합니|입니|습니)"
    r"|(?:^|\s)(?:이|그|저|우리|당신|여러분|다음|위|아래|더|또|다른|왜|어떻게|무엇|먼저|내|나|너)(?:\s|$)"
)
_NOUNS_IN_GI = re.compile(
    r"(?:크기|세기|전기|기기|동기|비동기|초기|주기|시기|계기|분위기|용기|무기|보기)$"
)
_GENERIC = re.compile(
    r"(?:about|overview|introduction|intro|summary|recap|notes?|examples?|usage|see also|more"
    r"|references?|conclusion|details?|contents?|table of contents|appendix|background|warnings?"
    r"|tips?|faq|readme|index|home|notice|license|changelog|release notes|features|fixes|docs"
    r"|internal|refactors|translations|upgrades|breaking changes|latest changes|technical details"
    r"|getting started|first steps|개요|소개|요약|정리|참고|참고 ?사항|예제|예시|예|사용 예|사용법"
    r"|결론|부록|목차|서론|들어가며|마치며|배경|특징|시작하기|첫걸음|(?:기술|기술적)? ?세부 ?사항"
    r"|주의|경고|팁|기타)",
    re.IGNORECASE,
)
_ODD = re.compile(r"[^\w\s'’()/,.&·+#-]|\d+\.\d+|\s-\s")
_NAME = re.compile(r"[A-Z]{2}|[a-z][A-Z]|\d")
_HANGUL = re.compile(r"[가-힣]")
UNSURE = "은(는)"
_DIGITS = {"0": "은", "1": "은", "3": "은", "6": "은", "7": "은", "8": "은"}


def question(title: str, above: str, language: str, text: str) -> str:
    """A question about what stands under the heading ``title``; empty where none reads well.

    Parameters
    ----------
    above
        The heading over it, empty where there is none; named where ``title`` alone says little.
    text
        What stands there: a capital that only the heading gives a word is taken from it.
    """
    title, above = _bare(title), _bare(above)
    if not _asked_for(title) or (language == "en" and _HANGUL.search(title + above)):
        return ""
    if language == "ko":
        return _korean(title, above if _is_korean_noun(above) else "")
    return _english(_lowered(title, text), _lowered(above, text) if _is_noun(above) else "")


def crossed(title: str, elsewhere: str, language: str) -> str:
    """A question about ``title`` in the matter of ``elsewhere``; empty where none reads well."""
    title, elsewhere = _bare(title), _bare(elsewhere)
    if language == "ko":
        fits = _is_korean_noun(title) and _is_korean_noun(elsewhere)
        return f"{elsewhere}에서 {title}{topic(title)} 무엇인가요?" if fits else ""
    fits = _is_noun(title) and _is_noun(elsewhere) and not _HANGUL.search(title + elsewhere)
    return f"What is there to know about {title} in {elsewhere}?" if fits else ""


def topic(word: str) -> str:
    """The Korean topic particle after ``word`` by its last sound: 은, 는, or ``UNSURE``."""
    last = re.sub(r"[^\w]+$", "", re.sub(r"\s*\([^()]*\)$", "", word))[-1:]
    if "가" <= last <= "힣":
        return "은" if (ord(last) - ord("가")) % 28 else "는"
    if last.isdecimal():
        return _DIGITS.get(last, "는")
    if last.isupper():  # read letter by letter: 엘, 엠, 엔, 알
        return "은" if last in "LMNR" else "는"
    if last in "lmn":
        return "은"
    return "는" if last in "aiouyrsxzf" else UNSURE


def _korean(title: str, above: str) -> str:
    if title.endswith("?"):
        return title
    if re.search(r"[가-힣]기$", title) and not _NOUNS_IN_GI.search(title):
        return f"{title}는 어떻게 하나요?"
    if not _is_korean_noun(title):
        return ""
    place = f"{above}에서 " if above and len(title.split()) <= 2 else ""
    return f"{place}{title}{topic(title)} 무엇인가요?"


def _english(title: str, above: str) -> str:
    if title.endswith("?"):
        return title
    within = f" in {above}" if above and len(title.split()) <= 2 else ""
    if _CLAUSE.search(title):
        return ""
    if verb := _VERBS.match(title[:1].upper() + title[1:]):
        return f"How do I {verb[0].lower()}{title[verb.end() :]}?"
    if re.match(r"[A-Za-z]{3,}ing\b", title) and not _NO_GERUND.match(title.capitalize()):
        return f"How does {title} work{within}?"
    return f"What is there to know about {title}{within}?"


def _is_noun(title: str) -> bool:
    capital = title[:1].upper() + title[1:]
    gerund = re.match(r"[A-Za-z]{3,}ing\b", capital) and not _NO_GERUND.match(capital)
    return bool(title and _asked_for(title)) and not (
        title.endswith("?") or gerund or _VERBS.match(capital) or _CLAUSE.search(title)
    )


def _is_korean_noun(title: str) -> bool:
    gerund = re.search(r"[가-힣]기$", title) and not _NOUNS_IN_GI.search(title)
    return bool(title and _asked_for(title)) and not (
        title.endswith("?") or gerund or _KOREAN_CLAUSE.search(title)
    )


def _asked_for(title: str) -> bool:
    """Whether it is words, few enough, that say something."""
    return (
        len(title) <= 60
        and len(title.split()) <= 8
        and bool(re.search(r"[^\W\d_]{2}", title))
        and not _ODD.search(title.removesuffix("?"))
        and not _GENERIC.fullmatch(title)
    )


def _bare(title: str) -> str:
    """Without markup, numbering and a colon at the end."""
    title = re.sub(r"\{[^}]*\}|<[^>]*>|[*`]", "", title)
    title = re.sub(r"^\s*(?:(?:\d+[.)]|About)\s+)+", "", title)
    return " ".join(title.split()).rstrip(" :.!")


def _lowered(title: str, text: str) -> str:
    """``title`` in lower case, names aside, if ``text`` writes all its words so."""
    plain = {w for w in re.findall(r"\w+", title) if not _NAME.search(w)}
    if not {w.lower() for w in plain} <= set(re.findall(r"\w+", text)):
        return title
    return re.sub(r"\w+", lambda m: m[0].lower() if m[0] in plain else m[0], title)
