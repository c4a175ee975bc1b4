"""Gives documents what rules say of their paths. Knows no formats and no index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.index.where import glob
from rag.rules import Rule
from rag.types import Document


def given(path: str, rules: Sequence[Rule]) -> dict[str, str]:
    """The fields that rules give a document at ``path``; of two that name one, the later's."""
    return {k: v for rule in rules if glob(rule.glob, path) for k, v in rule.fields.items()}


def ruled(document: Document, rules: Sequence[Rule]) -> Document:
    """``document`` with the fields and groups of all rules that its path meets.

    Of two that name one field, or groups, the later one counts.
    """
    met = [rule for rule in rules if glob(rule.glob, document.path)]
    if not met:
        return document
    fields = given(document.path, met)
    groups = next((rule.groups for rule in reversed(met) if rule.groups), document.groups)
    return replace(document, metadata={**document.metadata, **fields}, groups=groups)
