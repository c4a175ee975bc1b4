"""What approximate kinds share: candidates by FAISS, their order by exact cosines, filters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rag.index.ann.gpu import Searcher, usable
from rag.index.ann.recall import Questions
from rag.index.dense import Flat, Mask, Ranked, Stored, load_faiss
from rag.types import Device

TARGET = 0.97
"""Share of the best that an index is set to find. Above the 0.95 wanted, as questions are no rows:
on made vectors like an encoder's, where it is hard, rows were found 0.02 worse to 0.01 better."""
DEPTHS = (10, 30, 100, 300, 1000, 3000)
"""How deep into the ranking it is set to find that. The best ``k`` that a filter leaves lie as deep
as ``k`` over the share of vectors that it allows."""
BLOCK = 65_536
"""Vectors that are widened to float32 at a time."""
_FEW = 4096
"""Rows allowed up to which all are compared, in less than 0.6 ms."""


class Approximate(ABC):
    """An index that looks at some of the vectors only.

    How hard it looks is measured while it is built, for each of ``DEPTHS``: the least effort that
    finds ``TARGET`` of the best. Where none does, where a filter allows few, and deeper than
    ``DEPTHS``, search is exact. Safe to share between threads.

    Attributes
    ----------
    efforts
        One for each of ``DEPTHS``, int32; 0 is exact search.
    """

    EFFORTS: ClassVar[Sequence[int]]

    def __init__(self, vectors: Stored, index: Any, efforts: NDArray[np.int32]) -> None:  # noqa: ANN401
        self._faiss: Any = load_faiss()
        self._flat = Flat(vectors)
        self._index = index
        self._gpu: Searcher | None = None
        self.efforts = efforts

    def __len__(self) -> int:
        return len(self._flat)

    @classmethod
    @abstractmethod
    def build(cls, vectors: Stored, device: Device) -> Self:
        """A new index."""

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]], vectors: Stored, device: Device) -> Self:
        """What ``dump`` gave, which is read where it lies.

        Raises
        ------
        ValueError
            It is cut short, or not of these vectors.
        """
        faiss: Any = load_faiss()
        data = np.ascontiguousarray(arrays["index"])
        try:
            index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(data), data.nbytes))
        except RuntimeError as e:
            raise ValueError(f"FAISS cannot read it: {e}") from e
        if (index.ntotal, index.d) != vectors.shape:
            raise ValueError(
                f"it is of {index.ntotal} vectors of {index.d} dimensions, "
                f"not of {len(vectors)} of {vectors.shape[1]}"
            )
        efforts = arrays["efforts"]
        if efforts.shape != (len(DEPTHS),):
            raise ValueError(f"it has {efforts.size} efforts, not {len(DEPTHS)}")
        index.referenced_objects = [data]
        made = cls(vectors, index, efforts)
        if usable(device):
            made._move()
        return made

    def dump(self) -> dict[str, NDArray[Any]]:
        """The index without the vectors, as arrays for ``load``."""
        return {"index": self._faiss.serialize_index(self._index), "efforts": self.efforts}

    def recall(self, k: int = 10) -> float:
        """The share of the best ``k`` that is found, measured with rows of its own as questions."""
        return Questions(self._flat, k).recall(self.search, k)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Mask | None = None) -> Ranked:
        """As ``Flat.search``, but some of the best may be missing; there are never fewer."""
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        per_allowed = len(self) / max(count, 1)
        level = bisect_left(DEPTHS, k * per_allowed)
        effort = int(self.efforts[level]) if level < len(DEPTHS) else 0
        if allowed is not None and count <= max(_FEW, self._as_fast(effort)):
            effort = 0
        return self._search(vector, k, effort, allowed, per_allowed)

    def _search(
        self,
        vector: NDArray[np.float32],
        k: int,
        effort: int,
        allowed: Mask | None = None,
        per_allowed: float = 1.0,
    ) -> Ranked:
        wanted = self._wanted(k, effort)
        if effort and k > 0 and wanted < len(self):
            query = np.ascontiguousarray(vector, np.float32)
            rows = self._candidates(query, wanted, effort, allowed, per_allowed)
            if len(rows) >= k:
                return self._flat.among(np.sort(rows), query, k)
        return self._flat.search(vector, k, allowed)

    def _candidates(
        self,
        query: NDArray[np.float32],
        wanted: int,
        effort: int,
        allowed: Mask | None,
        per_allowed: float,
    ) -> NDArray[np.int64]:
        if self._gpu is not None:
            return self._gpu.rows(query, wanted, effort, allowed, per_allowed)
        selector = None
        if allowed is not None:
            selector = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        options = self._options(effort, int(wanted * per_allowed), selector)
        found = self._index.search(query[None], wanted, params=options)[1][0]
        rows: NDArray[np.int64] = found[found >= 0]
        return rows

    def _tune(self, most: int) -> None:
        """Set ``efforts``, from the least upwards; above ``most`` exact search is as fast."""
        questions = Questions(self._flat, DEPTHS[-1])
        left = [effort for effort in self.EFFORTS if effort <= most]
        for level, depth in enumerate(DEPTHS):
            while left:
                if questions.recall(partial(self._search, effort=left[0]), depth) >= TARGET:
                    self.efforts[level] = left[0]
                    break
                left.pop(0)

    @abstractmethod
    def _wanted(self, k: int, effort: int) -> int:
        """Candidates to put in order for the best ``k``."""

    @abstractmethod
    def _as_fast(self, effort: int) -> float:
        """Rows allowed that exact search compares in the time of an approximate one."""

    @abstractmethod
    def _options(self, effort: int, reach: int, selector: Any) -> Any:  # noqa: ANN401
        """FAISS's search parameters.

        ``reach`` is the number of vectors, allowed or not, among which as many candidates as are
        wanted should be; ``selector`` may be ``None``.
        """

    @abstractmethod
    def _move(self) -> None:
        """Search on the GPU from now on, where there is a counterpart."""
