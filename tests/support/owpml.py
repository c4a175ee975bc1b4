"""HWPX and HWPML files of a few elements, for what python-hwpx does not write; for tests."""

from __future__ import annotations

import zipfile
from io import BytesIO

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<hh:head xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"
 xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"><hh:refList>
<hh:numberings><hh:numbering id="1" start="1">
<hh:paraHead level="1" start="1" numFormat="DIGIT">제^1조</hh:paraHead>
<hh:paraHead level="2" start="1" numFormat="HANGUL_SYLLABLE">^2.</hh:paraHead></hh:numbering>
<hh:numbering id="2" start="1">
<hh:paraHead level="1" start="3" numFormat="CIRCLED_DIGIT">^1</hh:paraHead></hh:numbering>
</hh:numberings><hh:paraProperties>
<hh:paraPr id="0"><hh:heading type="NONE" idRef="0" level="0"/></hh:paraPr>
<hh:paraPr id="1"><hp:switch><hp:case><hh:heading type="OUTLINE" idRef="0" level="0"/></hp:case>
</hp:switch></hh:paraPr>
<hh:paraPr id="2"><hh:heading type="OUTLINE" idRef="0" level="1"/></hh:paraPr>
<hh:paraPr id="3"><hh:heading type="NUMBER" idRef="2" level="0"/></hh:paraPr>
<hh:paraPr id="4"><hh:heading type="BULLET" idRef="1" level="0"/></hh:paraPr>
</hh:paraProperties><hh:styles><hh:style id="0" name="바탕글" engName="Normal" paraPrIDRef="0"/>
<hh:style id="7" name="개요 3" engName="Outline 3" paraPrIDRef="0"/></hh:styles></hh:refList>
</hh:head>
"""
_SECTION = """<?xml version="1.0" encoding="UTF-8"?>
<hs:sec xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section"
 xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph">%s</hs:sec>"""
_PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata>
<opf:title>%s</opf:title><opf:language>ko</opf:language>
<opf:meta name="creator" content="text">홍길동</opf:meta>
<opf:meta name="CreatedDate" content="text">2024-03-05T01:02:03Z</opf:meta></opf:metadata>
<opf:manifest>%s</opf:manifest><opf:spine>%s</opf:spine></opf:package>"""


def paragraph(inside: str, shape: int = 0, style: int = 0) -> str:
    """``inside``: elements of a run, or bare text."""
    content = inside if inside.startswith("<") else f"<hp:t>{inside}</hp:t>"
    return (
        f'<hp:p paraPrIDRef="{shape}" styleIDRef="{style}"><hp:run charPrIDRef="0">'
        f"{content}</hp:run></hp:p>"
    )


def sub_list(*paragraphs: str) -> str:
    return f"<hp:subList>{''.join(paragraphs)}</hp:subList>"


def cell(row: int, column: int, inside: str, rows: int = 1, columns: int = 1) -> str:
    return (
        f'<hp:tc header="0">{sub_list(inside)}<hp:cellAddr colAddr="{column}" rowAddr="{row}"/>'
        f'<hp:cellSpan colSpan="{columns}" rowSpan="{rows}"/></hp:tc>'
    )


def hwpx(*sections: str, title: str = "", order: list[int] | None = None) -> bytes:
    """A file of sections, each given as its paragraphs; ``order`` is that of the spine."""
    numbers = order or list(range(len(sections)))
    items = "".join(
        f'<opf:item id="s{i}" href="Contents/section{i}.xml"/>' for i in range(len(sections))
    )
    spine = "".join(f'<opf:itemref idref="s{i}"/>' for i in numbers)
    parts = {
        "mimetype": "application/hwp+zip",
        "Contents/content.hpf": _PACKAGE % (title, items, spine),
        "Contents/header.xml": HEAD,
        "Preview/PrvText.txt": "미리 보기",
    }
    parts |= {f"Contents/section{i}.xml": _SECTION % body for i, body in enumerate(sections)}
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def hwpml(body: str, *, doctype: str = "", title: str = "계획서") -> str:
    """A file of paragraphs (``P`` elements)."""
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no" ?>{doctype}
<HWPML Style="embed" SubVersion="8.0.0.0" Version="2.8"><HEAD SecCnt="1"><DOCSUMMARY>
<TITLE>{title}</TITLE><AUTHOR>홍길동</AUTHOR><DATE>2019년 6월 5일 수요일 오후 5:46:14</DATE>
</DOCSUMMARY>
<MAPPINGTABLE><NUMBERINGLIST><NUMBERING Id="1" Start="1">
<PARAHEAD Level="1" NumFormat="RomanCapital" Start="1">^1.</PARAHEAD></NUMBERING></NUMBERINGLIST>
<PARASHAPELIST><PARASHAPE Id="0" HeadingType="None" Level="0"/>
<PARASHAPE Id="1" HeadingType="Outline" Level="0" Heading="0"/></PARASHAPELIST>
<STYLELIST><STYLE Id="0" Name="바탕글" EngName="Normal" ParaShape="0"/></STYLELIST>
</MAPPINGTABLE></HEAD><BODY><SECTION Id="0">{body}</SECTION></BODY><TAIL/></HWPML>"""
