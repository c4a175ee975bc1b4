"""Files that ask a reader for more than they are worth: deep, wide, swollen or forged."""

from __future__ import annotations

import functools
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from tests.support.samples import SAMPLES, saved, zipped

DEEP = 100_000
_MB = 1 << 20
_BOMB_MB = 600
"""What the largest member of a bomb comes to, which a limit of 512 MB must refuse."""


def deep() -> Iterator[tuple[str, bytes]]:
    """Names and contents of files that nest without end."""
    yield "deep.html", b"<div>" * DEEP + b"tea" + b"</div>" * DEEP
    yield "deep_table.html", b"<table><tr><td>" * 20_000 + b"tea"
    yield "deep_list.html", b"<ul><li>" * DEEP + b"tea"
    yield "deep_inline.html", b"<p>" + b"<b><i>" * DEEP + b"tea"
    yield "deep.json", b"[" * DEEP + b"1" + b"]" * DEEP
    yield "deep_objects.json", b'{"a":' * DEEP + b'"tea"' + b"}" * DEEP
    yield "deep.jsonl", b'{"a": 1}\n' + b"[" * DEEP + b"]" * DEEP + b"\n"
    yield "deep.ipynb", b'{"nbformat": 4, "cells": ' + b"[" * DEEP + b"]" * DEEP + b"}"
    yield "deep.xml", b"<a>" * DEEP + b"tea" + b"</a>" * DEEP
    yield "deep.hml", b"<HWPML><BODY>" + b"<P>" * DEEP + b"tea" + b"</P>" * DEEP
    yield "deep_flow.yaml", b"a: " + b"[" * DEEP + b"]" * DEEP
    yield "deep_block.yaml", b"".join(b" " * n + b"a:\n" for n in range(3000))
    yield "deep_dashes.yaml", b"- " * DEEP + b"tea"
    yield "deep.toml", b"a = " + b"[" * DEEP + b"]" * DEEP
    yield "deep_key.toml", b".".join([b"a"] * DEEP) + b" = 1"
    yield "deep_quotes.md", b"> " * DEEP + b"tea"
    yield "deep_lists.md", b"- " * DEEP + b"tea"
    yield "deep_indented.md", b"".join(b"  " * n + b"- tea\n" for n in range(2000))
    yield "deep_brackets.md", b"[" * DEEP + b"tea" + b"](x)" * DEEP
    yield "deep_stars.md", b"*a **b " * DEEP
    yield "deep_backticks.md", b"".join(b"`" * n + b" " for n in range(1, 3000))
    yield "deep_links.md", b"[a](" * DEEP
    yield "deep_tags.md", b"<div>\n" * DEEP
    yield "front_matter.md", b"---\na: " + b"[" * DEEP + b"\n---\n\n# Tea\n\ntea\n"
    yield "deep.mdx", b"<A>{" * DEEP + b"tea"
    yield "deep.rst", b"".join(b" " * n + b"tea\n\n" for n in range(2000))
    yield "deep_inline.rst", b"*" * DEEP + b" :a:`" * 1000
    yield "deep.adoc", b"".join(b"*" * (n % 5000) + b" tea\n" for n in range(10_000))
    yield "deep.rtf", rb"{\rtf1 " + b"{" * DEEP + b"tea" + b"}" * DEEP
    yield "deep.py", b"x = " + b"(" * DEEP + b")" * DEEP
    yield "deep_blocks.py", b"".join(b" " * n + b"if x:\n" for n in range(2000))
    yield "deep.js", b"{[(" * DEEP
    yield "deep.c", b"int f() " + b"{" * DEEP
    yield "deep.java", b"class A { " * DEEP
    yield "deep.smi", b"<SAMI><BODY>" + b"<SYNC Start=1><P>" * DEEP + b"tea"
    yield "deep.eml", nested_mail(1000)
    yield "deep_message.eml", b"Content-Type: message/rfc822\n\n" * 3000 + b"tea"
    yield "deep.mbox", b"From a@example.org Mon Jan  1 00:00:00 2024\n" + nested_mail(1000)


