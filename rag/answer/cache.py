"""Answers, given again for a question that asks the same in other words. Off by default.

An answer is kept by all that a search depends on, so none outlives a commit or gets to another
principal, and by the prompt program, persona and model that wrote it. Of those it is given for a
question as like as a threshold says, by the cosine of the encoder's vectors, that also has the same
particulars. Knows neither models nor prompts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.answer.particulars import Particulars, particulars
from rag.search.cache import Key, key
from rag.search.searcher import Searcher
from rag.types import Answer, Filter, Mode

SIZE = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """All that an answer depends on but the question's wording."""

    search: Key
    writer: tuple[str, ...]
    particulars: Particulars


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as the cache sees it; ``vector`` is ``(dim,) float32`` of unit norm."""

    scope: Scope
    question: str
    vector: NDArray[np.float32]


def asked(
    searcher: Searcher,
    question: str,
    top_k: int | None = None,
    mode: Mode | None = None,
    filter: Filter | None = None,  # noqa: A002 - the field's word
    *,
    writer: tuple[str, ...] = (),
    epoch: str = "",
) -> Asked | None:
    """What to look up and to put; ``None`` without an encoder. To be made before the search.

    ``writer`` names who writes: program, persona, model.

    Raises
    ------
    DependencyMissing, LLMTimeout, LLMUnavailable, ModelMissing, Overloaded
        The encoder failed.
    """
    if searcher.encoder is None:
        return None
    search = key(searcher, question, top_k, mode, filter, epoch=epoch)
    text = search.query
    scope = Scope(replace(search, query=""), writer, particulars(text, searcher.analyser))
    return Asked(scope, text, searcher.encoder.query(text))


class AnswerCache:
    """The answers that were given last; safe to share between threads and collections.

    Parameters
    ----------
    likeness
        Cosine from which questions may be one, 0 to 1; with 0 it holds nothing.
    size
        Answers that it holds, at most.
    """

    def __init__(self, likeness: float, size: int = SIZE) -> None:
        self._likeness = likeness
        self._size = size
        self._known: OrderedDict[tuple[Scope, str], tuple[NDArray[np.float32], Answer]]
        self._known = OrderedDict()
        self._wordings: dict[Scope, list[str]] = {}
        self._lock = threading.Lock()

    def get(self, asked: Asked) -> Answer | None:
        """The answer to the question most like this one, as one to this, if that is like enough."""
        with self._lock:
            found = {
                wording: float(self._known[asked.scope, wording][0] @ asked.vector)
                for wording in self._wordings.get(asked.scope, ())
            }
            best = max(found, key=lambda wording: found[wording], default=None)
            if best is None or found[best] < self._likeness:
                return None
            self._known.move_to_end((asked.scope, best))
            return replace(self._known[asked.scope, best][1], question=asked.question)

    def put(self, asked: Asked, answer: Answer) -> None:
        """Hold ``answer``, unless it is none, or not what the model would write another time.

        An answer to a further turn of a conversation must not be put.
        """
        if not self._likeness or answer.abstained or answer.degraded:
            return
        with self._lock:
            place = asked.scope, asked.question
            if place not in self._known:
                self._wordings.setdefault(asked.scope, []).append(asked.question)
            self._known[place] = asked.vector, answer
            self._known.move_to_end(place)
            while len(self._known) > self._size:
                (scope, wording), _ = self._known.popitem(last=False)
                self._wordings[scope].remove(wording)
                if not self._wordings[scope]:
                    del self._wordings[scope]

    def __len__(self) -> int:
        return len(self._known)
