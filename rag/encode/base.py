"""What every encoder is, and the one rule that all their vectors obey. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rag.errors import SourceError


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how close they are.

    Attributes
    ----------
    name
        What people call it.
    fingerprint
        Changes whenever the vectors would; a collection refuses another.
    dim
        Length of a vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (n, dim) float32, unit norm; (0, dim) for no texts."""
        ...

    def query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32, unit norm."""
        ...


def unit(vectors: ArrayLike, encoder: str) -> NDArray[np.float32]:
    """``vectors`` (n, dim) as float32 rows of unit norm.

    Raises
    ------
    SourceError
        ``encoder`` gave a vector without a direction: zero, infinite or no number.
    """
    rows = np.asarray(vectors, np.float32)
    norms = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise SourceError(
            f"encoder {encoder}",
            "gave a vector that is zero or no number",
            remedy="Check the model's files, or choose another with the setting `encoder`",
        )
    return np.asarray(rows / norms, np.float32)
