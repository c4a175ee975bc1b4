"""Sentences of a passage that stand by themselves, and the words in them to ask for.

Without a tagger of parts of speech: a word counts as a noun by what stands around it. Knows no
index; how rare a word is, is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rag.analysis import detect, sentences, terms

Shape = Literal["name", "number", "noun"]
Rarity = Callable[[str], float]
"""BM25's weight of the rarest term in a text."""

_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_MARKUP = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), "\0"),
    (re.compile(r"\[([^\[\]]+)\](?:\([^()\s]*(?:\s[^()]*)?\)|\[[^\]]*\])(?:\{[^{}]*\})?"), r"\1"),
    (re.compile(r":[\w:+-]+:`~?\.?([^`<]+?)(?:\s*<[^>]*>)?`"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^>]*>`__?"), r"\1"),
    (re.compile(r"\[\^\w+\]|\{\s*[#.][^{}]*\}"), ""),
    (re.compile(r"</?(?:a|abbr|b|code|dfn|em|i|kbd|small|span|strong|sub|sup|u)\b[^<>]*>"), ""),
    (re.compile(r"(?<!`)(`{1,2})(?!`)([^`]+)\1(?!`)"), r"\2"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=\S)([^*]+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"(?<![\w])(__?)(?=\S)([^_]+?)(?<=\S)\1(?!\w)"), r"\2"),
)
_ODD = re.compile(r"[\0|<>{}\[\]\\`*=$~^@_]{2}|[\0|<>{}\[\]\\`*=$^]|::|://|//|_{3}|\+\+|#{2}|!!")
_LENGTH = {"en": (50, 240), "ko": (25, 140)}
_WORDS = {"en": 8, "ko": 5}
_LEANING = {  # sentences that need another one to be understood
    "en": re.compile(
        r"(?:Additionally|Alternatively|And|As|Also|Another|Both|But|By the|Either|First|Finally"
        r"|For (?:example|instance|that|this)|He|Hence"
        r"|Here|However|I|If so|In (?:this|that|such|these) |Instead|It|Later|Likewise|Moreover"
        r"|Neither|Next|Nor|Note|Notice|Now|Of course|Once|Or|Otherwise|Remember|Same|Second|See"
        r"|She|Similarly|So|Still|Such|That|Then|There|Therefore|These|They|This|Those|Though|Thus"
        r"|The (?:above|other|same|second|first|next|latter|former)|We|What|Which|Yes|No)\b"
        r"|.*\b(?:above|below|following|previous|earlier|as shown|those|these|here|[Ll]et's|we"
        r"|this (?:example|section|page|chapter|case|tutorial|guide|way))\b"
    ),
    "ko": re.compile(
        r"(?:이|그|저|이것|그것|이것은|이는|이를|이런|그런|이러한|그러한|이렇게|그렇게|이때|그때"
        r"|여기|거기|여기서|여기에|이제|또|또한|하지만|그러나|그래서|그러면|따라서|그리고|그래도|그런데"
        r"|즉|물론|다만|반면|먼저|다음|다음으로|마지막으로|예를|예컨대|참고로|둘|둘의|둘째|첫째|앞|뒤|위"
        r"|아래|같은|다른|나머지|모두|그다음|그럼|왜냐하면|우리는|만약|이처럼|한편|이와|그와|이후"
        r"|하나는|이들의|이들은|저는|제가|동시에|추가로|대신|해당)[\s,]"
        r"|.*(?:다음과 같|아래[의에와]|위[의에] |위와 같|앞에서|앞서|이때|살펴보|봅시다|보겠습니다"
        r"|여기[서에]|이 (?:예제|장|절|문서|페이지|섹션|경우|코드|방법|방식|값|파일|함수|클래스"
        r"|기능|매개변수|튜토리얼))"
    ),
}
_ENDS = {
    "en": re.compile(r".*[\w)\"'’”][.!]$"),
    "ko": re.compile(r".*[다요]\.$"),
}
_LETTER = "A-Za-zÀ-ɏ\u0300-\u036f"
_TOKEN = re.compile(
    rf"[{_LETTER}](?:[{_LETTER}0-9_’'-]*[{_LETTER}0-9_])?(?:\.[A-Za-z][A-Za-z0-9_]+)*"
    r"|\d[\d,.]*\d|\d|[가-힣]+"
)
_IDENTIFIER = re.compile(r".*(?:[A-Za-z]_[A-Za-z]|[a-z][A-Z]|[A-Z]{2}|\w\.[A-Za-z]|[A-Za-z]\d)")
_PROPER = re.compile(rf"[A-ZÀ-Þ][{_LETTER}0-9_-]+")
_BEFORE_NOUN = re.compile(
    r"(?:an?|the|its|their|your|any|each|every|no|of|with|without|for|from|in|by|into|between|per"
    r"|using|via)",
    re.IGNORECASE,
)
_AFTER_NOUN = re.compile(
    r"\s*(?:[,.;:!)]|(?:is|are|was|were|has|have|can|will|must|should|of|in|on|at|from|with|by|to"
    r"|for|that|which|who|when|if|as)\b)"
)
_NO_NOUN = re.compile(
    r".*(?:ing|ed|ly)|mind|scenes|fact|case|way|point|course|order|time|others"
    r"|contrast|terms|addition|general"
    r"|particular|detail|future|past|end|need|sake|itself|themselves|them|which|whom"
)
_FINAL = ("을", "과", "으로")
_OPEN = ("를", "와", "로", "가")
_PARTICLE = re.compile(
    r"([가-힣]{2,}?)(에서|에게|까지|부터|만으로|으로|[을를과와로가])(?:만|도|는|의)?"
)
_NO_KOREAN_NOUN = re.compile(
    r".*(?:[있없했됐였겠았었렸졌렀썼셨갔왔봤적대므다지서만]|하기|되기|경우|때문|스스|실제|하나|그만큼|만큼|곧바"
    r"|위하|통하|의하|관하|모든|무엇|누구|어디|언제|여러분|사용자|이것|그것|자신|다음|이상|이하|이전|이후"
    r"|우리|각각|따라|바탕|기본|어떤|으[로므]?)"
)
_LONGER = re.compile(r"-|\.\w")
_NO_OBJECT = re.compile(r"\s(?:때|수|것|만|뿐|지|텐데|경우|땐|거|게)\b|\s(?:수|때|것)")


