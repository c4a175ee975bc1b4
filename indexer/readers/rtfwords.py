"""RTF's words: code pages, what is skipped, the letters that have names. Knows no structure.

https://interoperability.blob.core.windows.net/files/Archive_References/%5bMSFT-RTF%5d.pdf
"""

from __future__ import annotations

import codecs
import re

TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?"  # a word, with its number
    rb"|((?:\\'[0-9a-fA-F]{2})+)"
    rb"|\\([^a-zA-Z])"
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)"
    rb"|[\r\n]+|\\",
    re.DOTALL,
)

CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}

LETTERS = {
    b"tab": "\t",
    b"line": "\n",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"bullet": "•",
    b"endash": "–",
    b"emdash": "—",
    b"emspace": "\u2003",
    b"enspace": "\u2002",
    b"qmspace": "\u2005",
    b"nestcell": " ",
    b"nestrow": " ",
}
SIGNS = {b"~": "\u00a0", b"_": "\u2011", b"\\": "\\", b"{": "{", b"}": "}"}

SKIPPED = frozenset(
    b"colortbl generator pict objdata header headerl headerr headerf footer footerl footerr upr "
    b"footerf "
    b"ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn fldinst xe tc nonshppict sp listtable "
    b"listoverridetable revtbl rsidtbl filetbl themedata colorschememapping datastore latentstyles "
    b"bkmkstart bkmkend atnid atnauthor annotation nesttableprops private template operator".split()
)
"""Destinations whose text is not the document's."""

KEPT = frozenset((b"shpinst", b"shptxt", b"footnote", b"pn", b"listpicture"))
"""Destinations that are read although they are marked as ones to ignore."""

PROPERTIES = {
    b"title": "title",
    b"author": "author",
    b"subject": "subject",
    b"keywords": "keywords",
    b"doccomm": "description",
}


def code_page(number: int) -> str:
    """Python's name of a Windows code page."""
    name = {65001: "utf-8", 10000: "mac_roman", 0: "cp1252"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
