"""Blanks repaired by the collection's own words, without a language model."""

from __future__ import annotations

from rag.search.rewrite import hangul, words
from rag.search.rewrite.lexicon import Lexicon
from rag.search.rewrite.rewriting import Rewrite


def repair(question: str, lexicon: Lexicon) -> Rewrite:
    """``question`` with its blanks where passages have them.

    Left alone with quotes, signs or wildcards: there people mean what they write. Misspelt words
    are not touched either: a search corrects those itself, and says so.
    """
    if any(sign in question for sign in '"“”*+'):
        return Rewrite("repair")
    text, repairs = question, []
    for step in (words.join, words.split, hangul.spaced):
        text, done = step(text, lexicon)
        repairs += done
    if text == question:
        return Rewrite("repair")
    note = ", ".join(f"'{after}' for '{before}'" for before, after in repairs)
    return Rewrite("repair", (text,), note)
