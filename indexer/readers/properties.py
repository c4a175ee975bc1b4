"""What an XML part says of its document: title, author, dates. Knows no vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from indexer.readers.dates import day

_MANY = frozenset({"keywords", "subject"})


def properties(elements: Iterable[Element], names: Mapping[str, str]) -> dict[str, str]:
    """Texts of ``elements`` by our names for their tags; the first counts, keywords are joined."""
    found: dict[str, str] = {}
    for element in elements:
        key = names.get(element.tag)
        value = " ".join((element.text or "").split())
        if not key or not value:
            continue
        if key not in found:
            found[key] = day(value) if key in ("date", "modified") else value
        elif key in _MANY:
            found[key] += f", {value}"
    return found
