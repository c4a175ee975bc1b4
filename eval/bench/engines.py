"""Indexes over unit vectors at the same job: the 10 nearest, of all or of those that are allowed.

An engine is made, then built from vectors. Its library is imported only then, as it is measured in
a process of its own. Graphs have one setting: 16 edges a node (32 in the bottom layer), candidate
lists of 100 while building and of 64 while searching; they are built by all cores.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.index import Collection, Row, ann
from rag.index.dense import load_faiss
from rag.index.rows import Terms
from rag.types import Chunk, Document, Filter

K = 10
SHARES = {"1%": 0.01, "10%": 0.1, "50%": 0.5}
"""Filters, by the share of documents that they allow."""
PER_DOCUMENT = 10
_EDGES, _BUILD_LIST, _SEARCH_LIST = 16, 100, 64
_BATCH = 100_000

Vectors = NDArray[np.float32]
Masks = Mapping[str, NDArray[np.bool_]]


def allowed(count: int) -> dict[str, NDArray[np.bool_]]:
    """The passages that each filter allows, ``(count,)``: all those of documents at random."""
    documents = -(-count // PER_DOCUMENT)
    order = np.random.default_rng(0).permutation(documents)
    document_of = np.arange(count) // PER_DOCUMENT
    return {
        name: np.isin(document_of, order[: max(1, round(share * documents))])
        for name, share in SHARES.items()
    }


class Engine(Protocol):
    """An index of one library; ``filters`` are those that it can search with, ``""`` is none."""

    filters: ClassVar[tuple[str, ...]]

    def __init__(self, folder: Path, masks: Masks) -> None: ...

    def build(self, vectors: Vectors) -> None: ...

    def search(self, query: Vectors, name: str) -> list[int]:
        """The rows of the best ``K`` vectors for ``query`` (dim,) under the filter ``name``."""
        ...

    def disk_mb(self) -> float:
        """What it takes on disk, in MB (2**20 bytes)."""
        ...


class Saem:
    """``Collection.dense``, exact. The passages are there before, as words come first."""

    filters: ClassVar[tuple[str, ...]] = ("", *SHARES)

    def __init__(self, folder: Path, masks: Masks) -> None:
        load_faiss()
        self._collection = Collection(folder / "saem", create=True)
        self._collection.ensure("encoder", "made vectors")
        self._filters = {"": None} | {name: Filter({name: ("yes",)}) for name in SHARES}
        self._ids: list[str] = []
        count = len(next(iter(masks.values())))
        for first in range(0, count, _BATCH):
            starts = range(first, min(first + _BATCH, count), PER_DOCUMENT)
            rows = [_document(at, min(at + PER_DOCUMENT, count), masks) for at in starts]
            self._ids += [chunk.id for row in rows for chunk in row.chunks]
            self._collection.upsert(rows)
        self._numbers = [number for number, _ in self._collection.unencoded(count)]
        self._rows = {id_: row for row, id_ in enumerate(self._ids)}

    def build(self, vectors: Vectors) -> None:
        self._collection.add_vectors(self._numbers, vectors)
        self._collection.dense(vectors[0], 1)  # reads, verifies and loads what was written

    def search(self, query: Vectors, name: str) -> list[int]:
        return [self._rows[id_] for id_, _ in self._collection.dense(query, K, self._filters[name])]

    def disk_mb(self) -> float:
        files = self._collection.path.rglob("vectors.npy")
        return sum(file.stat().st_size for file in files) / 2**20


def _document(start: int, end: int, masks: Masks) -> Row:
    """A document whose passages are the numbers from ``start``, labelled with its filters."""
    name = str(start // PER_DOCUMENT)
    lines = [f"{number:09}" for number in range(start, end)]
    labels = {label: "yes" for label, mask in masks.items() if mask[start]}
    d = Document(name, name, "", "\n".join(lines), metadata=labels)
    chunks = [
        Chunk(d.id, d.version, i, 10 * i, 10 * i + 9, line, name, "")
        for i, line in enumerate(lines)
    ]
    return Row(d, "en", chunks, Terms.of([()] * len(chunks)))


class SaemFlat:
    """``rag.index.ann`` alone, over float16 vectors and its own arrays in mapped files: exact."""

    filters: ClassVar[tuple[str, ...]] = ("", *SHARES)
    kind: ClassVar[ann.Kind] = "flat"

    def __init__(self, folder: Path, masks: Masks) -> None:
        self._faiss: Any = load_faiss()
        self._folder = folder
        self._masks = {"": None} | dict(masks)
        self._index: ann.Index

    def build(self, vectors: Vectors) -> None:
        self._faiss.omp_set_num_threads(_cores())
        kept = self._kept("vectors", vectors.astype(np.float16))
        made = ann.build(self.kind, kept, "cpu").dump()
        arrays = {name: self._kept(name, array) for name, array in made.items()}
        self._index = ann.load(self.kind, arrays, kept, "cpu")
        self._faiss.omp_set_num_threads(1)

    def search(self, query: Vectors, name: str) -> list[int]:
        found: list[int] = self._index.search(query, K, self._masks[name])[0][:K].tolist()
        return found

    def disk_mb(self) -> float:
        return sum(file.stat().st_size for file in self._folder.glob("*.npy")) / 2**20

    def _kept(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        np.save(file := self._folder / f"{name}.npy", array)
        return np.asarray(np.load(file, mmap_mode="r"))


class SaemHnsw(SaemFlat):
    kind: ClassVar[ann.Kind] = "hnsw"


class SaemIvf(SaemFlat):
    kind: ClassVar[ann.Kind] = "ivf"


class FaissFlat:
    """``IndexFlatIP``, exact, with ``IDSelectorBitmap`` for filters: the floor."""

    filters: ClassVar[tuple[str, ...]] = ("", *SHARES)

    def __init__(self, folder: Path, masks: Masks) -> None:
        self._file = folder / "index"
        self._faiss: Any = load_faiss()
        self._options = {"": None} | {name: self._selecting(mask) for name, mask in masks.items()}
        self._index: Any = None

    def build(self, vectors: Vectors) -> None:
        self._faiss.omp_set_num_threads(_cores())
        self._index = self._made(vectors.shape[1])
        self._index.add(vectors)
        self._faiss.omp_set_num_threads(1)

    def search(self, query: Vectors, name: str) -> list[int]:
        return self._best(query, K, self._options[name])

    def disk_mb(self) -> float:
        self._faiss.write_index(self._index, str(self._file))
        return _taken_mb(self._file)

    def _made(self, dim: int) -> Any:  # noqa: ANN401
        return self._faiss.IndexFlatIP(dim)

    def _best(self, query: Vectors, k: int, options: Any) -> list[int]:  # noqa: ANN401
        found: list[int] = self._index.search(query[None], k, params=options)[1][0].tolist()
        return found

    def _selecting(self, mask: NDArray[np.bool_]) -> Any:  # noqa: ANN401
        bits = np.packbits(mask, bitorder="little")
        return self._faiss.SearchParameters(sel=self._faiss.IDSelectorBitmap(bits))


class FaissPostfiltered(FaissFlat):
    """The same, asked for enough that twice ``K`` should pass the filter, which comes after."""

    filters: ClassVar[tuple[str, ...]] = tuple(SHARES)

    def __init__(self, folder: Path, masks: Masks) -> None:
        super().__init__(folder, masks)
        self._masks = masks

    def search(self, query: Vectors, name: str) -> list[int]:
        mask = self._masks[name]
        found = self._best(query, min(len(mask), round(2 * K / SHARES[name])), None)
        return [row for row in found if mask[row]][:K]


class FaissGraph(FaissFlat):
    """``IndexHNSWFlat``."""

    filters: ClassVar[tuple[str, ...]] = ("",)

    def _made(self, dim: int) -> Any:  # noqa: ANN401
        index = self._faiss.IndexHNSWFlat(dim, _EDGES, self._faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _BUILD_LIST
        index.hnsw.efSearch = _SEARCH_LIST
        return index


class Hnswlib:
    filters: ClassVar[tuple[str, ...]] = ("",)

    def __init__(self, folder: Path, masks: Masks) -> None:
        import hnswlib

        self._file = folder / "index"
        self._made = hnswlib.Index
        self._index: Any = None

    def build(self, vectors: Vectors) -> None:
        self._index = self._made("ip", vectors.shape[1])
        self._index.init_index(len(vectors), M=_EDGES, ef_construction=_BUILD_LIST)
        self._index.add_items(vectors, num_threads=_cores())
        self._index.set_ef(_SEARCH_LIST)

    def search(self, query: Vectors, name: str) -> list[int]:
        found: list[int] = self._index.knn_query(query, K, num_threads=1)[0][0].tolist()
        return found

    def disk_mb(self) -> float:
        self._index.save_index(str(self._file))
        return _taken_mb(self._file)


class Usearch:
    """Vectors kept as ``dtype``."""

    filters: ClassVar[tuple[str, ...]] = ("",)
    dtype: ClassVar[str] = "f16"

    def __init__(self, folder: Path, masks: Masks) -> None:
        from usearch.index import Index

        self._file = folder / "index"
        self._made = Index
        self._index: Any = None

    def build(self, vectors: Vectors) -> None:
        self._index = self._made(
            ndim=vectors.shape[1],
            metric="cos",
            dtype=self.dtype,
            connectivity=_EDGES,
            expansion_add=_BUILD_LIST,
            expansion_search=_SEARCH_LIST,
        )
        self._index.add(np.arange(len(vectors)), vectors, threads=_cores())

    def search(self, query: Vectors, name: str) -> list[int]:
        found: list[int] = self._index.search(query, K, threads=1).keys.tolist()
        return found

    def disk_mb(self) -> float:
        self._index.save(str(self._file))
        return _taken_mb(self._file)


class UsearchI8(Usearch):
    dtype: ClassVar[str] = "i8"


ENGINES: dict[str, tuple[type[Engine], str]] = {
    "saem": (Saem, "faiss"),
    "saem flat": (SaemFlat, "faiss"),
    "saem ivf": (SaemIvf, "faiss"),
    "saem hnsw": (SaemHnsw, "faiss"),
    "faiss flat": (FaissFlat, "faiss"),
    "faiss flat post-filtered": (FaissPostfiltered, "faiss"),
    "faiss hnsw": (FaissGraph, "faiss"),
    "hnswlib": (Hnswlib, "hnswlib"),
    "usearch f16": (Usearch, "usearch"),
    "usearch i8": (UsearchI8, "usearch"),
}
"""Each contender's engine and the module that it needs."""


def _cores() -> int:
    return os.cpu_count() or 1


def _taken_mb(file: Path) -> float:
    """Size of ``file``, which is removed."""
    size = file.stat().st_size / 2**20
    file.unlink()
    return size
