"""Lists of vectors near a centre, one bit a dimension (RaBitQ), of which the nearest are looked at.

Lists and bits are by Euclidean distance, which ranks unit vectors as the cosine does and does not
mind a mean far from zero, as encoders have: by inner product, of vectors like those of
multilingual-e5-small a search of the same time found 0.53 of the best instead of 0.71. Fast-scan
product quantisation of the same 48 bytes found 0.02 to 0.08 less, in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from rag.index.ann.approximate import BLOCK, DEPTHS, Approximate
from rag.index.ann.gpu import Searcher, to_cpu, to_gpu, usable
from rag.index.dense import Stored, load_faiss
from rag.types import Device

_SAMPLE = 40
"""Vectors a list that the centres are learnt from, in ``_ROUNDS``: 12 s of a million's 35."""
_ROUNDS = 8


class Ivf(Approximate):
    """FAISS ``IndexIVFRaBitQFastScan``; on a GPU ``GpuIndexIVFScalarQuantizer`` of float16."""

    EFFORTS: ClassVar[Sequence[int]] = (8, 16, 32, 64, 128, 256, 512, 1024)
    """Lists looked at."""

    @classmethod
    def build(cls, vectors: Stored, device: Device) -> Self:
        faiss: Any = load_faiss()
        on_gpu = usable(device)
        centres = _centres(vectors, on_gpu=on_gpu)
        held = to_cpu(centres) if on_gpu else centres
        index = faiss.IndexIVFRaBitQFastScan(centres, centres.d, centres.ntotal, faiss.METRIC_L2)
        index.train(_sample(vectors, centres.ntotal))
        for start in range(0, len(vectors), BLOCK):
            index.add(np.asarray(vectors[start : start + BLOCK], np.float32))
        index.quantizer, index.referenced_objects = held, [held]
        made = cls(vectors, index, np.zeros(len(DEPTHS), np.int32))
        made._tune(index.nlist // 2)
        if on_gpu:
            made._move()
        return made

    def _wanted(self, k: int, effort: int) -> int:
        """The more vectors are looked at, the more look best by one bit a dimension.

        Of a million vectors like an encoder's, in 512 lists, 300 candidates held 0.91 of the best
        10, 1,000 held 0.96 and 3,000 held 0.97; in 8 lists of good clusters 300 held all.
        """
        return int((6 * k + 240) * max(1.0, effort / 64) ** 0.5)

    def _as_fast(self, effort: int) -> float:
        """A tenth of the vectors in as many lists: 0.2 us each to 0.02."""
        return 0.1 * len(self) * effort / int(self._index.nlist)

    def _options(self, effort: int, reach: int, selector: Any) -> Any:  # noqa: ANN401
        return self._faiss.SearchParametersIVF(nprobe=effort, sel=selector)

    def _move(self) -> None:
        """Put float16 vectors on the GPU, in the same lists."""
        faiss, lists = self._faiss, self._index
        half = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(
            lists.quantizer, lists.d, lists.nlist, half, faiss.METRIC_L2, False
        )
        index.is_trained = True
        moved = to_gpu(index)
        for start in range(0, len(self), BLOCK):
            moved.add(np.asarray(self._flat.vectors[start : start + BLOCK], np.float32))
        self._gpu = Searcher(moved, lambda effort, _: faiss.SearchParametersIVF(nprobe=effort))


def _centres(vectors: Stored, *, on_gpu: bool) -> Any:  # noqa: ANN401
    """An exact index of a power of two of centres, about ``2 * sqrt(n)``."""
    faiss: Any = load_faiss()
    count, dim = vectors.shape
    lists = 1 << max(0, round(np.log2(max(2 * count**0.5, 1))))
    lists = max(1, min(lists, count))
    centres = faiss.IndexFlatL2(dim)
    if on_gpu:
        centres = to_gpu(centres)
    clustering = faiss.Clustering(dim, lists)
    clustering.niter = _ROUNDS
    clustering.min_points_per_centroid = 1
    clustering.max_points_per_centroid = _SAMPLE
    clustering.train(_sample(vectors, lists), centres)
    return centres


def _sample(vectors: Stored, lists: int) -> Any:  # noqa: ANN401
    """Rows at random for ``lists`` centres; a zero vector where there is none."""
    if not len(vectors):
        return np.zeros((1, vectors.shape[1]), np.float32)
    count = min(len(vectors), _SAMPLE * lists)
    rows = np.random.default_rng(0).choice(len(vectors), count, replace=False)
    return np.asarray(vectors[np.sort(rows)], np.float32)
