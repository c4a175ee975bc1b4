"""Reranking by a cross-encoder, which reads question and passage together; never asks the network.

Nogueira and Cho (2019), "Passage Re-ranking with BERT". Importing this module, and making a
reranker, loads no library; the first question does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.encode.hub import load
from rag.errors import SourceError
from rag.search.rerankers.base import OutOfTime, check
from rag.types import Chunk, encodable


class CrossEncoder:
    """A sentence-transformers cross-encoder with one label, how relevant a passage is.

    Parameters
    ----------
    folder
        The model's.
    device
        ``cuda`` or ``cpu``.
    """

    name = "cross-encoder"
    share = 1.0

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self._folder = folder
        self._device = device
        self._batch = 4 if device == "cpu" else 64
        self._model: Any = None
        self._using = threading.Lock()  # a tokenizer may not be used by two threads at a time

    def scores(self, query: str, passages: Sequence[Chunk], until: float) -> list[float]:
        """A score for each passage, see `rag.search.rerankers.base.Reranker`.

        Raises
        ------
        SourceError
            The model cannot be loaded or run, or has not one label.
        DependencyMissing
            The packages of the extra ``torch`` are not installed.
        """
        texts = [encodable(chunk.context) for chunk in passages]
        longest = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        found = [0.0] * len(texts)
        if not self._using.acquire(timeout=max(until - time.monotonic(), 0.0)):
            raise OutOfTime
        try:
            if self._model is None:
                self._model = _load(self._folder, self._device)
            for start in range(0, len(texts), self._batch):
                check(until)
                batch = longest[start : start + self._batch]
                pairs = [(encodable(query), texts[i]) for i in batch]
                for i, score in zip(batch, self._predicted(pairs), strict=True):
                    found[i] = score
        finally:
            self._using.release()
        return found

    def _predicted(self, pairs: list[tuple[str, str]]) -> list[float]:
        try:
            scores = self._model.predict(pairs, batch_size=len(pairs), show_progress_bar=False)
        except (RuntimeError, ValueError, IndexError) as e:  # out of memory, or of places
            raise SourceError(str(self._folder), f"cannot be run: {e}") from e
        return [float(score) for score in scores]


def _load(folder: Path, device: str) -> Any:  # noqa: ANN401
    model = load("CrossEncoder", folder, device)
    if (labels := model.num_labels) != 1:
        raise SourceError(
            str(folder),
            f"is no reranker: it has {labels} labels, not one",
            remedy="Set rerank_model to a cross-encoder that was trained to rank",
        )
    return model
