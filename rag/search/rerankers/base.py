"""What every reranker is, and the one way in which they are applied: within a time.

Knows no model.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

from rag.errors import RagError, SourceError
from rag.search.followed import followed
from rag.search.fuse import Scored, normal, ranked
from rag.types import Chunk

_SLOTS = threading.BoundedSemaphore(32)
"""So many may be at work at once, those that nobody waits for any more among them."""


class OutOfTime(Exception):
    """A reranker could not finish before its deadline."""


class Reranker(Protocol):
    """Says how well passages answer a question, having read both.

    Attributes
    ----------
    name
        What settings call it.
    share
        What its scores weigh in the new order, 0 to 1; the rest is the order's before.
    """

    @property
    def name(self) -> str: ...

    @property
    def share(self) -> float: ...

    def scores(self, query: str, passages: Sequence[Chunk], until: float) -> list[float]:
        """A score for each passage, higher is better; any number of threads may ask.

        Parameters
        ----------
        until
            The deadline, a moment of ``time.monotonic()``.

        Raises
        ------
        OutOfTime
            It has passed.
        """
        ...


def apply(
    order: Scored,
    chunks: Mapping[str, Chunk],
    query: str,
    reranker: Reranker,
    seconds: float,
    depth: int,
) -> tuple[Scored, str]:
    """``order`` with its first ``depth`` passages sorted by ``reranker``, and a warning or ``""``.

    Their scores are the reranker's; where it has but a share in them, both scores are min-max
    normalised and added. Passages that are not among ``chunks`` are gone, and left out of the
    first ``depth``. The others follow in their order, below. If the reranker does not finish within
    ``seconds``, or fails, the order is the one given. This returns by then even if the model hangs:
    it works in a thread of its own, whose result is dropped. A model that first has to be loaded
    goes on with that, so a later question finds it there.
    """
    head = [(id_, score) for id_, score in order[:depth] if id_ in chunks]
    if not head:
        return order, ""
    passages = [chunks[id_] for id_, _ in head]
    until = time.monotonic() + seconds
    try:
        scores = _meanwhile(lambda: reranker.scores(query, passages, until), until)
        if not all(map(math.isfinite, scores)):
            raise SourceError(f"reranker {reranker.name}", "gave a score that is no number")
    except OutOfTime:
        return order, (
            f"reranking by {reranker.name} ran out of time ({seconds:g} s); "
            "the order is the one before"
        )
    except RagError as e:
        return order, f"not reranked by {reranker.name}: {e}"
    best = ranked(dict(zip((id_ for id_, _ in head), scores, strict=True)))
    if (share := reranker.share) < 1:
        before, now = normal(head), normal(best)
        best = ranked({id_: (1 - share) * before[id_] + share * now[id_] for id_ in now})
    return followed(best, order[depth:]), ""


def _meanwhile(work: Callable[[], list[float]], until: float) -> list[float]:
    """What ``work`` returns or raises, or `OutOfTime`, whatever it is still doing then."""
    outcome: SimpleQueue[list[float] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except BaseException as e:
            outcome.put(e)
        finally:
            _SLOTS.release()

    if not _SLOTS.acquire(timeout=_left(until)):
        raise OutOfTime
    threading.Thread(target=run, name="rerank", daemon=True).start()
    try:
        found = outcome.get(timeout=_left(until))
    except Empty:
        raise OutOfTime from None
    if isinstance(found, BaseException):
        raise found
    return found


def check(until: float) -> None:
    """Raise `OutOfTime` once ``until`` has passed."""
    if time.monotonic() > until:
        raise OutOfTime


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.0)
