"""Puts what was ranked anew before the rest. Knows ids and scores only."""

from __future__ import annotations

from rag.search.fuse import Scored


def followed(best: Scored, rest: Scored) -> Scored:
    """``best``, then ``rest`` in its order, its scores moved down below those of ``best``."""
    if not (best and rest):
        return best or rest
    last = best[-1][1]
    shift = min(last - max(score for _, score in rest), 0.0)
    return best + [(id_, min(score + shift, last)) for id_, score in rest]
