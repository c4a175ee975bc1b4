"""The numbers of a text as values with units: what two texts say alike, however it is written.

``3만``, ``30,000`` and "thirty thousand" are one value; a date is its year, month and day. Knows
no roman numerals, no fractions in words, and neither converts units nor rounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple


class Quantity(NamedTuple):
    """A value and its unit, ``""`` where none is known."""

    value: float
    unit: str = ""

    def same(self, other: Quantity) -> bool:
        """Whether both may be one: equal values, and no two different units."""
        alike = not (self.unit and other.unit) or self.unit == other.unit
        return alike and abs(self.value - other.value) <= 1e-9 * max(abs(self.value), 1)


Read = Callable[[re.Match[str]], list[Quantity]]
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SPOKEN = {word: n for n, word in enumerate(_ONES.split())} | {
    word: 10 * n for n, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_MYRIADS = {"십": 10.0, "백": 1e2, "천": 1e3, "만": 1e4, "억": 1e8, "조": 1e12}
_NATIVE = {"한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8,
           "아홉": 9, "열": 10}  # fmt: skip
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_UNITS = {
    "%": "% percent 퍼센트 프로 percentage",
    "year": "년 years year 년도",
    "month": "월 개월 months month",
    "day": "일 days day",
    "hour": "시간 hours hour hrs",
    "minute": "분 minutes minute min mins",
    "second": "초 seconds sec secs",
    "century": "세기 century centuries",
    "dollar": "달러 dollars dollar usd $ us$",
    "won": "원 won krw ₩",
    "euro": "유로 euros euro eur €",
    "pound": "파운드 pounds £",
    "yen": "엔 yen ¥",
    "km": "km ㎞ 킬로미터 kilometers kilometres kilometer kilometre",
    "m": "m 미터 meters metres meter metre",
    "cm": "cm ㎝ 센티미터 centimeters centimetres",
    "mm": "mm ㎜ 밀리미터 millimeters millimetres",
    "mile": "마일 miles mile mi",
    "foot": "피트 feet foot ft",
    "kg": "kg ㎏ 킬로그램 kilograms kilogram",
    "g": "g 그램 grams gram",
    "ton": "톤 tons tonnes ton tonne",
    "degree": "도 degrees degree ° °c ℃ °f",
    "person": "명 people persons person 인",
    "mb": "mb 메가바이트 megabytes",
    "gb": "gb 기가바이트 gigabytes",
    "kb": "kb 킬로바이트 kilobytes",
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_KOREAN_UNIT = "|".join(sorted((u for u in _UNIT if "가" <= u[0] <= "힣"), key=len, reverse=True))
_COUNTER = f"(?:{_KOREAN_UNIT}|개|번|가지|마리|권|살|배|곳|척|대|차례)"
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?"
_SAID = "|".join(sorted(_SPOKEN, key=len, reverse=True))
_ISO = re.compile(r"(?<![\d-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d-]|\.\d)")
_MONTH = "|".join(f"{m[:3]}(?:{m[3:]})?" if len(m) > 3 else m for m in _MONTHS)
_DATE = re.compile(
    rf"(?<!\w)(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>{_MONTH})(?!\w)\.?"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,?\s+(?P<year>\d{4})(?!\d))?",
    re.IGNORECASE,
)
_KOREAN = re.compile(rf"(?:(?:{_DIGITS})\s?[십백천만억조]+\s?)+(?:\d+(?![\d.,]*[십백천만억조]))?")
_STEP = re.compile(rf"({_DIGITS})\s?([십백천]?)([만억조]?)")
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)])[-−])?(?P<digits>{_DIGITS})(?:st|nd|rd|th)?(?![A-Za-z]*\d)"
    rf"(?:\s?-?(?P<scale>{'|'.join(_SCALES)})\b)?",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"\b(?:{_SAID})(?:[\s-]+(?:and\s+)?(?:{_SAID}|{'|'.join(_SCALES)}))*\b", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"(?<![가-힣])({'|'.join(_NATIVE)})\s?({_COUNTER})(?=\W|[은는이가을를의에로와과도만씩까부]|$)"
)
_BEFORE = re.compile(r"(US\$|[$₩€£¥])\s?$")
_AFTER = re.compile(rf"\s?-?(°[CF]?|℃|[%㎞㎝㎜㎏]|{_KOREAN_UNIT}|[A-Za-z]+)")


def quantities(text: str) -> list[Quantity]:
    """Every number of ``text``, in no particular order; of a date its parts."""
    found: list[Quantity] = []

    def take(match: re.Match[str], read: Read) -> str:
        read_now = read(match)
        found.extend(read_now)
        return " " * len(match[0]) if read_now else match[0]

    for pattern, read in _FORMS:
        text = pattern.sub(partial(take, read=read), text)
    return found


def _iso(match: re.Match[str]) -> list[Quantity]:
    year, month, day = (float(part) for part in match.groups())
    return [Quantity(year, "year"), Quantity(month, "month"), Quantity(day, "day")]


def _date(match: re.Match[str]) -> list[Quantity]:
    """A month with its day or year; a month alone ("may") is no number."""
    day = match["before"] or match["after"]
    if not (day or match["year"]):
        return []
    month = 1 + next(i for i, m in enumerate(_MONTHS) if m.startswith(match["month"][:3].lower()))
    parts = ((match["year"], "year"), (str(month), "month"), (day, "day"))
    return [Quantity(float(value), unit) for value, unit in parts if value]


def _korean(match: re.Match[str]) -> list[Quantity]:
    """Digits with 만, 억 and the like: 3만 5천 is 35,000."""
    total = myriads = 0.0
    end = 0
    for step in _STEP.finditer(match[0]):
        part = _number(step[1]) * _MYRIADS.get(step[2], 1)
        myriads += part
        if step[3]:
            total, myriads = total + myriads * _MYRIADS[step[3]], 0.0
        end = step.end()
    return [Quantity(total + myriads, _unit(match, match.start() + end))]


def _digits(match: re.Match[str]) -> list[Quantity]:
    value = _number(match["digits"]) * _SCALES.get((match["scale"] or "").lower(), 1)
    return [Quantity(-value if match["sign"] else value, _unit(match, match.end()))]


def _spoken(match: re.Match[str]) -> list[Quantity]:
    """Numbers in words; "one" alone is none, as it often stands for a thing."""
    if match[0].lower() == "one":
        return []
    total = part = 0.0
    for word in re.findall(r"[a-z]+", match[0].lower()):
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            total, part = total + part * _SCALES[word], 0.0
        else:
            part += _SPOKEN.get(word, 0)
    return [Quantity(total + part, _unit(match, match.end()))]


def _counted(match: re.Match[str]) -> list[Quantity]:
    return [Quantity(_NATIVE[match[1]], _UNIT.get(match[2], ""))]


def _number(digits: str) -> float:
    return float(digits.replace(",", ""))


def _unit(match: re.Match[str], end: int) -> str:
    if before := _BEFORE.search(match.string, max(0, match.start() - 4), match.start()):
        return _UNIT[before[1].lower()]
    after = _AFTER.match(match.string, end)
    return _UNIT.get(after[1].lower(), "") if after else ""


_FORMS: tuple[tuple[re.Pattern[str], Read], ...] = (
    (_ISO, _iso),
    (_DATE, _date),
    (_KOREAN, _korean),
    (_NUMBER, _digits),
    (_WORDS, _spoken),
    (_COUNTED, _counted),
)
