"""Fills in the vectors that a collection still lacks; can be stopped and resumed at any time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event

import numpy as np
from numpy.typing import NDArray

from indexer.sync import Progress, quiet
from rag.encode import Encoder
from rag.errors import CollectionLocked
from rag.index import Collection
from rag.index.lock import WriterLock

_BATCH = 32
_POOL = 512
_COMMIT_SECONDS = 15.0


def fill_vectors(
    collection: Collection,
    encoder: Encoder,
    progress: Progress = quiet,
    stop: Event | None = None,
) -> int:
    """Encode passages until none is outstanding or ``stop`` is set; how many were.

    Publishes every few seconds, so what a kill can lose is small. One process at a time encodes a
    collection: another one that is asked to waits for it, then sees to what is left.
    """
    collection.ensure("encoder", encoder.fingerprint)
    stop = stop or Event()
    done = 0
    with _only_encoder(collection, stop) as mine:
        total = collection.outstanding()
        while mine and not stop.is_set() and (pool := collection.unencoded(_POOL)):
            pool.sort(key=lambda passage: len(passage[1]))
            deadline = time.monotonic() + _COMMIT_SECONDS
            parts: list[NDArray[np.float32]] = []
            for i in range(0, len(pool), _BATCH):
                parts.append(encoder.passages([text for _, text in pool[i : i + _BATCH]]))
                progress(done + i + len(parts[-1]), total)
                if stop.is_set() or time.monotonic() > deadline:
                    break
            vectors = np.concatenate(parts)
            collection.add_vectors([number for number, _ in pool[: len(vectors)]], vectors)
            done += len(vectors)
    return done


@contextmanager
def _only_encoder(collection: Collection, stop: Event) -> Iterator[bool]:
    """Wait to be the only process that encodes; false if ``stop`` came first."""
    lock = WriterLock(collection.path / "encoder.lock")
    with ExitStack() as held:
        mine = False
        while not (mine or stop.is_set()):
            with suppress(CollectionLocked):
                held.enter_context(lock.hold(wait=0.2))
                mine = True
        yield mine
