"""What of a document makes no sense: pages of noise. Knows no formats."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, pairwise

from rag.types import Document

_WORD = re.compile(r"\w")
_LEAST = 3
_BROKEN = re.compile("[\ufffd\ue000-\uf8ff\x01-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_BROKEN_SHARE = 0.1


def noise(text: str) -> str:
    """Why a text is no use; nothing if it may be."""
    if len(list(islice(_WORD.finditer(text), _LEAST))) < _LEAST:
        return "has hardly any text"
    return _broken(text)


def without_noise(document: Document) -> tuple[Document, list[str]]:
    """``document`` less the blocks of its pages that are noise, and a word on each of these."""
    if not document.pages:
        return document, []
    pages = pairwise((*document.pages, len(document.text)))
    found = {
        (start, end): why for start, end in pages if (why := _broken(document.text[start:end]))
    }
    if not found:
        return document, []
    kept = [b for b in document.blocks if not any(s <= b.start < e for s, e in found)]
    numbers = {start: n for n, start in enumerate(document.pages, 1)}
    said = [f"page {numbers[start]} {why}" for (start, _), why in found.items()]
    return replace(document, blocks=tuple(kept)), said


def _broken(text: str) -> str:
    visible = sum(map(len, text.split()))
    broken = len(_BROKEN.findall(text))
    if broken <= _BROKEN_SHARE * visible:
        return ""
    return f"is unreadable: {broken:,} of {visible:,} characters are no letters or signs"
