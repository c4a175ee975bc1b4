"""Fills in the vectors that a collection still lacks; can be stopped and resumed at any time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Event

import numpy as np
from numpy.typing import NDArray

from indexer.report import Progress, quiet
from rag.encode import Encoder
from rag.errors import CollectionLocked
from rag.index import Collection
from rag.index.lock import WriterLock
from rag.index.spaces import choose

_POOL = 4096
"""Passages that are put in order of length, so that an encoder's batches hold equal ones."""
_FIRST, _MOST = 32, 1024
"""Passages that the encoder is given at a time, as long as that takes less than a second."""
_COMMIT_SECONDS = 5.0


def fill_vectors(
    collection: Collection,
    encoder: Encoder,
    progress: Progress = quiet,
    stop: Event | None = None,
    *,
    wait: bool = True,
) -> int:
    """Encode passages until none is outstanding or ``stop`` is set; how many were.

    Publishes every few seconds, so what a kill can lose is small. One process at a time encodes
    for one encoder: another one that is asked to waits for it, then sees to what is left; without
    ``wait``, it leaves all to the first.

    Raises
    ------
    IncompatibleIndex
        Another encoder serves.
    """
    collection.ensure("encoder", encoder.fingerprint, encoder.name)
    stop = stop or Event()
    with _only_one(collection, encoder, stop, wait=wait) as mine:
        return _Filling(collection, encoder, progress, stop).run() if mine else 0


def reencode(
    collection: Collection,
    encoder: Encoder,
    progress: Progress = quiet,
    stop: Event | None = None,
) -> bool:
    """Have another encoder serve once it has encoded everything; whether it does.

    Until then the one that serves goes on. What a stop or a kill leaves is taken up again.
    """
    stop = stop or Event()
    if any(
        (s.fingerprint, s.state) == (encoder.fingerprint, "serving") for s in collection.spaces()
    ):
        fill_vectors(collection, encoder, progress, stop)
        return not stop.is_set()
    collection.start_shadow(encoder.fingerprint, encoder.name)
    with _only_one(collection, encoder, stop) as mine:
        if not mine:
            return False
        filling = _Filling(collection, encoder, progress, stop)
        filling.run()
        with collection.writing(60):  # what came in meanwhile; now nothing more does
            filling.run()
            return collection.switch(encoder.fingerprint)


class _Filling:
    """Encodes for one space."""

    def __init__(
        self, collection: Collection, encoder: Encoder, progress: Progress, stop: Event
    ) -> None:
        self._collection = collection
        self._encoder = encoder
        self._progress = progress
        self._stop = stop
        self._space = encoder.fingerprint
        self._size = min(_FIRST, _MOST)

    def run(self) -> int:
        """Encode what is outstanding, and what is by then; how many passages have got a vector."""
        done = 0
        while not self._stop.is_set() and (more := self._round(done)):
            done += more
        return done

    def _round(self, before: int) -> int:
        done, total = before, before + self._collection.outstanding(encoder=self._space)
        numbers: list[int] = []
        vectors: list[NDArray[np.float32]] = []
        published = time.monotonic()
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._pool, 0)
            while not self._stop.is_set() and (pool := coming.result()):
                coming = ahead.submit(self._pool, pool[-1][0])
                done += len(pool)
                pool = self._without_equal(pool)
                done -= len(pool)
                while pool and not self._stop.is_set():
                    batch, pool = pool[: self._size], pool[self._size :]
                    numbers += [n for n, _ in batch]
                    vectors.append(self._encode([text for _, text in batch]))
                    done += len(batch)
                    self._progress(done, max(total, done))
                    if time.monotonic() - published >= _COMMIT_SECONDS:
                        self._publish(numbers, vectors)
                        published = time.monotonic()
        self._publish(numbers, vectors)
        return done - before

    def _pool(self, after: int) -> list[tuple[int, str]]:
        """The next passages, in order of their rows."""
        return self._collection.unencoded(_POOL, after, encoder=self._space)

    def _without_equal(self, pool: list[tuple[int, str]]) -> list[tuple[int, str]]:
        """``pool`` by length, without those for whose content there is a vector."""
        rows = [n for n, _ in pool]
        equal = {*self._collection.take_equal(rows, encoder=self._space)}
        pool = [passage for passage in pool if passage[0] not in equal]
        return sorted(pool, key=lambda passage: len(passage[1]))

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``, equal ones encoded once."""
        started = time.monotonic()
        number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        found = self._encoder.passages(list(number))
        if time.monotonic() - started < 0.5:
            self._size = min(2 * self._size, _MOST)
        return found[[number[text] for text in texts]]

    def _publish(self, numbers: list[int], vectors: list[NDArray[np.float32]]) -> None:
        if numbers:
            self._collection.add_vectors(numbers, np.concatenate(vectors), encoder=self._space)
        numbers.clear()
        vectors.clear()


@contextmanager
def _only_one(
    collection: Collection, encoder: Encoder, stop: Event, *, wait: bool = True
) -> Iterator[bool]:
    """``wait`` to be the only process that encodes for ``encoder``; false if it is not."""
    space = choose(collection.spaces(), encoder.fingerprint)
    lock = WriterLock(collection.path / f"encoder.{space.number if space else 0}.lock")
    with ExitStack() as held:
        mine = False
        while not (mine or stop.is_set()):
            with suppress(CollectionLocked):
                held.enter_context(lock.hold(wait=0.2))
                mine = True
            if not wait:
                break
        yield mine
