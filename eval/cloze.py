"""Questions without a language model: sentences with a blank, and headings turned into questions.

The floor: what they ask stands in the passage almost word for word, so they measure less than
people's questions do. Knows no way to search but the collection's own.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from eval import wording
from eval.draft import Draft, Kind, Rejected
from eval.gaps import Gap, blanked, gaps, standing
from eval.passages import related, terms, threshold
from rag.analysis import detect
from rag.index import Collection
from rag.types import Chunk

_CUES = 3
_LISTED = 1000
_LENT = 200
_LENDERS = 10
_ASK = {"en": "{} What is ___?", "ko": "{} ___에 들어갈 말은?"}
_ASK_BOTH = {"en": "{} {} What is ___ in each?", "ko": "{} {} 각 ___에 들어갈 말은?"}


@dataclass(frozen=True, slots=True)
class _Cloze:
    passage: Chunk
    sentence: str
    gap: Gap
    text: str


class Floor:
    """Makes questions of a collection's passages by rule.

    What it lends to unanswerable questions comes from passages that it has seen before, so the
    same passages in the same order make the same questions.
    """

    kinds: tuple[Kind, ...] = ("single", "multi", "unanswerable")

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._rare = threshold(collection)
        self._names: deque[tuple[Chunk, Gap]] = deque(maxlen=_LENT)
        self._headings: deque[tuple[Chunk, str]] = deque(maxlen=_LENT)
        self._seen: set[str] = set()
        self._weights: dict[str, float] = {}
        self._held: dict[str, frozenset[str] | None] = {}

    def drafts(self, kind: Kind, passage: Chunk, language: str) -> Iterator[Draft | Rejected]:
        self._remember(passage, language)
        if kind == "single":
            yield from self._single(passage, language)
        elif kind == "multi":
            yield from self._multi(passage, language)
        elif kind == "unanswerable":
            yield from _by_turns(
                passage, self._swapped(passage, language), self._crossed(passage, language)
            )

    def _single(self, passage: Chunk, language: str) -> Iterator[Draft]:
        clozes = (
            Draft(
                _ASK[language].format(c.text), "single", "cloze", language, (passage,), c.gap.text
            )
            for c in self._clozes(passage, language)
        )
        yield from _by_turns(passage, clozes, self._title(passage, language))

    def _title(self, passage: Chunk, language: str) -> Iterator[Draft]:
        """A question for the heading, if nothing else stands under it."""
        headings = _headings(passage)
        if not headings or any(
            other.heading == passage.heading and other.position != passage.position
            for other in self._collection.passages(passage.document)
        ):
            return
        above = headings[-2] if len(headings) > 1 else ""
        if text := wording.question(headings[-1], above, language, passage.text):
            yield Draft(text, "single", "title", language, (passage,))

    def _multi(self, passage: Chunk, language: str) -> Iterator[Draft]:
        """Two sentences with blanks, of passages that share a rare term."""
        others = related(self._collection, passage, language)
        for own, other in zip(self._clozes(passage, language), others, strict=False):
            for its in self._clozes(other, language):
                texts = own.text, its.text
                if own.gap.text != its.gap.text and not (
                    _tells(texts[0], its.gap) or _tells(texts[1], own.gap)
                ):
                    text = _ASK_BOTH[language].format(*texts)
                    answer = f"{own.gap.text}, {its.gap.text}"
                    yield Draft(text, "multi", "cloze", language, (passage, other), answer)
                    break

    def _swapped(self, passage: Chunk, language: str) -> Iterator[Draft]:
        """A sentence with a blank, and with a name that no passage has beside its other words."""
        for cloze in self._clozes(passage, language):
            for own in gaps(cloze.text, language, self._rarity):
                if own.rarity < self._rare or not _swaps(cloze.text, own):
                    continue
                alike = (
                    name
                    for lender, name in reversed(self._names)
                    if lender.document != passage.document and _alike(own, name, language)
                )
                for name in islice(alike, _LENDERS):
                    text = cloze.text[: own.start] + name.text + cloze.text[own.end :]
                    if own.text not in text and not self._beside(name, cloze.sentence, own):
                        text = _ASK[language].format(text)
                        yield Draft(text, "unanswerable", "cloze", language, (passage,))
                        break

    def _crossed(self, passage: Chunk, language: str) -> Iterator[Draft]:
        """The passage's heading in the matter of another document."""
        headings = _headings(passage)
        if not headings:
            return
        for lender, elsewhere in reversed(self._headings):
            if lender.document == passage.document or detect(lender.text) != language:
                continue
            text = wording.crossed(headings[-1], elsewhere, language)
            here, there = terms(headings[-1]), terms(elsewhere)
            apart = here and there and not here & there
            if text and apart and not self._together(here | there):
                self._headings.remove((lender, elsewhere))
                yield Draft(text, "unanswerable", "title", language, (passage,))
                return

    def _remember(self, passage: Chunk, language: str) -> None:
        if passage.id in self._seen:
            return
        self._seen.add(passage.id)
        for cloze in self._clozes(passage, language):
            self._names.extend(
                (passage, gap)
                for gap in gaps(cloze.sentence, language, self._rarity)
                if _swaps(cloze.sentence, gap) and gap.rarity >= self._rare
            )
        if headings := _headings(passage):
            self._headings.append((passage, headings[0]))

    def _clozes(self, passage: Chunk, language: str) -> Iterator[_Cloze]:
        """A blank for the rarest word of each sentence that leaves enough to find it by."""
        made = []
        for sentence in standing(passage.text, language):
            for gap in gaps(sentence, language, self._rarity):
                text = blanked(sentence, gap)
                if gap.rarity >= self._rare and text and len(self._rare_terms(text)) >= _CUES:
                    made.append(_Cloze(passage, sentence, gap, text))
                    break
        yield from sorted(made, key=lambda c: -c.gap.rarity)

    def _rarity(self, text: str) -> float:
        return max(self._weighed(text).values(), default=0.0)

    def _rare_terms(self, text: str) -> set[str]:
        return {t for t, weight in self._weighed(text).items() if weight >= self._rare}

    def _weighed(self, text: str) -> dict[str, float]:
        wanted = terms(text)
        self._weights |= self._collection.idf(wanted - self._weights.keys())
        return {t: self._weights[t] for t in wanted}

    def _beside(self, name: Gap, sentence: str, own: Gap) -> bool:
        """Whether a passage may have ``name`` and a rare term of the sentence that is not its."""
        weights = self._weighed(sentence)
        cues = sorted(weights.keys() - terms(own.text), key=lambda t: (-weights[t], t))[:_CUES]
        return any(self._together(terms(name.text) | {cue}) for cue in cues)

    def _together(self, wanted: set[str]) -> bool:
        """Whether a passage may have all of ``wanted``.

        It is taken to have any term that is in more passages than can be listed.
        """
        held = [ids for ids in map(self._holders, sorted(wanted)) if ids is not None]
        return not held or bool(frozenset.intersection(*held))

    def _holders(self, term: str) -> frozenset[str] | None:
        """The passages that have ``term``; ``None`` where they are too many to list."""
        if term not in self._held:
            found = self._collection.sparse([term], _LISTED)
            ids = frozenset(id_ for id_, _ in found)
            self._held[term] = ids if len(ids) < _LISTED else None
        return self._held[term]


