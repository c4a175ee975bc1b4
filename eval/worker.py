"""Takes one maker of questions from passage to passage. Knows no way to judge a question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from eval.draft import Draft, Kind, Maker, Rejected
from eval.passages import Passages
from rag.types import Chunk

Judge = Callable[[Kind, Draft | Rejected, str], bool]
"""Whether a question of that kind, of a passage in that language, is kept."""


class Worker:
    """A maker at its work: the passages it has left, and the questions begun at each.

    Parameters
    ----------
    languages
        Those that it works in.
    visits
        Passages that it may look at.
    tries
        Kinds of question that it may try at a passage.
    patience
        After so many questions of which none was kept, it is ``hopeless``.
    """

    def __init__(
        self,
        maker: Maker,
        passages: Passages,
        languages: Sequence[str],
        *,
        visits: int,
        tries: int,
        patience: float = math.inf,
    ) -> None:
        self.kinds = maker.kinds
        self.languages = tuple(languages)
        self.visits = visits
        self.seen: Counter[str] = Counter()
        self._maker = maker
        self._passages = passages
        self._tries = tries
        self._patience = patience
        self._useful = False
        self._drawn: Counter[Kind] = Counter()
        self._begun: dict[tuple[str, Kind], Iterator[Draft | Rejected]] = {}
        self._aside: list[tuple[str, Chunk]] = []

    @property
    def hopeless(self) -> bool:
        return not self._useful and self._drawn.total() >= self._patience

    def visit(self, language: str, kept: Mapping[Kind, int], judge: Judge) -> Chunk | None:
        """Have questions of the kinds in ``kept`` made of the next passage until one is kept.

        The kind that has the fewest and was tried the least comes first; the passage is returned,
        ``None`` where none is left.
        """
        passage = self._passages.next(language)
        if passage is None:
            return None
        self.visits -= 1
        self.seen[language] += 1
        tries = 0
        for kind in sorted(kept, key=lambda kind: kept[kind] + self._drawn[kind]):
            if (key := (passage.id, kind)) not in self._begun:
                self._begun[key] = self._maker.drafts(kind, passage, language)
            draft = next(self._begun[key], None)
            if draft is not None:
                tries += 1
                self._drawn[kind] += 1
                if good := judge(kind, draft, language):
                    self._useful = True
                if good or tries == self._tries:
                    break
        if tries:
            self._passages.again(language, passage)
        else:
            self._aside.append((language, passage))
        return passage

    def resume(self) -> None:
        """Take up the passages that had nothing to offer of the kinds wanted before."""
        for language, passage in self._aside:
            self._passages.again(language, passage)
        self._aside.clear()
