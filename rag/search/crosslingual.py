"""Dense search that does not favour the question's own language.

A multilingual encoder places texts of one language close together whatever they say, so a Korean
question finds Korean passages first even where only an English one answers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.index import Collection
from rag.index.clauses import Clause
from rag.search.fuse import Scored, ranked
from rag.types import Filter


def search(
    collection: Collection,
    vector: NDArray[np.float32],
    k: int,
    filter: Filter | None,  # noqa: A002 - the field's word
    bindings: tuple[Clause, ...] = (),
    encoder: str | None = None,
) -> tuple[Scored, dict[str, tuple[str, ...]]]:
    """The best ``k`` passages of all languages, and the languages that each is one of.

    They meet ``bindings``; ``vector`` and theirs are of ``encoder``, by its fingerprint.

    From each cosine is taken what the passage's language alone explains: the cosine of ``vector``
    to the mean passage of that language, less its average over all languages. Yang, Cer et al.
    (2021), "A Simple and Effective Method To Eliminate the Self Language Bias in Multilingual
    Representations", remove more directions; the mean is the first. A collection in one language
    is searched by plain cosine.
    """
    shifts = expected(collection, vector, encoder)
    if len(shifts) < 2:
        return collection.dense(vector, k, filter, bindings=bindings, encoder=encoder), {}
    average = sum(shifts.values()) / len(shifts)
    scores: dict[str, float] = {}
    languages: dict[str, tuple[str, ...]] = {}
    for group, shift in shifts.items():
        if within := _within(filter, group):
            found = collection.dense(vector, k, within, bindings=bindings, encoder=encoder)
            for id_, score in found:
                scores[id_] = score - shift + average
                languages[id_] = group
    best = ranked(scores)[:k]
    return best, {id_: languages[id_] for id_, _ in best}


def cosines(
    collection: Collection,
    vector: NDArray[np.float32],
    ids: Sequence[str],
    languages: Mapping[str, tuple[str, ...]],
    encoder: str | None = None,
) -> tuple[dict[str, float], float]:
    """What ``search`` would score each of the passages ``ids`` that has a vector, and the mean one.

    ``languages`` are those that are known of them.
    """
    shifts = expected(collection, vector, encoder)
    average = sum(shifts.values()) / len(shifts) if shifts else 0.0
    scores = collection.cosines(vector, ids, encoder=encoder)
    if len(shifts) < 2:
        return scores, average
    for id_ in scores:
        scores[id_] += average - shifts.get(languages.get(id_, ()), average)
    return scores, average


def groups(
    collection: Collection,
    vector: NDArray[np.float32],
    ids: Sequence[str],
    encoder: str | None = None,
) -> dict[str, tuple[str, ...]]:
    """The languages that each of the passages ``ids`` is one of; none where there is but one."""
    shifts = expected(collection, vector, encoder)
    if len(shifts) < 2:
        return {}
    of = {language: group for group in shifts for language in group}
    about = collection.about(ids)
    return {id_: of[a.language] for id_, a in about.items() if a.language in of}


def expected(
    collection: Collection, vector: NDArray[np.float32], encoder: str | None = None
) -> dict[tuple[str, ...], float]:
    """The cosine of ``vector`` to the mean passage of each language, or group of languages."""
    means = collection.centroids(encoder=encoder)
    return {group: float(mean @ vector) for group, mean in means.items()}


def _within(filter: Filter | None, group: tuple[str, ...]) -> Filter | None:  # noqa: A002
    """``filter`` and one of the languages ``group``; ``None`` if they exclude each other."""
    base = filter or Filter()
    asked = base.fields.get("language")
    both = tuple(language for language in group if asked is None or language in asked)
    return replace(base, fields={**base.fields, "language": both}) if both else None
