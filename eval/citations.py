"""Whether an answer's citations bear it out. Knows neither models nor questions.

Precision and recall after ALCE (Gao, Yen, Yu and Chen 2023, "Enabling Large Language Models to
Generate Text with Citations", section 3.3), over whichever judge of entailment is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.textmatch import contains, without_markers
from rag.analysis import sentences, terms
from rag.answer.evidence import SUPPORTED
from rag.errors import NotFound
from rag.index import Collection
from rag.types import Answer, Citation

Supports = Callable[[str, str], bool]
"""Whether the first text, a premise, bears out the second, a claim."""
_MARKER = re.compile(r"\[(\d+)\]")
_CODE = re.compile(r"^\s*(```|~~~).*?(^\s*\1|\Z)", re.DOTALL | re.MULTILINE)
_AFTER_END = re.compile(r"([.!?。！？…]+[\"'”’)\]」』]*)((?:\s*\[\d+\])+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, without its markers, and the passages that it cites."""

    text: str
    cites: tuple[int, ...]


def statements(text: str) -> list[Statement]:
    """The sentences of an answer, each with the markers within it or right after it.

    Blocks of code are none: they carry no markers.
    """
    text = _AFTER_END.sub(r"\2\1", _CODE.sub("\n\n", text))
    found = []
    for start, end in sentences(text):
        sentence = text[start:end]
        cites = tuple(dict.fromkeys(int(n) for n in _MARKER.findall(sentence)))
        if _terms(claim := without_markers(sentence).strip()):
            found.append(Statement(claim, cites))
    return found


def by_terms(premise: str, claim: str) -> bool:
    """Whether ``premise`` has the share of the claim's terms that Saem itself asks of a sentence.

    Cheap, and lenient with a long premise; blind to negation, and across languages.
    """
    terms = _terms(claim)
    return bool(terms) and len(terms & _terms(premise)) >= SUPPORTED * len(terms)


def recall(found: Sequence[Statement], passages: Sequence[str], supports: Supports) -> float:
    """Share of statements that the passages they cite, joined, bear out.

    Parameters
    ----------
    passages
        Those that the answer numbers from 1. A statement that cites one beyond them, or none,
        is not borne out.
    """
    if not found:
        return 0.0
    return sum(_borne_out(s, passages, supports) for s in found) / len(found)


def precision(found: Sequence[Statement], passages: Sequence[str], supports: Supports) -> float:
    """Share of citations that are of use.

    Of a statement that its citations bear out, those that do so alone or cannot be spared; of any
    other statement, none. 0 without citations.
    """
    cited = sum(len(s.cites) for s in found)
    good = 0
    for statement in found:
        if _borne_out(statement, passages, supports):
            if len(statement.cites) == 1:
                good += 1
                continue
            for n in statement.cites:
                rest = [passages[m - 1] for m in statement.cites if m != n]
                alone = supports(passages[n - 1], statement.text)
                good += alone or not supports("\n".join(rest), statement.text)
    return good / cited if cited else 0.0


def support(
    found: Sequence[Statement],
    citations: Sequence[Citation],
    collection: Collection,
    supports: Supports,
) -> float:
    """Share of statements that a quotation which they cite, and which resolves, bears out."""
    if not found:
        return 0.0
    good = [c for c in citations if resolves(c, collection)]
    return sum(
        any(c.n in s.cites and supports(c.quote, s.text) for c in good) for s in found
    ) / len(found)


def resolves(citation: Citation, collection: Collection) -> bool:
    """Whether the collection has the quotation where the citation says, to the letter."""
    try:
        text = collection.text(citation.document, citation.version)
    except NotFound:
        return False
    return text[citation.start : citation.end] == citation.quote


def answer_in_citation(answer: Answer, answers: Sequence[str], language: str) -> float:
    """1 if a passage that the answer cites holds one of ``answers``, else 0."""
    cited = [*dict.fromkeys(answer.hits[c.n - 1].chunk.text for c in answer.citations)]
    return max((contains(text, answers, language) for text in cited), default=0.0)


def _borne_out(statement: Statement, passages: Sequence[str], supports: Supports) -> bool:
    if not statement.cites or not all(1 <= n <= len(passages) for n in statement.cites):
        return False
    return supports("\n".join(passages[n - 1] for n in statement.cites), statement.text)


def _terms(text: str) -> set[str]:
    return set(terms(text))
