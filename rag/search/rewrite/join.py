"""One list of the lists that a question and its rewritten queries found. Knows ids and scores."""

from __future__ import annotations

from collections.abc import Sequence

from rag.search import fuse
from rag.search.fuse import Scored

OTHERS = 0.4
"""Share of the weight that all rewritten queries have together; the question has the rest."""


def join(question: Scored, others: Sequence[Scored]) -> Scored:
    """The convex sum of normalised scores, in which ``question`` weighs more than all ``others``.

    Without others, ``question`` as it is.
    """
    if not others:
        return question
    lists = {"question": question, **{str(i): scored for i, scored in enumerate(others)}}
    weights = dict.fromkeys(lists, OTHERS / len(others)) | {"question": 1 - OTHERS}
    return fuse.convex(lists, weights)