@dataclass(frozen=True, slots=True)
class Gap:
    """A word or name of a sentence: ``sentence[start:end] == text``; ``rarity`` is its weight."""

    start: int
    end: int
    text: str
    shape: Shape
    rarity: float


def standing(text: str, language: str) -> Iterator[str]:
    """The sentences of ``text`` that can be understood alone, without their markup.

    No heading, code, table, list of links, no fragment, and none that points at its neighbours.
    """
    text = _FENCE.sub(lambda m: "\n\n" + " " * (len(m[0]) - 2), text)
    low, high = _LENGTH[language]
    for start, end in sentences(text):
        sentence = _plain(text[start:end])
        if (
            low <= len(sentence) <= high
            and len(sentence.split()) >= _WORDS[language]
            and _ENDS[language].fullmatch(sentence)
            and (language == "ko" or sentence[0].isupper())
            and not _ODD.search(sentence)
            and sentence.count("(") == sentence.count(")")
            and sentence.count('"') % 2 == 0
            and not _LEANING[language].match(sentence)
            and detect(sentence) == language
        ):
            yield sentence


def gaps(sentence: str, language: str, rarity: Rarity) -> list[Gap]:
    """Words and names that could be asked for, the rarest first."""
    found: list[tuple[int, int, Shape]] = []
    tokens = list(_TOKEN.finditer(sentence))
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else None
        if token[0][0].isdigit():
            if len(token[0]) > 1 and not _LONGER.match(sentence, token.end()):
                found.append((*token.span(), "number"))
        elif "가" <= token[0][0] <= "힣":
            if found and found[-1][1] == token.start():
                continue
            if stem := _korean_noun(sentence, token):
                found.append((token.start(), token.start() + len(stem), "noun"))
        elif (before or language == "ko") and _is_name(token[0]):
            if before and found and found[-1][2] == "name" and _adjoin(sentence, found[-1], token):
                found[-1] = (found[-1][0], token.end(), "name")
            else:
                found.append((*token.span(), "name"))
        elif before and language == "en" and _is_noun(sentence, before, token):
            found.append((*token.span(), "noun"))
    made = [Gap(a, b, sentence[a:b], shape, rarity(sentence[a:b])) for a, b, shape in found]
    return sorted(made, key=lambda gap: (-gap.rarity, gap.start))


def blanked(sentence: str, gap: Gap, blank: str = "___") -> str:
    """``sentence`` without ``gap``; empty if another form of the same word would tell it."""
    edges = (r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-]|\.\w)") if gap.text.isascii() else ("", "")
    same = re.compile(re.escape(gap.text).join(edges), re.IGNORECASE)
    out = same.sub(blank, sentence)
    own = set(terms(gap.text))
    left = set(terms(out))
    told = own <= left or (len(own) > 1 and gap.shape == "name" and own & left)
    return "" if told or not own else out


def _plain(text: str) -> str:
    for pattern, by in _MARKUP:
        text = pattern.sub(by, text)
    return " ".join(text.split())


def _is_name(word: str) -> bool:
    return len(word) > 1 and bool(_PROPER.fullmatch(word) or _IDENTIFIER.match(word))


def _adjoin(sentence: str, name: tuple[int, int, Shape], token: re.Match[str]) -> bool:
    """Whether ``token`` continues the capitalised name before it."""
    between = sentence[name[1] : token.start()]
    first = sentence[name[0] : name[1]].split()[-1]
    return between == " " and all(_PROPER.fullmatch(w) for w in (first, token[0]))


def _is_noun(sentence: str, before: re.Match[str], token: re.Match[str]) -> bool:
    """Whether an English word ends a noun phrase: after ``the`` or ``of``, before ``is``, say."""
    return (
        len(token[0]) >= 4
        and token[0].islower()
        and bool(_BEFORE_NOUN.fullmatch(before[0]))
        and sentence[before.end() : token.start()] == " "
        and bool(_AFTER_NOUN.match(sentence, token.end()))
        and not _NO_NOUN.fullmatch(token[0])
    )


def _korean_noun(sentence: str, token: re.Match[str]) -> str:
    """The noun that a particle ends, as far as its final consonant agrees with the particle."""
    found = _PARTICLE.fullmatch(token[0])
    if not found or _NO_KOREAN_NOUN.fullmatch(found[1]):
        return ""
    closed = (ord(found[1][-1]) - ord("가")) % 28
    if found[2] in _FINAL and not closed:
        return ""
    if found[2] in _OPEN and closed and not (found[2] == "로" and closed == 8):  # 8: ㄹ
        return ""
    if found[2] == "을" and _NO_OBJECT.match(sentence, token.end()):
        return ""
    return found[1]
