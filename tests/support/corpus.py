"""Documents, rows, vectors and oracles for tests of the index; nothing here is random."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from indexer.rows import terms_of
from rag.analysis import Analyser
from rag.index import Collection, Row, Stat
from rag.types import Chunk, Document

DIM = 16
_ANALYSER = Analyser()
ANALYSE = partial(terms_of, analyser=_ANALYSER)
"""Terms of passages, for comparing postings with."""


def document(name: str, text: str, **fields: Any) -> Document:
    """A document at path ``name``; ``fields`` are further ones of ``Document``."""
    fields = {"path": name, "title": ""} | fields
    return Document(uri=f"file:///{name}", text=text, **fields)


def chunks(d: Document) -> list[Chunk]:
    """The paragraphs of ``d``, which empty lines part."""
    return [
        Chunk(d.id, d.version, i, m.start(), m.end(), m[0], d.path, d.title)
        for i, m in enumerate(re.finditer(r"[^\n]+(?:\n[^\n]+)*", d.text))
    ]


def row(name: str, text: str, *, language: str = "en", stat: Stat | None = None, **f: Any) -> Row:
    """A row ready to be written, analysed as the indexer would."""
    d = document(name, text, **f)
    found = chunks(d)
    return Row(d, language, found, ANALYSE(found), stat or Stat())


def vector(text: str, encoder: str = "") -> NDArray[np.float32]:
    """A unit vector ``(DIM,) float32`` that depends on ``text`` and ``encoder`` alone.

    Its values are ones that two bytes can hold, as a collection keeps them.
    """
    text = encoder + text
    seed = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    v = np.random.default_rng([len(seed), *seed.tolist()]).normal(size=DIM)
    return (v / np.linalg.norm(v)).astype(np.float16).astype(np.float32)


def encode(collection: Collection, limit: int = 1000, encoder: str = "") -> int:
    """Give every outstanding passage its vector of ``encoder``; how many there were."""
    if not encoder:
        collection.ensure("encoder", "")
    done = 0
    while batch := collection.unencoded(limit, encoder=encoder):
        vectors = np.stack([vector(text, encoder) for _, text in batch])
        collection.add_vectors([n for n, _ in batch], vectors, encoder=encoder)
        done += len(batch)
    return done


class LuceneBM25(BM25Okapi):
    """rank_bm25's loop with Lucene's idf, which is never negative."""

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {
            word: float(np.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5)))
            for word, n in nd.items()
        }


def bm25(
    passages: Sequence[Sequence[str]], query: Sequence[str], k1: float = 1.2, b: float = 0.75
) -> NDArray[np.float64]:
    """Scores ``(n,)`` of ``passages`` by rank_bm25, less the constant factor ``k1 + 1``."""
    if not any(passages):
        return np.zeros(len(passages))
    with np.errstate(invalid="ignore"):  # it has 0 / 0 for a passage without any terms at b = 1
        scores = np.asarray(LuceneBM25(passages, k1=k1, b=b).get_scores(query))
    return np.nan_to_num(scores) / (k1 + 1)