def _by_turns(passage: Chunk, a: Iterator[Draft], b: Iterator[Draft]) -> Iterator[Draft]:
    """One of each in turn; which is first depends on the passage alone."""
    for pair in zip_longest(a, b) if len(passage.text) % 2 else zip_longest(b, a):
        yield from (draft for draft in pair if draft)


def _headings(passage: Chunk) -> list[str]:
    """Title and headings from the top, each once."""
    parts = (passage.title, *passage.heading)
    return [part for part in dict.fromkeys(parts) if part]


def _tells(text: str, gap: Gap) -> bool:
    return terms(gap.text) <= terms(text)


def _swaps(text: str, gap: Gap) -> bool:
    """Whether another word could stand there; after ``a`` few could, for a number all."""
    article = re.search(r"\ban? $", text[: gap.start], re.IGNORECASE)
    return gap.shape != "number" and len(gap.text) > 2 and not article


def _alike(a: Gap, b: Gap, language: str) -> bool:
    """Whether ``b`` may stand where ``a`` does: the same make of word, number and final sound."""
    if a.text.casefold() == b.text.casefold() or _make(a) != _make(b):
        return False
    if language == "ko":
        return wording.topic(a.text) == wording.topic(b.text) != wording.UNSURE
    return a.text.endswith("s") == b.text.endswith("s")


def _make(gap: Gap) -> tuple[object, ...]:
    word = gap.text
    digits = any(c.isdigit() for c in word)
    capitals = word.isupper(), word.islower(), word[:1].isupper()
    return gap.shape, word.isascii(), len(word.split()), capitals, "_" in word, digits
