"""Puts passages in order by a weighted sum of what is known of them.

Needs no model. The weights come with this module, from the settings, or from `rag tune`, which
learns them. Knows features only (`rag.search.weighing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rag.errors import ConfigError
from rag.search.followed import followed
from rag.search.fuse import Scored, ranked
from rag.search.weighing import FEATURES, Row

DEFAULT: Mapping[str, float] = MappingProxyType(
    {"bm25": 0.09, "dense": 0.55, "coverage": 0.16, "window": 0.14, "pairs": 0.06}
)
"""Learned on other questions than the reported ones (``eval/LOG.md``). They sum to 1, so that
scores are 0 to 1."""
_LARGEST = 1000


def weights(text: str) -> dict[str, float]:
    """Weights as settings write them: ``dense=1, title=0.2``; the default ones for no text.

    Raises
    ------
    ConfigError
        A feature is unknown or a weight is no number.
    """
    if not text.strip():
        return dict(DEFAULT)
    found = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            if name not in FEATURES:
                raise ValueError
            found[name] = float(number)
            if not abs(found[name]) <= _LARGEST:  # nor NaN
                raise ValueError
        except ValueError as e:
            raise ConfigError(
                f"rerank_weights: '{part.strip()}' is no weight",
                remedy=f"Write feature=number, {-_LARGEST} to {_LARGEST}, the features being "
                + ", ".join(FEATURES),
            ) from e
    return found


def linear(order: Scored, features: Mapping[str, Row], weight: Mapping[str, float]) -> Scored:
    """``order`` with its first passages, those that have features, sorted by weighted sum.

    The others follow in their order, below the first.
    """
    by = np.array([weight.get(name, 0.0) for name in FEATURES])
    sums = (np.array(list(features.values())).reshape(-1, len(by)) * by).sum(axis=1)
    best = ranked(dict(zip(features, sums.tolist(), strict=True)))
    return followed(best, [(id_, score) for id_, score in order if id_ not in features])
