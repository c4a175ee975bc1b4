"""The sentences of the passages behind an answer, and which of them bears out a statement.

Knows neither prompts nor models; an encoder helps where no word is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.analysis import detect, sentences, terms
from rag.encode import Encoder
from rag.types import Chunk, Hit

_HEADING = re.compile(r"#{1,6}\s|\|?[\s:|-]+$|\.\. |(?:```|~~~)|\[[^\]]*\]\([^)\s]*\)\s*(?::|$)")
"""Headings, rules, directives, fences and entries of link lists: they say nothing themselves."""
MAX_QUOTE = 400
"""A quotation ends after this many characters."""
SUPPORTED = 0.5
"""Share of a statement's terms that one sentence must have to bear it out unasked."""
_ENCODED = 32
_GOOD = 2 / 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters ``[start, end)`` of the document that passage ``n`` is from."""

    n: int
    start: int
    end: int
    text: str
    terms: frozenset[str]


class Evidence:
    """The sentences of ``hits``, which the answer numbers from 1.

    Parameters
    ----------
    encoder
        Ranks sentences by meaning, across languages; without one, shared terms decide alone.

    Attributes
    ----------
    language
        That of the first passage, by whose rules terms are compared.
    """

    def __init__(self, hits: Sequence[Hit], encoder: Encoder | None = None) -> None:
        self._encoder = encoder
        self.language = detect(hits[0].chunk.text) if hits else "en"
        self._texts = ["".join(hit.chunk.text.split()) for hit in hits]
        self.sentences: list[Sentence] = []
        for n, hit in enumerate(hits, 1):
            prose = [*self._sentences(n, hit.chunk)]
            said = [s for s in prose if not _HEADING.match(s.text)]
            self.sentences += said or prose

    def quote(self, n: int, statement: str) -> Sentence | None:
        """The sentence of passage ``n`` that bears out ``statement`` best."""
        return self._best(statement, [s for s in self.sentences if s.n == n])

    def contains(self, code: str) -> bool:
        """Whether a passage holds that line of code, white space aside."""
        line = "".join(code.split())
        return any(line in text for text in self._texts)

    def support(self, statement: str) -> Sentence | None:
        """The sentence of any passage that has enough of the statement's terms, or ``None``."""
        terms = self._terms(statement)
        best = max(self.sentences, key=lambda s: len(terms & s.terms), default=None)
        enough = best is not None and len(terms & best.terms) >= max(2, SUPPORTED * len(terms))
        return best if enough else None

    def relevant(self, question: str, weight: Mapping[str, float], count: int) -> list[Sentence]:
        """Up to ``count`` sentences that answer ``question`` best, in the passages' order.

        The further ones must come near the best.

        Half the question's terms that they have, each with its ``weight``, half similarity of
        meaning, and a little for the rank of the passage; without an encoder, terms and rank.
        """
        terms = weight.keys()
        total = sum(weight.values()) or 1.0
        scores = {
            s: sum(weight[t] for t in s.terms & terms) / total + 0.3 / s.n for s in self.sentences
        }
        if self._encoder:
            pool = sorted(scores, key=lambda s: -scores[s])[:_ENCODED]
            similar = self._similarities(question, pool)
            scores = {s: scores[s] + similar[s] for s in pool}
        best = sorted(scores, key=lambda s: (-scores[s], s.n, s.start))[:count]
        good = [s for s in best if scores[s] >= scores[best[0]] * _GOOD]
        return sorted(good, key=lambda s: (s.n, s.start))

    def _best(self, statement: str, among: Sequence[Sentence]) -> Sentence | None:
        terms = self._terms(statement)
        best = max(among, key=lambda s: len(terms & s.terms), default=None)
        if best and self._encoder and not terms & best.terms:
            similar = self._similarities(statement, among[:_ENCODED])
            return max(similar, key=lambda s: similar[s])
        return best

    def _similarities(self, statement: str, among: Sequence[Sentence]) -> dict[Sentence, float]:
        """Cosine of each sentence to ``statement``, scaled to 0 to 1 over ``among``."""
        if not (self._encoder and among):
            return {}
        vectors = self._encoder.passages([s.text for s in among])
        cosines = vectors @ self._encoder.query(statement)
        spread = float(np.ptp(cosines)) or 1.0
        return dict(zip(among, ((cosines - cosines.min()) / spread).tolist(), strict=True))

    def _sentences(self, n: int, chunk: Chunk) -> Iterator[Sentence]:
        """The sentences of passage ``n`` that have words, those within code last."""
        fences = 0
        last = 0
        code = []
        for start, end in sentences(chunk.text):
            fences += chunk.text.count("```", last, start)
            last = start
            quote = chunk.text[start : min(end, start + MAX_QUOTE)].rstrip()
            if terms := self._terms(quote):
                at = chunk.start + start
                sentence = Sentence(n, at, at + len(quote), quote, terms)
                if fences % 2 or quote.startswith("```"):
                    code.append(sentence)
                else:
                    yield sentence
        yield from code

    def _terms(self, text: str) -> frozenset[str]:
        return frozenset(terms(text, self.language))
