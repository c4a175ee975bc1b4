"""Values of cells as they are shown: dates in ISO's form, shares in per cent. Knows no sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from indexer.readers.ooxml import whole

_DATES = frozenset({14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 59)})
_TIMES = frozenset({18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47})
_SAID = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s)[^\]]*\]|AM/PM|A/P', re.I)
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}


class Formats:
    """What the number formats of a workbook make of numbers; ``kinds`` by style, see `kind`."""

    def __init__(self, kinds: Sequence[str], since_1904: bool) -> None:
        self._kinds = kinds
        self._epoch = _EPOCHS[since_1904]

    def text(self, value: str | float, style: int) -> str:
        """A number as its style shows it."""
        kind = self._kinds[style] if style < len(self._kinds) else ""
        try:
            number = float(value)
        except ValueError:
            return str(value)
        if kind in ("date", "time") and 0 <= number < 2958466:  # the year 10000
            return _moment(self._epoch, number, kind)
        if kind.startswith("%"):
            return f"{number * 100:.{kind[1:]}f}%"
        return f"{number:.15g}"


def kinds(styles: Element | None) -> list[str]:
    """Of the styles of a workbook, in their order."""
    if styles is None:
        return []
    said = {e.get("numFmtId", ""): e.get("formatCode", "") for e in styles.iter("numFmt")}
    numbers = [e.get("numFmtId", "0") for e in styles.iterfind("cellXfs/xf")]
    return [kind(whole(number), said.get(number, "")) for number in numbers]


def kind(number: int, said: str) -> str:
    """``date``, ``time``, ``%`` and the decimals of a percentage, or nothing."""
    if not said:
        if number in (9, 10):
            return "%0" if number == 9 else "%2"
        return "date" if number in _DATES else "time" if number in _TIMES else ""
    first = _SAID.sub("", said).split(";")[0].lower()
    if "%" in first:
        decimals = re.search(r"\.([0#?]+)", first)
        return f"%{len(decimals[1]) if decimals else 0}"
    if "general" in first or "#" in first or "0" in first.replace("ss.0", ""):
        return ""
    if re.search(r"[ydgeb]", first):
        return "date"
    if re.search(r"[hs]", first):
        return "time"
    return "date" if "m" in first else ""


def _moment(epoch: datetime, number: float, kind: str) -> str:
    seconds = round(number * 86400)
    if kind == "time" and number < 1:
        return _clock(epoch + timedelta(seconds=seconds))
    if epoch.year < 1900 and number < 60:  # Excel has a 29 February 1900
        seconds += 86400
    moment = epoch + timedelta(seconds=seconds)
    return moment.date().isoformat() + (f" {_clock(moment)}" if seconds % 86400 else "")


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def place(reference: str) -> tuple[int, int] | None:
    """``B3`` as row 2 and column 1, from 0."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def string(element: Element) -> str:
    """Of a shared or inline string; how it is pronounced is left out."""
    parts: Sequence[Element] = [e for e in element if e.tag in ("t", "r")]
    return "".join(e.text or "" if e.tag == "t" else e.findtext("t", "") for e in parts)
