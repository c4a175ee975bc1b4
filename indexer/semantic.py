"""Cuts where the meaning changes: where the sentences before and after are least alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.tokens import Counter
from indexer.units import Unit, units
from rag.encode import Encoder
from rag.types import Document

_AROUND = 3
"""Sentences on either side whose mean meaning is compared; one alone says little."""
_BATCH = 256
_NEVER = 2.0
"""Above every cosine: a heading stays with what follows it, where that can be."""


def semantic(
    document: Document, tokens: int, counter: Counter, encoder: Encoder
) -> Iterator[list[Unit]]:
    """Runs of whole sentences, between a third of ``tokens`` and ``tokens`` where that can be.

    Each ends where, within these bounds, the mean vectors of the three sentences before and after
    have the least cosine: TextTiling (Hearst 1997) with sentence vectors in place of word counts.
    """
    parts = list(units(document, tokens, counter, fine=True))
    ends = np.cumsum([unit.tokens for unit in parts])
    alike: NDArray[np.float32] | None = None
    start, before = 0, 0
    while start < len(parts):
        if ends[-1] - before <= tokens or start == len(parts) - 1:
            yield parts[start:]
            return
        if alike is None:
            texts = [document.text[unit.start : unit.end] for unit in parts]
            alike = likeness(texts, encoder)
            alike[[i for i, unit in enumerate(parts[:-1]) if unit.leads]] = _NEVER
        low = int(np.searchsorted(ends, before + tokens / 3))
        high = max(int(np.searchsorted(ends, before + tokens, side="right")) - 1, start)
        low = min(low, high)
        cut = low + int(np.argmin(alike[low : high + 1]))
        yield parts[start : cut + 1]
        start, before = cut + 1, int(ends[cut])


def likeness(texts: Sequence[str], encoder: Encoder) -> NDArray[np.float32]:
    """Cosine of what is said up to each text and after it, (n - 1,) float32."""
    batches = (texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH))
    vectors = np.concatenate([encoder.passages(batch) for batch in batches])
    sums = np.zeros((len(texts) + 1, vectors.shape[1]), np.float64)
    np.cumsum(vectors, axis=0, out=sums[1:])
    cuts = np.arange(1, len(texts))
    before = sums[cuts] - sums[np.maximum(cuts - _AROUND, 0)]
    after = sums[np.minimum(cuts + _AROUND, len(texts))] - sums[cuts]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    dots = np.einsum("ij,ij->i", before, after)
    cosines: NDArray[np.float64] = np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)
    return cosines.astype(np.float32)
