"""XML of any vocabulary: text by elements. Knows names of titles and of paragraphs, no schema.

An element that holds text among others is a paragraph; one that holds only text is a paragraph if
it is long, else a ``name: value`` line next to its siblings'. Entities are never expanded.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from indexer.readers.building import Builder
from indexer.readers.parsed import Parsed, Raw
from indexer.readers.xmltree import parse_xml

_TITLES = frozenset({"title", "head", "heading", "headline", "subject", "caption"})
_PROSE = frozenset(
    {"p", "para", "simpara", "paragraph", "text", "body", "content", "description", "summary"}
    | {"abstract", "quote", "note", "li", "item", "entry", "line", "seg"}
)
_LONG = 80
_SHOWN = 2_000  # characters of an attribute


def read_xml(raw: Raw) -> Parsed:
    """Blocks of what elements and attributes say, in order.

    Raises
    ------
    SourceError
        It is not well-formed, or defines entities.
    """
    builder = Builder()
    fields: list[str] = []
    waiting: list[tuple[Element | None, int]] = [(parse_xml(raw.text, raw.path), 1)]
    while waiting:
        element, level = waiting.pop()
        if element is None:
            _flush(builder, fields)
            continue
        name = _local(element.tag)
        _attributes(fields, element, name)
        if _is_mixed(element) or not len(element):
            _text(builder, fields, name, " ".join("".join(element.itertext()).split()), level)
            continue
        _flush(builder, fields)
        deeper = level + any(_local(child.tag) in _TITLES for child in element)
        waiting.append((None, level))
        waiting += [(child, deeper) for child in reversed(element)]
    _flush(builder, fields)
    return builder.parsed()


def _text(builder: Builder, fields: list[str], name: str, text: str, level: int) -> None:
    if not text:
        return
    if name in _TITLES and len(text) <= 4 * _LONG:
        _flush(builder, fields)
        builder.heading(text, level - 1)
    elif name in _PROSE or len(text) > _LONG:
        _flush(builder, fields)
        builder.paragraph(text)
    else:
        fields.append(f"{name}: {text}")


def _attributes(fields: list[str], element: Element, name: str) -> None:
    """What an element says in its attributes, but for those of XML itself."""
    said = {
        key: " ".join(value.split())[:_SHOWN]
        for key, value in element.attrib.items()
        if not key.startswith("{")
    }
    fields += [f"{name}.{key}: {value}" for key, value in said.items() if value]


def _flush(builder: Builder, fields: list[str]) -> None:
    builder.paragraph("\n".join(fields))
    fields.clear()


def _is_mixed(element: Element) -> bool:
    """Whether it has text of its own beside its children."""
    texts = (element.text, *(child.tail for child in element))
    return len(element) > 0 and any(text and text.strip() for text in texts)


def _local(tag: object) -> str:
    """A name without its namespace."""
    return str(tag).rpartition("}")[2]
