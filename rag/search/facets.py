"""Which values of a field the documents have that a search ranked, and how many have each.

Knows no queries: whatever passages were ranked, access and filter have been seen to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rag.errors import BadQuery
from rag.index import Collection
from rag.index.passages import About
from rag.types import Facet

MOST_FIELDS = 20
MOST_VALUES = 100


def facets(
    collection: Collection, passages: Sequence[str], fields: Sequence[str], top: int = 10
) -> dict[str, tuple[Facet, ...]]:
    """The ``top`` most frequent values of each field over the documents of ``passages``.

    ``passages`` are ids, all that a search ranked (``Ranking.order``) and not only those that it
    shows: in a hybrid search the best ``depth`` of each leg. So counts say what is among the best
    hits, not how often a value occurs in the collection; and as those hits are ones that access
    groups and the filter let through, nothing else is counted.

    A document counts once, however many of its passages were ranked. One whose field lists several
    values ("tea, pot") counts for each of them, one without the field for none; so counts need not
    add up to the documents. ``path`` means the first folder, which a document at the top has none
    of; ``document`` is no field here. Values come by count, then by themselves.

    Raises
    ------
    BadQuery
        Too many fields or values are asked for, or ``document``.
    """
    if not 1 <= top <= MOST_VALUES or len(fields) > MOST_FIELDS or "document" in fields:
        raise BadQuery(
            f"facets are of at most {MOST_FIELDS} fields, not 'document', "
            f"and 1 to {MOST_VALUES} values each"
        )
    found = {about.document: about for about in collection.about(passages).values()}
    counts: dict[str, Counter[str]] = {field: Counter() for field in fields}
    for about in found.values():
        for field, count in counts.items():
            count.update(set(_values(about, field)))
    return {field: _best(count, top) for field, count in counts.items()}


def _values(about: About, field: str) -> Iterator[str]:
    if field == "path":
        folder, inner, _ = about.path.partition("/")
        yield from (folder,) if inner and folder else ()
    elif field in ("language", "title"):
        yield from filter(None, (about.language if field == "language" else about.title,))
    else:
        yield from filter(None, about.metadata.get(field, "").split(", "))


def _best(count: Counter[str], top: int) -> tuple[Facet, ...]:
    ordered = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Facet(value, n) for value, n in ordered[:top])
