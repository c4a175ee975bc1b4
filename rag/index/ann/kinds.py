"""The kinds of dense index: which one suits, making one, reading one back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from rag.index.ann.approximate import Approximate
from rag.index.ann.gpu import usable
from rag.index.ann.gpu_flat import GpuFlat
from rag.index.ann.hnsw import Hnsw
from rag.index.ann.ivf import Ivf
from rag.index.dense import Flat, Mask, Ranked, Stored
from rag.types import Device

Kind = Literal["flat", "hnsw", "ivf"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EXACT_NUMBERS = 200_000 * 384
"""Vectors times dimensions up to which search is exact: 6 ms, a third of what encoding a question
takes. Beyond it is IVF: 0.3 ms of 200,000 vectors that cluster well and 2.6 of some that hardly do
(recall@10 0.97), built in 6 s. HNSW found 0.83 of the latter in 1.5 ms, was built in 59 s and is
seven times as large, so it is made for those alone who ask for it."""
_APPROXIMATE: dict[Kind, type[Approximate]] = {"hnsw": Hnsw, "ivf": Ivf}


class Index(Protocol):
    """Vectors that can be searched, exactly or nearly so."""

    def __len__(self) -> int: ...

    def search(self, vector: NDArray[np.float32], k: int, allowed: Mask | None = None) -> Ranked:
        """Rows and cosines, best first, of the best ``k`` found and what ties with the last.

        ``vector`` is ``(dim,)`` of unit norm, ``allowed`` an ``(n,)`` mask of the rows to find.
        Cosines are exact: summed in float32 over the numbers that are stored.
        """
        ...

    def dump(self) -> dict[str, NDArray[Any]]:
        """What ``load`` needs beside the vectors, by name; nothing of an exact index."""
        ...


def choose(count: int, dim: int, kind: Kind | Literal["auto"] = "auto") -> Kind:
    """The kind that suits ``count`` vectors, unless ``kind`` names one."""
    if kind != "auto":
        return kind
    return "flat" if count * dim <= EXACT_NUMBERS else "ivf"


def build(kind: Kind, vectors: Stored, device: Device = "auto") -> Index:
    """An index over ``(n, dim)`` vectors of unit norm, which it reads where they lie."""
    if kind == "flat":
        return GpuFlat(vectors) if usable(device) else Flat(vectors)
    return _APPROXIMATE[kind].build(vectors, device)


def load(
    kind: Kind,
    arrays: Mapping[str, NDArray[Any]],
    vectors: Stored,
    device: Device = "auto",
) -> Index:
    """What ``build`` made of ``vectors``, from its ``dump``, which is read where it lies.

    Compare checksums before: of altered bytes FAISS may make an index that answers wrongly.

    Raises
    ------
    ValueError
        It is cut short, or not of these vectors.
    """
    if kind == "flat":
        return build(kind, vectors, device)
    return _APPROXIMATE[kind].load(arrays, vectors, device)
