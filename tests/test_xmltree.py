from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from indexer.readers.xmltree import DEPTH, parse_part, parse_xml, stream_part
from rag.errors import SourceError

BOMB = (
    '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
WORD = (
    '<w:d xmlns:w="urn:w" xmlns:q="http://example.org/relationships" xmlns="urn:none">'
    '<w:p w:val="1" id="2" q:id="3"/><p/></w:d>'
)


def test_names_are_whole_or_bare() -> None:
    whole = parse_xml(WORD, "f")
    assert [e.tag for e in whole] == ["{urn:w}p", "{urn:none}p"]
    bare = parse_part(WORD.encode(), "f", "part")
    assert [e.tag for e in bare] == ["p", "p"]
    assert bare[0].attrib == {"val": "1", "id": "2", "r:id": "3"}


@pytest.mark.parametrize("text", [BOMB, OUTSIDE])
def test_entities_are_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"f\.xml: defines XML entities"):
        parse_xml(text, "f.xml")
    with pytest.raises(SourceError, match=r"f\.docx: its part doc\.xml defines XML entities"):
        parse_part(text.encode(), "f.docx", "doc.xml")


def test_an_outside_document_type_is_not_fetched() -> None:
    assert parse_xml('<!DOCTYPE a SYSTEM "file:///nowhere/a.dtd"><a>x</a>', "f").text == "x"


def test_a_hundred_thousand_elements_deep() -> None:
    n = 100_000
    root = parse_xml("<a>" * n + "word" + "</a>" * n, "deep.xml")
    assert sum(1 for _ in root.iter()) == n
    assert "".join(root.itertext()) == "word"
    with pytest.raises(SourceError, match=f"its part p nests more than {DEPTH} elements"):
        parse_part(b"<a>" * n, "deep.docx", "p")


def test_errors_say_where() -> None:
    with pytest.raises(SourceError, match=r"f\.xml:3: is not well-formed XML") as e:
        parse_xml("<a>\n<b>\n</a>", "f.xml")
    assert e.value.line == 3
    with pytest.raises(SourceError, match=r"f\.docx: its part x is not well-formed.*line 3"):
        parse_part(b"<a>\n<b>\n</a>", "f.docx", "x")
    with pytest.raises(SourceError, match="unsupported encoding"):
        parse_xml(b'<?xml version="1.0" encoding="euc-kr"?><a>\xb0\xa1</a>', "f.xml")


def test_decoded_text_needs_no_encoding() -> None:
    assert parse_xml('<?xml version="1.0" encoding="euc-kr"?><a>가</a>', "f").text == "가"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_part_bit_by_bit(size: int) -> None:
    data = (
        b'<w><t name="1"><r>a<r>nested</r></r> <r>b</r></t>'
        b'<g><t name="2"/></g><r><t name="inside">c</t></r></w>'
    )
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    found = stream_part(pieces, "f", "p", frozenset({"r"}), frozenset({"t"}))
    assert [shown(e) for e in found] == ["t1", "r:anested", "r:b", "t2", "r:c"]


def shown(element: Element) -> str:
    if element.tag == "t":
        return f"t{element.get('name')}"
    return f"r:{''.join(element.itertext())}"


def test_what_was_taken_is_kept_no_longer() -> None:
    data = b"<a>" + b"<r>x</r>" * 3 + b"</a>"
    around, *taken = stream_part([data], "f", "p", frozenset({"r"}), frozenset({"a"}))
    assert (around.tag, len(around)) == ("a", 0)
    assert [e.text for e in taken] == ["x"] * 3
