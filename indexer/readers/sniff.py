"""Which format a file is of: by what it holds, then by its name. Reads its first 64 KB.

What a file *is* decides over its name; among kinds of plain text, which look alike, the name does.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from indexer.readers.charsets import decodes, wide
from indexer.readers.containers import contained
from indexer.readers.decode import MARKS, refuse_binary
from indexer.readers.formats import BY_NAME, BY_SUFFIX, SUFFIXES, Format
from indexer.readers.refusals import Unknown

_HEAD = 1 << 16
_PROLOG = r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
_HTML = re.compile(_PROLOG + r"<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)
_HWPML = re.compile(_PROLOG + r"(?:<!DOCTYPE[^>]*>\s*)?<HWPML\b", re.DOTALL)
_XML = re.compile(r"\s*<\?xml\s")
_RTF = re.compile(r"\s*\{\\rtf")
_MBOX = re.compile(r"From \S.* \d\d:\d\d(?::\d\d)? .*\d{4}\r?\n[\w-]+:")
_FIELD = re.compile(
    r"^(received|return-path|from|to|subject|date|message-id|mime-version|content-type|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_SUBTITLES = re.compile(
    r"\s*(?:WEBVTT\b|<SAMI\b|\[Script Info\]|\d+\s*\n\d+:\d\d:\d\d[,.]\d+ *--> )", re.IGNORECASE
)
_CELLS = re.compile(r'\s*\{.*"cell_type"\s*:', re.DOTALL)
_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{"\d\]-])')
# Their files may begin with markup or hold a page, and are what they are called all the same.
_OWN = frozenset({"code", "mdx", "csv", "yaml", "toml", "email", "mbox", "subtitles", "notebook"})


def sniff(data: bytes, path: str) -> Format:
    """The format of a file of that content and name; without a suffix, text is plain text.

    Raises
    ------
    Unknown
        It is something that no reader takes.
    SourceError
        It is a document that cannot be read as it is: encrypted, damaged, of an old format.
    """
    suffix = _suffix(path)
    named = BY_SUFFIX.get(suffix)
    if binary := contained(data, path):
        return BY_NAME[binary]
    try:
        head = _head(data, path)
    except Unknown:
        if named and named.binary:
            return named  # its reader knows what is wrong with it
        raise
    if (named is None or named.name not in _OWN) and (found := _markup(head)):
        return BY_NAME[found]
    if not suffix or (named and (named.binary or named.name == "text")):
        return BY_NAME[_plain(head) or ("csv" if suffix.startswith(".xls") else "text")]
    if named is None:
        raise Unknown(
            path,
            f"has a suffix that no reader takes ({suffix})",
            f"Known are {' '.join(sorted(SUFFIXES))}",
        )
    if (named.name == "json" and _is_lines(head)) or (named.name == "email" and _MBOX.match(head)):
        return BY_NAME["jsonl" if named.name == "json" else "mbox"]
    return named


def _suffix(path: str) -> str:
    """The suffix in lower case; ``notes v1.2`` and ``Mr. Kim`` have none."""
    suffix = PurePosixPath(path).suffix.lower()
    return "" if suffix[1:].isdigit() or " " in suffix else suffix


def _head(data: bytes, path: str) -> str:
    """The first characters; those beyond ASCII may be wrong."""
    head = data[:_HEAD]
    for mark, name in MARKS:
        if head.startswith(mark):
            return head[len(mark) :].decode(name, "replace")
    if name := wide(head, certain=not decodes(head[:-4], "utf-8")):
        return head.decode(name, "replace")
    refuse_binary(head, path)
    return head.decode("latin-1")


def _markup(head: str) -> str:
    kinds = (("html", _HTML), ("hwpml", _HWPML), ("rtf", _RTF))
    return next((name for name, begins in kinds if begins.match(head)), "")


def _plain(head: str) -> str:
    """What text of no telling name is, where it plainly is something; else empty."""
    if _XML.match(head):
        return "xml"
    if _SUBTITLES.match(head):
        return "subtitles"
    if _MBOX.match(head):
        return "mbox"
    if _is_mail(head):
        return "email"
    if _CELLS.match(head):
        return "notebook"
    if _is_lines(head):
        return "jsonl"
    return "json" if _JSON.match(head) and _is_json(head) else ""


def _is_mail(head: str) -> bool:
    """Whether the lines before the first blank one are the head of a message."""
    top = re.split(r"\r?\n\r?\n", head, maxsplit=1)[0]
    fields = {name.lower() for name in _FIELD.findall(top)}
    return bool(_FIELD.match(top)) and (
        len(fields & {"message-id", "mime-version", "received", "return-path"}) > 0
        and len(fields & {"from", "to", "subject", "date"}) > 1
    )


def _is_lines(head: str) -> bool:
    """Whether the first two lines are JSON objects each."""
    first, second, *_ = [*head.split("\n", 2), "", ""]
    return second.startswith("{") and _is_object(first)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_json(head: str) -> bool:
    """Whether it is JSON, as far as can be seen."""
    if len(head) >= _HEAD:
        return True
    try:
        json.loads(head)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True
