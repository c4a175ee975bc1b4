"""The sentences of the passages behind an answer, and which of them bears out a statement.

Knows neither prompts nor models; an encoder helps where no word is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.analysis import detect, sentences, terms
from rag.encode import Encoder
from rag.errors import RagError
from rag.types import Chunk, Hit

_HEADING = re.compile(
    r"#{1,6}\s|\|?[\s:|-]+$|\.\. |(?:```|~~~)|</?[a-z][^>]*>"
    r"|\[[^\]]*\]\([^)\s]*\)\s*(?::|$)"
)
"""Headings, rules, directives, fences, HTML and entries of link lists say nothing themselves."""
_NUMBER_END = re.compile(r"(?<=\d{3}[.])\s+(?=[A-Z가-힣])")
MAX_QUOTE = 400
"""A quotation ends after this many characters."""
SUPPORTED = 0.5
"""Share of a statement's terms that one sentence must have to bear it out unasked."""
_ENCODED = 32


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
        self._above = [self._terms(hit.chunk.above) for hit in hits]
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self.sentences: list[Sentence] = []
        for n, hit in enumerate(hits, 1):
            prose = [*self._sentences(n, hit.chunk)]
            titles = {_bare(title) for title in (hit.chunk.title, *hit.chunk.heading)}
            said = [s for s in prose if not _HEADING.match(s.text) and _bare(s.text) not in titles]
            self.sentences += said or prose

    def passage(self, n: int) -> list[Sentence]:
        """The sentences of passage ``n``, in order but for those of code, which come last."""
        return [s for s in self.sentences if s.n == n]

    def above(self, n: int) -> frozenset[str]:
        """The terms of passage ``n``'s title and headings."""
        return self._above[n - 1]

    def cosines(self, text: str, among: Sequence[Sentence]) -> NDArray[np.float32] | None:
        """How close each sentence is to ``text``, a question, in meaning; each is encoded once.

        ``None`` without an encoder, or where it fails: words decide alone then.
        """
        if self._encoder is None or not among:
            return None
        try:
            if new := [*dict.fromkeys(s.text for s in among if s.text not in self._vectors)]:
                self._vectors.update(zip(new, self._encoder.passages(new), strict=True))
            asked = self._encoder.query(text)
        except RagError:
            self._encoder = None
            return None
        found: NDArray[np.float32] = np.stack([self._vectors[s.text] for s in among])
        return found @ asked

    def quote(self, n: int, statement: str) -> Sentence | None:
        """The sentence of passage ``n`` that bears out ``statement`` best."""
        return self._best(statement, self.passage(n))

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

    def _best(self, statement: str, among: Sequence[Sentence]) -> Sentence | None:
        terms = self._terms(statement)
        best = max(among, key=lambda s: len(terms & s.terms), default=None)
        if best and self._encoder and not terms & best.terms:
            pool = among[:_ENCODED]
            cosines = self.cosines(statement, pool)
            return best if cosines is None else pool[int(cosines.argmax())]
        return best

    def _sentences(self, n: int, chunk: Chunk) -> Iterator[Sentence]:
        """The sentences of passage ``n`` that have words, those within code last."""
        fences = 0
        last = 0
        code = []
        for start, end in _finer(chunk.text):
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


def _finer(text: str) -> Iterator[tuple[int, int]]:
    """`sentences`, cut also after a year or other long number that ends one."""
    for start, end in sentences(text):
        for cut in _NUMBER_END.finditer(text, start, end):
            yield start, cut.start()
            start = cut.end()
        yield start, end


def _bare(line: str) -> str:
    return line.strip("#*=_ \t").casefold()