def wide() -> Iterator[tuple[str, bytes]]:
    """Files of long lines, many columns, many parts."""
    words = b"kettle water tea leaf cup "
    line = words * (2 * _MB // len(words))
    yield "fifty.txt", b"a" * (50 * _MB)
    yield "twenty.log", line * 10
    yield "twenty.json", b'{"tea": "' + line * 10 + b'"}'
    yield "long.md", b"# Tea\n\n" + line
    yield "long.html", b"<p>" + line + b"</p>"
    yield "long.csv", b'name,says\nkettle,"' + line + b'"\n'
    yield "long.xml", b"<tea>" + line + b"</tea>"
    yield "long.py", b"x = '" + line + b"'\n"
    yield "long_comment.js", b"/*" + b"*" * (2 * _MB)
    yield "columns.csv", b",".join([b"c"] * 1_000_000) + b"\n" + b",".join([b"1"] * 1_000_000)
    yield "quotes.csv", b'"' * 1_000_001
    yield "cells.html", b"<table>" + b"<tr>" + b"<td>1" * 200_000
    yield "spans.html", b'<table><tr><td rowspan="65534" colspan="1000">tea</table>' * 200
    yield "keys.json", json.dumps({f"k{i}": i for i in range(50_000)}).encode()
    yield "lists.md", b"- tea\n" * 30_000
    yield "headings.md", b"# tea\n\n" * 20_000
    yield "pipes.md", b"|" * DEEP + b"\n" + b"|-" * DEEP + b"|\n" + b"|" * DEEP
    yield "references.md", b"".join(b"[a%d]: x\n" % i for i in range(50_000)) + b"[a]" * 50_000
    yield "headers.eml", b"".join(b"X-%d: tea\n" % i for i in range(100_000)) + b"\ntea\n"
    yield "parts.eml", flat_mail(5000)
    yield "times.srt", b"1\n99:99:99,999 --> 00:00:00,000\ntea\n\n" * 20_000
    yield "groups.rtf", rb"{\rtf1 " + rb"{\b tea}" * 200_000 + b"}"


def swollen() -> Iterator[tuple[str, bytes, str]]:
    """Names, contents and what the refusal says of files that inflate, or hold entities."""
    too = "MB|large|inflate|more than|ratio|size|entit|damaged|broken|lie"
    for suffix, member in (
        (".docx", "word/document.xml"), (".pptx", "ppt/slides/slide1.xml"),
        (".xlsx", "xl/worksheets/sheet1.xml"), (".odt", "content.xml"), (".epub", "c.xhtml"),
        (".hwpx", "Contents/section0.xml"),
    ):  # fmt: skip
        good = SAMPLES[suffix]("tea")
        yield f"bomb{suffix}", bomb(good, member), too
        yield f"forged{suffix}", bomb(good, member, says=10), too
        refused = "entit|DTD|declar" if suffix != ".epub" else ""  # as HTML they are harmless
        yield f"laughs{suffix}", replaced(good, member, LAUGHS), refused
    yield "laughs.xml", LAUGHS, "entit|DTD|declar"
    yield "laughs.hml", LAUGHS.replace(b"<!DOCTYPE a", b"<!DOCTYPE HWPML"), "entit|DTD|declar"
    yield "quadratic.xml", QUADRATIC, "entit|DTD|declar"
    yield "outside.xml", OUTSIDE, "entit|DTD|declar"
    aliases = b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9))
                       for n in range(1, 12))  # fmt: skip
    yield "aliases.yaml", b"a0: &a0 [tea]\n" + aliases, ""
    # PDFium ends the process that has no memory left for it, and says nothing.
    yield "bomb.pdf", swollen_pdf(_BOMB_MB), r"MB|crash \(signal (ABRT|TRAP|ILL)\)"
    yield "loop.pdf", looping_pdf(), ""


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "tea">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><a>&a11;</a>"
)
QUADRATIC = b'<!DOCTYPE a [<!ENTITY t "' + b"t" * 100_000 + b'">]><a>' + b"&t;" * 100_000 + b"</a>"
OUTSIDE = b'<!DOCTYPE a [<!ENTITY t SYSTEM "file:///etc/hostname">]><a>&t;</a>'


def replaced(archive: bytes, member: str, content: bytes) -> bytes:
    return zipped(members(archive) | {member: content})


def bomb(archive: bytes, member: str, *, says: int = 0) -> bytes:
    """The archive, with a member that inflates to 600 MB, and says that it has ``says`` bytes."""
    squeezed, check = spaces(_BOMB_MB)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in (members(archive) | {member: squeezed}).items():
            made.writestr(name, content)
        place = made.getinfo(member).header_offset
    data = bytearray(out.getvalue())
    central = data.rindex(member.encode()) - 46
    size = says or _BOMB_MB * _MB
    for start, method in ((place, 8), (central, 10)):
        struct.pack_into("<H", data, start + method, zipfile.ZIP_DEFLATED)
        struct.pack_into("<III", data, start + method + 6, check, len(squeezed), size)
    return bytes(data)


@functools.cache
def spaces(megabytes: int) -> tuple[bytes, int]:
    """So many blanks, deflated, and their checksum."""
    one, check = b" " * _MB, 0
    squeeze = zlib.compressobj(wbits=-15)
    part = squeeze.compress(one) + squeeze.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        check = zlib.crc32(one, check)
    return part * megabytes + squeeze.flush(), check


def members(archive: bytes) -> dict[str, str | bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def nested_mail(depth: int) -> bytes:
    mail = "tea\n"
    for n in range(depth):
        mail = f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n{mail}\n--b{n}--\n'
    return ("Subject: tea\nMIME-Version: 1.0\n" + mail).encode()


def flat_mail(parts: int) -> bytes:
    mail = MIMEMultipart()
    for _ in range(parts):
        mail.attach(MIMEText("tea"))
    return mail.as_bytes()


def swollen_pdf(megabytes: int) -> bytes:
    stream = b"\x78\x9c" + spaces(megabytes)[0] + bytes(4)
    return numbered(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(stream), stream),
    )


def looping_pdf() -> bytes:
    """Pages that are their own children, a million by their own account."""
    return numbered(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>"
    )


def numbered(*objects: bytes) -> bytes:
    """A PDF of these objects."""

    def write(out: io.BytesIO) -> None:
        places = []
        out.write(b"%PDF-1.7\n")
        for n, content in enumerate(objects, 1):
            places.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (n, content))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
        out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
        out.write(b"startxref\n%d\n%%%%EOF\n" % start)

    return saved(write)
