"""Dates as files state them, made days in ISO's form. Knows no format."""

from __future__ import annotations

import re
from datetime import date

_DAY = re.compile(
    r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})(?!\d)|(\d{4})(\d\d)(\d\d)(?![\d.])"
)


def day(text: str) -> str:
    """``2024-01-31`` of a date written as in ISO's form, in Korea, or in mail; else ``text``."""
    found = _DAY.match(text)
    try:
        if found:
            return date(*(int(part) for part in found.groups() if part)).isoformat()
        from email.utils import parsedate_to_datetime

        timed = text if ":" in text else f"{text} 00:00"
        return parsedate_to_datetime(timed).date().isoformat()
    except (ValueError, TypeError, LookupError, OverflowError):
        return text
