"""Which encoding bytes are in: declared, wide, or told by their statistics. Decodes nothing whole.

The legacy encodings of the offices that Saem meets are asked for alone: charset-normalizer is
right more often when it need not consider a hundred (figures: ``eval/LOG.md``).
"""

from __future__ import annotations

import codecs
import re
import unicodedata

SAMPLE = 1 << 16

_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)"""
    rb"""|<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)"""
    rb"""|^[^\n]{0,80}coding[:=][ \t]*([\w.-]+)|^@charset "([\w.-]+)\"""",
    re.IGNORECASE,
)
_WIDER = {
    "ascii": "utf-8",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
}
_FAMILIES = re.compile(
    r"utf-(?:8|16|32)(?:-[bl]e)?|(?:iso8859|iso2022|koi8|mac|tis)[\w-]*|cp\d+|gb18030|big5\w*"
    r"|euc_\w+|shift_jisx?\w*|johab|hz|hp_roman8|ptcp154|kz1048"
)
_ESCAPES = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$B", "iso2022_jp"),
    (b"\x1b$@", "iso2022_jp"),
    (b"\x1b(J", "iso2022_jp"),
)
_DOUBLE = ("cp949", "cp932", "euc_jp", "gb18030", "big5")
_CANDIDATES = [*_DOUBLE, "cp1251", "koi8_r", "cp1252"]
HIGH = re.compile(rb"[\x80-\xff]+")
# Two or three syllables look like Chinese as well.
_HANGUL = re.compile(rb"(?:[\xb0-\xc8][\xa1-\xfe])+")
_FEW = 6
_ASCII = bytes(range(128))
# Letters, and the marks that people type among them, of windows-1252.
_LATIN = bytes(range(0xC0, 0x100)) + (
    b"\x80\x84\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa1\xa3\xa7\xa9\xab\xad\xae\xb0\xb1\xb2\xb3"
    b"\xb4\xb7\xbb\xbf\x8a\x8c\x9a\x9c\x9f\xb5\xba\xaa\xbc\xbd\xbe"
)


def declared(data: bytes) -> str:
    """The encoding that the first bytes name themselves: XML, HTML, a coding line, CSS."""
    found = _DECLARED.search(data[:4096].replace(b"\0", b""))
    return next((name.decode() for name in found.groups() if name), "") if found else ""


def codec(name: str) -> str:
    """Python's codec for a declared encoding, the wider one where it is commonly meant.

    Empty where there is none, or where it is none that texts are written in (``rot13``).
    """
    try:
        known = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return ""
    return _WIDER.get(known, known) if known == "ascii" or _FAMILIES.fullmatch(known) else ""


def escaped(data: bytes) -> str:
    """The encoding that switches between alphabets by escape sequences; empty if there are none."""
    return next((name for escape, name in _ESCAPES if escape in data[:SAMPLE]), "")


def wide(data: bytes, *, certain: bool) -> str:
    """UTF-16 or UTF-32 of bytes without a byte order mark; empty where it is neither.

    ``certain``: they are no UTF-8. Texts of any language hold NULs then, in blanks and line ends.
    """
    sample = data[:SAMPLE]
    if sample.count(0) * 5 < (0 if certain else 2 * len(sample)) or 0 not in sample:
        return ""
    for pair in (("utf-32-le", "utf-32-be"), ("utf-16-le", "utf-16-be")):
        share, name = max((_share(sample, name), name) for name in pair)
        if share > 0.02:
            return name
    return ""


def _share(sample: bytes, name: str) -> float:
    """Of the sample's characters, how many are ASCII; 0 if it cannot be a text of that encoding."""
    width = int(name[4:6]) // 8
    sample = sample[: len(sample) - len(sample) % width]
    text = sample.decode(name, "replace")
    if not text:
        return 0.0
    odd = sum(unicodedata.category(c) in ("Cc", "Cn", "Cs", "Co") for c in text.translate(_SPACES))
    if (odd + text.count("\ufffd")) * 200 > len(text):
        return 0.0
    return sum(c < "\x7f" for c in text) / len(text)


_SPACES = dict.fromkeys(map(ord, "\t\n\r\f\v\ufeff"), " ")


def detected(data: bytes) -> tuple[str, float]:
    """The legacy encoding that bytes are most likely in, and how sure that is (0 to 1).

    The measure is one minus charset-normalizer's share of unlikely characters, less where few
    characters speak for it: ``n / (n + 2)`` of it where ``n`` are not ASCII.
    """
    sample = _sample(data)
    runs = HIGH.findall(sample)
    high = sum(map(len, runs))
    if _western(runs, high):
        return ("cp1252" if decodes(data, "cp1252") else "latin-1"), round(high / (high + 2), 2)
    if high <= _FEW and all(_HANGUL.fullmatch(run) for run in runs):
        return "cp949", round(high / (high + 4), 2)
    from charset_normalizer import from_bytes

    if not any(decodes(sample, name) for name in _DOUBLE):
        sample = _mended(sample)
    best = from_bytes(sample, cp_isolation=_CANDIDATES, enable_fallback=False).best()
    if best is None:
        return "", 0.0
    pairs = high / 2 if best.encoding in _DOUBLE else high
    return best.encoding, round((1 - best.chaos) * pairs / (pairs + 2), 2)


def _sample(data: bytes) -> bytes:
    """The lines with characters that are not ASCII, up to so many bytes of them."""
    found: list[bytes] = []
    size, at = 0, 0
    while size < SAMPLE and (match := HIGH.search(data, at)):
        first = data.rfind(b"\n", at, match.start()) + 1 or max(at, match.start() - 200)
        end = data.find(b"\n", match.end(), match.end() + SAMPLE) + 1
        end = end or min(len(data), match.end() + SAMPLE)
        found.append(data[first:end])
        size += end - first
        at = end
    return b"".join(found)


def _western(runs: list[bytes], high: int) -> bool:
    """Whether bytes above ASCII stand alone among letters, as they do in Western Europe."""
    alone = sum(len(run) == 1 for run in runs)
    letters = sum(len(run) - len(run.translate(None, _LATIN)) for run in runs)
    return alone >= 0.7 * high and letters >= 0.9 * high


def decodes(data: bytes, name: str) -> bool:
    """Whether all of it is valid; UTF-8 may hold unpaired surrogates."""
    try:
        data.decode(name, "surrogatepass" if name == "utf-8" else "strict")
    except UnicodeDecodeError:
        return False
    return True


def _mended(sample: bytes) -> bytes:
    """The sample without the few bytes that keep one double-byte encoding from decoding it."""
    for name in _DOUBLE:
        text = sample.decode(name, "replace")
        if text.count("\ufffd") * 100 <= len(text.encode(name, "ignore").translate(None, _ASCII)):
            return text.encode(name, "ignore")
    return sample
